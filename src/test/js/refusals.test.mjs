import assert from 'node:assert/strict';
import {after} from 'node:test';

import {scenario} from './harness.mjs';
import {Server} from './server.mjs';
import {eventually, pause} from './waiting.mjs';

const server = await Server.start({REPLISTREAM_AUTH_CLOCK_SKEW: 'PT0S'});
after(() => server.stop());

const POISON = {
  'a mutator that the server does not have': tab => tab.mutate.unknown({key: 'poison'}),
  'a value that is too large': tab => tab.mutate.put({key: 'poison', value: 'x'.repeat(1_100_000)}),
  'arguments of the wrong kind': tab => tab.mutate.put({key: 'poison', room: {no: 'room'}, value: 1}),
  'a room that does not exist': tab => tab.mutate.put({key: 'poison', room: 'nowhere', value: 1}),
  'a mutator that rejects after it wrote': tab => tab.mutate.putThenReject({key: 'poison'}),
  'a mutator that fails after it wrote': tab => tab.mutate.putThenFail({key: 'poison'}),
};

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
