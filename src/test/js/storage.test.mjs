import assert from 'node:assert/strict';
import {after} from 'node:test';

import {scenario} from './harness.mjs';
import {mutators} from './mutators.mjs';
import {Server} from './server.mjs';
import {eventually} from './waiting.mjs';

const BACKLOG = 5_000;

const server = await Server.start();
after(() => server.stop());

scenario(`a backlog of ${BACKLOG} mutations arrives as one push`, server, async open => {
  const laptop = open('alice');
  await laptop.pulled();
  laptop.goOffline();
  for (let i = 0; i < BACKLOG; i++) {
    await laptop.mutate.increment({key: 'count', id: `mutation ${i}`});
  }
  // so that no attempt is under way that was made before the last mutation
  await eventually('a push was tried with all of them', () =>
    laptop.attempts('push').some(push => push.request.mutations.length === BACKLOG),
  );

  laptop.goOnline();
  await laptop.settled();

  const phone = open('alice', {device: 'phone'});
  await phone.shows('count', BACKLOG);
  assert.deepEqual(await phone.view(), await laptop.view());
  assert.ok([...(await phone.view())].every(([key, times]) => key === 'count' || times === 1));
  const pushes = laptop.exchanges('push').map(push => [push.request.mutations.length, push.status]);
  assert.deepEqual(pushes, [[BACKLOG, 200]]);
});

scenario('a closed tab leaves its mutations to the next one of its device', server, async open => {
  const first = open('alice');
  await first.pulled();
  first.goOffline();
  await first.mutate.increment({key: 'count', id: 'left behind'});
  await first.stored();
  await first.close();
  first.goOnline();

  const second = open('alice');
  await second.settled();

  const phone = open('alice', {device: 'phone'});
  await phone.shows('count', 1);
  assert.equal(second.exchanges('push')[0].request.mutations[0].clientID, first.rep.clientID);
});

scenario('a new schema version recovers the mutations of the old one', server, async open => {
  const old = open('alice', {schemaVersion: 'one'});
  await old.mutate.increment({key: 'count', id: 'online'});
  await old.settled();
  old.goOffline();
  for (let i = 0; i < 3; i++) {
    await old.mutate.increment({key: 'count', id: `offline ${i}`});
  }
  await old.stored();
  await old.close();
  old.goOnline();

  const renewed = open('alice', {schemaVersion: 'two'});
  await renewed.shows('count', 4);
  await renewed.mutate.increment({key: 'count', id: 'renewed'});
  await renewed.settled();

  await open('alice', {device: 'phone'}).shows('count', 5);
  const recovery = renewed
    .exchanges('push')
    .map(push => push.request)
    .find(({schemaVersion, mutations}) => schemaVersion === 'one' && mutations.length === 3);
  assert.equal(recovery.clientGroupID, await old.rep.clientGroupID);
  assert.notEqual(await renewed.rep.clientGroupID, await old.rep.clientGroupID);
});

scenario('a fork with other mutators goes on from the cookie of the old group', server, async open => {
  const old = open('alice');
  await old.mutate.put({key: 'note', value: 1});
  await old.settled();
  await old.stored();
  const earned = JSON.parse(old.exchanges('pull').at(-1).response).cookie;
  await old.close();

  const fork = open('alice', {mutators: {...mutators, more: () => {}}});
  await fork.pulled();
  const group = await fork.rep.clientGroupID;
  assert.notEqual(group, await old.rep.clientGroupID);
  const first = fork.exchanges('pull').find(pull => pull.request.clientGroupID === group);
  assert.deepEqual(first.request.cookie, earned);
  assert.equal(first.status, 200);
  assert.deepEqual(await fork.view(), new Map([['note', 1]]));

  await fork.mutate.put({key: 'note', value: 2});
  await fork.settled();
  const phone = open('alice', {device: 'phone'});
  await phone.shows('note', 2);
  await phone.mutate.del({key: 'note'});
  await phone.settled();
  await fork.shows('note', undefined);
});

scenario('a fork recovers what was pending in the old group', server, async open => {
  const old = open('alice');
  await old.mutate.increment({key: 'count', id: 'online'});
  await old.settled();
  old.goOffline();
  await old.mutate.increment({key: 'count', id: 'offline'});
  await old.stored();
  await old.close();
  old.goOnline();

  const fork = open('alice', {mutators: {...mutators, more: () => {}}});
  await fork.mutate.increment({key: 'count', id: 'forked'});
  await fork.settled();

  await fork.shows('count', 3);
  await open('alice', {device: 'phone'}).shows('count', 3);
});
