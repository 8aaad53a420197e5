import assert from 'node:assert/strict';
import {after} from 'node:test';

import {scenario} from './harness.mjs';
import {Server} from './server.mjs';
import {eventually} from './waiting.mjs';

const LIMIT = 64 << 10;

const narrow = await Server.start({REPLISTREAM_SYNC_MAX_BODY: String(LIMIT)});
after(() => narrow.stop());
const wide = await Server.start(); // with the default limit, of 16 MiB
after(() => wide.stop());

/** How the client learns that a push was too large; the connection may break while it is sending. */
const tolerated = /Got a non 200 response doing push: 413|fetch failed/;

const OVER = [
  {what: 'the limit that is set', server: narrow, count: 40, length: 10_000},
  {what: 'the default limit', server: wide, count: 20, length: 900_000},
];

for (const {what, server, count, length} of OVER) {
  scenario(`a backlog beyond ${what} arrives in parts, by pokes alone`, server, async open => {
    const laptop = open('alice', {live: true, tolerated});
    await laptop.listening();
    laptop.goOffline();
    for (let i = 0; i < count; i++) {
      await laptop.mutate.put({key: `note ${i}`, value: String(i).padEnd(length, 'x')});
      await laptop.mutate.increment({key: 'count', id: `mutation ${i}`});
    }
    const expected = await laptop.view();
    laptop.goOnline();
    await eventually('nothing is pending', async () => (await laptop.pending()).length === 0);

    assert.deepEqual(await laptop.view(), expected);
    const phone = open('alice', {device: 'phone'});
    await phone.pulled();
    assert.deepEqual(await phone.view(), expected);
    const pushes = laptop.exchanges('push').map(push => push.status);
    assert.equal(pushes.at(-1), 200);
    assert.ok(pushes.length > 1);
    assert.ok(pushes.slice(0, -1).every(status => status !== 200), String(pushes));
  });
}

scenario('a mutation beyond the limit is given up, and those behind it arrive', narrow, async open => {
  const laptop = open('alice', {live: true, tolerated});
  await laptop.listening();
  laptop.goOffline();
  await laptop.mutate.put({key: 'before', value: 1});
  await laptop.mutate.put({key: 'large', value: 'x'.repeat(3 * LIMIT)});
  await laptop.mutate.put({key: 'behind', value: 2});
  laptop.goOnline();
  await eventually('nothing is pending', async () => (await laptop.pending()).length === 0);
  await laptop.mutate.put({key: 'later', value: 3});
  await laptop.settled();

  const expected = new Map([['before', 1], ['behind', 2], ['later', 3]]);
  assert.deepEqual(await laptop.view(), expected);
  const phone = open('alice', {device: 'phone'});
  await phone.pulled();
  assert.deepEqual(await phone.view(), expected);
});
