import assert from 'node:assert/strict';
import {after} from 'node:test';

import {scenario} from './harness.mjs';
import {Server} from './server.mjs';
import {areTold, listener} from './told.mjs';
import {eventually, pause} from './waiting.mjs';

const server = await Server.start({REPLISTREAM_AUTH_CLOCK_SKEW: 'PT0S'});
after(() => server.stop());

const POISON = {
  'a mutator that the server does not have': tab => tab.mutate.unknown({key: 'poison'}),
  'a value that is too large': tab => tab.mutate.put({key: 'poison', value: 'x'.repeat(1_100_000)}),
  'arguments of the wrong kind': tab => tab.mutate.increment({key: 'poison', id: 'poison', room: {no: 'room'}}),
  'a room that does not exist': tab => tab.mutate.put({key: 'poison', room: 'nowhere', value: 1}),
  'a mutator that rejects after it wrote': tab => tab.mutate.putThenReject({key: 'poison'}),
  'a mutator that fails after it wrote': tab => tab.mutate.putThenFail({key: 'poison'}),
};

const TOLD = {
  'a mutator that the server does not have': ['unknown', 'unknown-mutator', /^no such mutator$/],
  'a value that is too large': ['put', 'value-too-large', /bytes/],
  'arguments of the wrong kind': ['increment', 'bad-arguments', /^a string is needed, not an object$/],
  'a room that does not exist': ['put', 'not-a-member', /no member/],
  'a mutator that rejects after it wrote': ['putThenReject', 'rejected', /^the scenario wants it so$/],
  'a mutator that fails after it wrote': ['putThenFail', 'failed', /^The mutator failed\.$/],
};

for (const [what, [name, code, message]] of Object.entries(TOLD)) {
  scenario(`of ${what} the author is told, and nobody else`, server, async open => {
    const laptop = open('alice');
    const bob = open('bob');
    const listeners = [
      listener(server, laptop.userID),
      listener(server, laptop.userID, {transports: ['websocket']}),
      listener(server, bob.userID),
    ];
    await Promise.all(listeners.map(({connected}) => connected));
    await laptop.mutate.put({key: 'before', value: 1});
    await POISON[what](laptop);
    await bob.mutate.unknown({key: 'poison'});
    await bob.settled();
    await laptop.settled();

    await areTold(1, ...listeners);
    const [[one], [other], [foreign]] = listeners.map(({told}) => told);
    const {seq, message: said, ...rest} = one;
    assert.deepEqual(rest, {clientID: await laptop.rep.clientID, id: 2, name, code});
    assert.match(said, message);
    assert.ok(seq > 0);
    assert.deepEqual(other, one);
    assert.equal(foreign.clientID, await bob.rep.clientID);
    assert.deepEqual(listeners.map(({told}) => told.length), [1, 1, 1]);
  });
}

scenario('who was offline is told when they are back, also of what another device did', server, async open => {
  const [laptop, phone] = [open('alice'), open('alice', {device: 'phone'})];
  const first = listener(server, laptop.userID);
  await first.connected;
  first.close();
  laptop.goOffline();
  await laptop.mutate.put({key: 'kept', value: 1});
  await laptop.mutate.putThenReject({key: 'poison'});
  await phone.mutate.unknown({key: 'poison'});
  await phone.settled();
  laptop.goOnline();
  await laptop.settled();

  const later = listener(server, laptop.userID);
  await areTold(2, later);
  assert.deepEqual(first.told, []);
  assert.deepEqual(
    later.told.map(({clientID, id, code}) => [clientID, id, code]),
    [[await phone.rep.clientID, 1, 'unknown-mutator'], [await laptop.rep.clientID, 2, 'rejected']],
  );
  assert.deepEqual(await laptop.view(), new Map([['kept', 1]]));
});

scenario('a restart loses no rejection, and repeats none', server, async open => {
  const laptop = open('alice');
  const live = listener(server, laptop.userID);
  await live.connected;
  await laptop.mutate.unknown({key: 'poison'});
  await laptop.settled();
  await eventually('the first', () => live.told.length === 1);
  await server.kill();
  await laptop.mutate.putThenReject({key: 'poison'});
  await server.restart();
  await laptop.settled();

  await areTold(2, live);
  assert.deepEqual(live.told.map(({id}) => id), [1, 2]);
});

for (const [what, poison] of Object.entries(POISON)) {
  scenario(`${what} is acknowledged, has no effect and holds nothing up`, server, async open => {
    const laptop = open('alice');
    await laptop.mutate.put({key: 'before', value: 1});
    await poison(laptop);
    await laptop.mutate.put({key: 'behind', value: 2});
    assert.notEqual(await laptop.get('poison'), undefined);
    await laptop.settled();
    await poison(laptop);
    await laptop.settled(); // also where the poison is all that there is to acknowledge
    await laptop.mutate.put({key: 'later', value: 3});
    await laptop.settled();

    const expected = new Map([['before', 1], ['behind', 2], ['later', 3]]);
    assert.deepEqual(await laptop.view(), expected);
    const phone = open('alice', {device: 'phone'});
    await phone.pulled();
    assert.deepEqual(await phone.view(), expected);
  });
}

scenario('poison disappears by a poke, without a pull of the application', server, async open => {
  const laptop = open('alice', {live: true});
  await laptop.listening();
  await laptop.mutate.unknown({key: 'poison'});
  await eventually('the poison is gone', async () => (await laptop.get('poison')) === undefined);
  assert.deepEqual(await laptop.pending(), []);
});

scenario('a token that expires in mid-session is renewed, and nothing is lost', server, async open => {
  const laptop = open('alice', {tolerated: /Got a non 200 response doing \w+: 401/});
  laptop.rep.auth = laptop.authorization(1);
  let renewals = 0;
  laptop.rep.getAuth = () => {
    renewals++;
    return laptop.authorization(1);
  };
  let mutations = 0;
  await eventually('the token is renewed twice', async () => {
    await laptop.mutate.increment({key: 'count', id: `mutation ${mutations++}`});
    laptop.pull();
    await pause(20);
    return renewals >= 2;
  });
  await laptop.settled();

  const phone = open('alice', {device: 'phone'});
  await phone.shows('count', mutations);
  assert.ok([...(await phone.view())].every(([key, times]) => key === 'count' || times === 1));
});

scenario('without a renewal a client waits for a good token, and nothing is lost', server, async open => {
  const laptop = open('alice', {tolerated: /Got a non 200 response doing \w+: 401/});
  laptop.rep.auth = laptop.authorization(-10);
  await laptop.mutate.increment({key: 'count', id: 'mutation'});
  await eventually('the push is refused', () => laptop.exchanges('push').some(push => push.status === 401));
  assert.equal((await laptop.pending()).length, 1);

  laptop.rep.auth = laptop.authorization();
  await laptop.settled();
  await open('alice', {device: 'phone'}).shows('count', 1);
});
