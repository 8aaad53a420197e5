import assert from 'node:assert/strict';
import {after} from 'node:test';

import {scenario} from './harness.mjs';
import {Server} from './server.mjs';
import {eventually} from './waiting.mjs';

const server = await Server.start();
after(() => server.stop());

let rooms = 0;
const newRoom = () => `room ${++rooms}`;

/** A room of the first user, with an entry, and with the second user as a member. */
async function shared(owner, member, role) {
  const room = newRoom();
  await owner.mutate.createRoom({room});
  await owner.mutate.put({room, key: `${room}/plan`, value: 'ours'});
  await owner.mutate.putMember({room, userId: member.userID, role});
  await owner.settled();
  await member.shows(`${room}/plan`, 'ours');
  return room;
}

scenario('what is in a room shows to its members only, once they have joined', server, async open => {
  const alice = open('alice', {live: true});
  const bob = open('bob', {live: true});
  const eve = open('eve', {live: true});
  await Promise.all([alice.listening(), bob.listening(), eve.listening()]);
  const room = newRoom();
  await alice.mutate.createRoom({room});
  await alice.mutate.put({room, key: 'plan', value: 'ours'});
  await alice.settled();
  await bob.pulled();
  assert.deepEqual(await bob.view(), new Map());

  await alice.mutate.putMember({room, userId: bob.userID, role: 'writer'});
  await eventually('Bob sees it by a poke', async () => (await bob.get('plan')) === 'ours');
  await bob.mutate.put({room, key: 'plan', value: 'ours, says Bob'});
  await eventually('Alice sees what Bob wrote', async () => (await alice.get('plan')) === 'ours, says Bob');
  await eve.pulled();
  assert.deepEqual(await eve.view(), new Map());
});

scenario('who leaves a room loses its entries, and keeps his own', server, async open => {
  const alice = open('alice');
  const bob = open('bob', {live: true});
  await bob.listening();
  const room = await shared(alice, bob, 'writer');
  await bob.mutate.put({key: 'mine', value: 1});
  await bob.settled();

  await alice.mutate.removeMember({room, userId: bob.userID});
  await eventually('Bob loses it by a poke', async () => (await bob.get(`${room}/plan`)) === undefined);
  assert.deepEqual(await bob.view(), new Map([['mine', 1]]));

  await bob.mutate.put({room, key: `${room}/plan`, value: 'not mine any more'});
  await bob.settled();
  assert.deepEqual(await bob.view(), new Map([['mine', 1]]));
  await alice.pulled();
  assert.equal(await alice.get(`${room}/plan`), 'ours');
});

scenario('what a member wrote while he was offline is lost with his membership', server, async open => {
  const alice = open('alice');
  const bob = open('bob');
  const room = await shared(alice, bob, 'writer');
  bob.goOffline();
  await bob.mutate.put({room, key: `${room}/plan`, value: 'too late'});
  await bob.mutate.increment({key: 'count', id: 'mine'});
  await alice.mutate.removeMember({room, userId: bob.userID});
  await alice.settled();
  bob.goOnline();
  await bob.settled();

  assert.deepEqual(await bob.view(), new Map([['count', 1], ['mine', 1]]));
  await alice.pulled();
  assert.equal(await alice.get(`${room}/plan`), 'ours');
});

scenario('a reader sees and does not write', server, async open => {
  const alice = open('alice');
  const bob = open('bob');
  const room = await shared(alice, bob, 'reader');
  await bob.mutate.put({room, key: `${room}/plan`, value: 'mine'});
  await bob.mutate.put({key: `${room}/plan`, value: 'mine'});
  await bob.mutate.del({key: `${room}/plan`});
  await bob.settled();

  assert.deepEqual(await bob.view(), new Map([[`${room}/plan`, 'ours']]));
});

scenario('a key of a user wins over the same key of a room, till it is deleted', server, async open => {
  const alice = open('alice');
  const bob = open('bob');
  await bob.mutate.put({key: 'plan', value: 'private'});
  await bob.settled();
  const room = newRoom();
  await alice.mutate.createRoom({room});
  await alice.mutate.put({room, key: 'plan', value: 'of the room'});
  await alice.mutate.putMember({room, userId: bob.userID, role: 'writer'});
  await alice.settled();
  await bob.pulled();
  assert.equal(await bob.get('plan'), 'private');

  await bob.mutate.del({key: 'plan'});
  await bob.settled();
  await bob.shows('plan', 'of the room');
  const phone = open('bob', {device: 'phone'});
  await phone.shows('plan', 'of the room');
});
