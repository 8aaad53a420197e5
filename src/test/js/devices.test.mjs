import assert from 'node:assert/strict';
import {after} from 'node:test';
import {isDeepStrictEqual} from 'node:util';

import {scenario} from './harness.mjs';
import {exchanges} from './network.mjs';
import {Server} from './server.mjs';
import {eventually} from './waiting.mjs';

/** How soon an edit has to show elsewhere. */
const SOON_MS = 1_000;

const server = await Server.start();
after(() => server.stop());

scenario('two tabs of one device are one client group and show the same', server, async open => {
  const left = open('alice');
  const right = open('alice');
  assert.equal(await left.rep.clientGroupID, await right.rep.clientGroupID);
  assert.notEqual(left.rep.clientID, right.rep.clientID);

  await Promise.all([
    left.mutate.increment({key: 'count', id: 'of the left'}),
    right.mutate.increment({key: 'count', id: 'of the right'}),
  ]);
  await left.settled();
  await right.settled();

  for (const tab of [left, right]) {
    await tab.shows('count', 2);
    await tab.shows('of the left', 1);
    await tab.shows('of the right', 1);
  }
});

scenario('a push that mixes the mutations of two tabs applies each once', server, async open => {
  const left = open('alice');
  const right = open('alice');
  await left.pulled();
  left.goOffline(); // and so is the other: it is the same device
  for (let i = 0; i < 5; i++) {
    await left.mutate.increment({key: 'count', id: `left ${i}`});
    await right.mutate.increment({key: 'count', id: `right ${i}`});
  }
  await eventually('each tab holds the mutations of both', async () =>
    (await Promise.all([left.pending(), right.pending()])).every(pending => pending.length === 10),
  );

  left.goOnline();
  await left.settled();
  await right.settled();

  await left.shows('count', 10);
  const clients = push => new Set(push.request.mutations.map(mutation => mutation.clientID)).size;
  assert.ok(left.exchanges('push').some(push => clients(push) === 2), 'no push was mixed');
});

// What the tabs of a device store is ordered by their cookies alone. Had a later state the smaller
// order, a tab would fall back to before its own mutations, and use their ids again.
scenario('a tab that pulled seldom loses nothing to one that pulled often', server, async open => {
  const phone = open('alice', {device: 'phone'});
  await phone.pulled();
  const often = open('alice');
  const seldom = open('alice');
  await often.pulled();
  await seldom.pulled();
  for (const value of [1, 2, 3]) {
    await phone.mutate.put({key: 'of the phone', value});
    await often.shows('of the phone', value);
  }
  await often.stored();
  await seldom.mutate.increment({key: 'count', id: 'early'});
  await seldom.settled(); // before it takes over what the other tab has stored

  await eventually('both tabs show what either pulled', async () =>
    isDeepStrictEqual(await seldom.view(), await often.view()),
  );
  await seldom.mutate.increment({key: 'count', id: 'late'});
  await seldom.settled();

  await phone.shows('count', 2);
  await phone.shows('late', 1);
});

scenario('one user never gets what another user keeps private', server, async open => {
  const alice = open('alice');
  const bob = open('bob');
  await alice.mutate.put({key: 'diary', value: 'a secret of Alice'});
  await alice.mutate.put({key: 'alice only', value: 1});
  await bob.mutate.put({key: 'diary', value: 'a secret of Bob'});
  await alice.settled();
  await bob.settled();
  await alice.mutate.del({key: 'alice only'});
  await alice.settled();
  await bob.pulled();
  const phone = open('bob', {device: 'phone'});
  await phone.pulled();

  assert.deepEqual(await alice.view(), new Map([['diary', 'a secret of Alice']]));
  assert.deepEqual(await bob.view(), new Map([['diary', 'a secret of Bob']]));
  assert.deepEqual(await phone.view(), new Map([['diary', 'a secret of Bob']]));
  for (const {device, response} of exchanges) {
    assert.ok(!response?.includes(device.startsWith('bob') ? 'lice' : 'Bob'), `${device} got ${response}`);
  }
});

scenario('an edit shows on the other device of its user within a second', server, async open => {
  const laptop = open('alice', {live: true});
  const phone = open('alice', {device: 'phone', live: true});
  await Promise.all([laptop.listening(), phone.listening()]);
  await laptop.mutate.put({key: 'warm', value: 'up'});
  await eventually('the first edit shows', async () => (await phone.get('warm')) === 'up');

  for (const [from, to] of [[laptop, phone], [phone, laptop], [laptop, phone]]) {
    const value = `from ${from.device} at ${performance.now()}`;
    const edited = performance.now();
    await from.mutate.put({key: 'note', value});
    await eventually('the edit shows', async () => (await to.get('note')) === value);
    assert.ok(performance.now() - edited < SOON_MS, `it took ${performance.now() - edited} ms`);
  }
});

scenario('the device that edits is told by a poke that its edit was processed', server, async open => {
  const laptop = open('alice', {live: true});
  await laptop.listening();
  await laptop.mutate.put({key: 'note', value: 1});
  await eventually('nothing is pending', async () => (await laptop.pending()).length === 0);
});
