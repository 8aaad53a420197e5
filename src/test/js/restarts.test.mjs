import assert from 'node:assert/strict';
import {after} from 'node:test';

import {scenario} from './harness.mjs';
import {disturb, exchanges} from './network.mjs';
import {Server} from './server.mjs';
import {eventually, pause} from './waiting.mjs';

const server = await Server.start();
after(() => server.stop());

async function incremented(tab, mutations) {
  for (let i = 0; i < mutations; i++) {
    await tab.mutate.increment({key: 'count', id: `mutation ${i}`});
    await pause(2);
  }
}

async function assertAppliedOnce(tab, mutations) {
  await tab.shows('count', mutations);
  const view = await tab.view();
  for (let i = 0; i < mutations; i++) {
    assert.equal(view.get(`mutation ${i}`), 1, `mutation ${i}`);
  }
  assert.equal(view.size, mutations + 1);
}

scenario('a server killed in mid-push applies each mutation once', server, async open => {
  const killDelaysMs = [0, 3, 8];
  let mutations = 900;
  const laptop = open('alice', {live: true});
  await laptop.pulled();
  let restarting = Promise.resolve();
  let pushes = 0;
  let up = true;
  disturb(({kind}) => {
    if (up && kind === 'push' && ++pushes % 3 === 0 && killDelaysMs.length > 0) {
      up = false;
      restarting = pause(killDelaysMs.shift())
        .then(() => server.kill())
        .then(() => server.restart())
        .then(() => (up = true));
    }
  });

  await incremented(laptop, mutations);
  await eventually('all kills are done', async () => {
    await laptop.mutate.increment({key: 'count', id: `mutation ${mutations++}`}); // so that there is something to push
    return up && killDelaysMs.length === 0;
  });
  await restarting;
  await laptop.settled();

  await assertAppliedOnce(laptop, mutations);
  await assertAppliedOnce(open('alice', {device: 'phone'}), mutations);
  assert.ok(laptop.exchanges('push').some(push => push.status === undefined), 'no push was cut off');
});

scenario('a push whose answer got lost is sent again and applied once', server, async open => {
  const laptop = open('alice', {live: true});
  let count = 0;
  disturb(() => (++count % 2 ? 'lost' : undefined));
  await incremented(laptop, 100);
  await laptop.settled();

  await assertAppliedOnce(laptop, 100);
  await assertAppliedOnce(open('alice', {device: 'phone'}), 100);
});

scenario('a server that lost all its data is told to clients by the protocol', server, async open => {
  const writer = open('alice', {live: true, tolerated: /Client state not found on server/});
  const reader = open('alice', {device: 'phone', live: true});
  await writer.mutate.put({key: 'note', value: 'old'});
  await writer.mutate.put({key: 'note', value: 'older'});
  await writer.settled();
  await reader.shows('note', 'older');
  let lost = 0;
  writer.rep.onClientStateNotFound = () => lost++;

  await server.wipe();
  await writer.shows('note', undefined);
  await reader.shows('note', undefined);

  // one whose mutations the server can't number any more starts anew, as a reload of its page does
  await writer.mutate.put({key: 'note', value: 'unknown to the server'});
  await eventually('the client is told that it is unknown', () => lost > 0);
  await writer.close();
  const reloaded = open('alice', {live: true});
  await reloaded.mutate.put({key: 'note', value: 'new'});
  await reloaded.settled();
  await reader.shows('note', 'new');

  // one that never sent a mutation goes on
  await reader.mutate.put({key: 'other', value: 'new'});
  await reader.settled();
  await reloaded.shows('other', 'new');

  const before = exchanges.length;
  await pause(500); // time for an endless loop to show
  assert.ok(exchanges.length - before < 10, `${exchanges.length - before} requests without a reason`);
});

scenario('a client that saw what a restore has lost begins anew, whatever it pushed before its first pull', server, async open => {
  const tolerated = /Client state not found on server/;
  const laptop = open('alice', {tolerated});
  const phone = open('alice', {device: 'phone', tolerated});
  await incremented(laptop, 3);
  await laptop.settled();
  await phone.mutate.put({key: 'kept', value: 1});
  await phone.settled();
  await server.backUp();
  await incremented(laptop, 2);
  await laptop.settled();
  await laptop.stored();
  await laptop.close();
  phone.goOffline();
  await phone.mutate.put({key: 'pending', value: 1});
  await server.restore();

  const told = [];
  const watch = tab => (tab.rep.onClientStateNotFound = () => told.push(tab.device));
  disturb(({kind}) => kind === 'pull' && 'refused');
  const page = open('alice', {tolerated: /no network|Client state not found on server/});
  watch(page);
  watch(phone);
  for (let i = 0; i < 4; i++) {
    await page.mutate.put({key: `page ${i}`, value: i});
  }
  await eventually('the page has pushed', () =>
    page.exchanges('push').some(({status, request}) => status === 200 && request.mutations.length === 4),
  );
  disturb(() => undefined);
  page.pull();
  await eventually('the page is told', () => told.length > 0);
  await page.close();

  // as the reload that follows does
  const reloaded = open('alice');
  await incremented(reloaded, 2);
  await reloaded.settled();
  await reloaded.shows('count', 5);

  // who saw nothing of what was lost keeps what is pending
  phone.goOnline();
  await phone.settled();
  await reloaded.shows('pending', 1);
  assert.deepEqual(await phone.view(), await reloaded.view());
  assert.equal((await phone.view()).get('page 3'), 3);
  assert.deepEqual(told, [page.device]);
});
