import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {PokeServer, aWhile, eventually, pause, token, tokenOf} from './support.js';

let server;

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(() => server.close());

const open = options => server.open(options);

/** Gives tokens that last so many seconds, and counts them. */
function tokens(...seconds) {
  const given = [];
  const auth = async () => {
    given.push(tokenOf('alice', seconds[Math.min(given.length, seconds.length - 1)]));
    return given.at(-1);
  };
  return {auth, given};
}

const sent = () => server.requests.map(({authorization}) => authorization.replace('Bearer ', ''));

test('a refused token is replaced by a fresh one at once', async () => {
  server.answerNext(PokeServer.status(401));
  const {auth, given} = tokens(3600);
  const tab = open({auth, environment: {random: () => 1}});
  await tab.heard('connected');

  assert.deepEqual(sent(), given);
  assert.equal(given.length, 2);
  assert.deepEqual(tab.of('offline'), []);
});

test('a token is kept as long as it is good', async () => {
  const {auth, given} = tokens(3600);
  const tab = open({auth});
  await tab.heard('connected');
  server.end();
  await tab.heard('connected', 2);

  assert.equal(given.length, 1);
});

test('a second refusal in a row is the end, until connect is called again', async () => {
  server.answerNext(PokeServer.status(401), PokeServer.status(401));
  const {auth, given} = tokens(3600);
  const tab = open({auth});
  const {reason, status, final} = await tab.heard('expired');
  await aWhile();
  assert.deepEqual({reason, status, final}, {reason: 'refused', status: 401, final: true});
  assert.equal(server.requests.length, 2);

  tab.sse.connect();
  await tab.heard('connected');
  assert.equal(given.length, 3);
});

test('refusals with a stream between them are not in a row', async () => {
  server.answerNext(PokeServer.status(401), PokeServer.stream, PokeServer.status(401), PokeServer.stream);
  const tab = open({auth: tokens(3600).auth});
  await tab.heard('connected');
  server.end();
  await tab.heard('connected', 2);

  assert.deepEqual(tab.of('expired'), []);
});

test('a token that can not be replaced is refused once', async () => {
  server.answerNext(PokeServer.status(401));
  const tab = open({auth: tokenOf('alice')});
  await tab.heard('expired');

  assert.equal(server.requests.length, 1);
});

for (const nothing of [undefined, null, '', 'Bearer ']) {
  test(`no token (${nothing}) means that nobody is signed in`, async () => {
    const tab = open({auth: () => nothing});

    assert.equal((await tab.heard('expired')).reason, 'signed-out');
    assert.equal(server.requests.length, 0);
  });
}

test('an auth that fails is asked again', async () => {
  let calls = 0;
  const auth = () => {
    if (++calls < 3) {
      throw new Error('the network');
    }
    return tokenOf('alice');
  };
  const tab = open({auth, environment: {random: () => 0}});
  await tab.heard('connected');

  assert.deepEqual(tab.of('offline').map(({reason}) => reason), ['auth', 'auth']);
});

test('an auth that fails for a fresh token is asked again', async () => {
  server.answerNext(PokeServer.status(401));
  let calls = 0;
  const auth = async () => {
    if (++calls === 2) {
      throw new Error('the network');
    }
    return tokenOf('alice');
  };
  const tab = open({auth, environment: {random: () => 0}});
  await tab.heard('connected');

  assert.equal(calls, 3);
});

test('before its token ends a stream is followed by one with a fresh token, and the old one lives until then', async () => {
  const {auth, given} = tokens(3, 3600);
  let mostStreams = 0;
  const tab = open({auth});
  await tab.heard('connected');
  server.poke();
  server.answerNext((response, server) => {
    PokeServer.silent(response, server);
    setTimeout(() => server.poke(), 50); // only the old stream is connected
    setTimeout(() => response.write(`id: 7f3a-${server.pokes}\ndata: connected\n\n`), 150);
    mostStreams = server.streams.size;
  });
  await tab.heard('connected', 2);
  await eventually('the old one is closed', () => server.streams.size === 1);

  assert.equal(mostStreams, 2);
  assert.deepEqual(sent(), given);
  assert.equal(server.requests[1].lastEventId, '7f3a-1');
  assert.ok(tab.of('sync').some(({id}) => id === '7f3a-2'), 'the poke between the two is missed');
  assert.deepEqual(tab.of('offline'), []);
  await aWhile();
  assert.equal(server.requests.length, 2);
});

test('each token is renewed', async () => {
  const {auth, given} = tokens(0.5);
  const tab = open({auth});
  await tab.heard('connected', 4);

  assert.deepEqual(tab.of('offline'), []);
  assert.deepEqual(sent().slice(0, 4), given.slice(0, 4));
});

test('an auth that gives the same token again is not asked again and again', async () => {
  let calls = 0;
  const last = tokenOf('alice', 0.5);
  const tab = open({auth: () => (calls++, last)});
  await eventually('the question', () => calls === 2);
  await aWhile();

  assert.equal(calls, 2);
  assert.equal(server.requests.length, 1);
  assert.equal(tab.of('offline').length, 0);
});

test('a token that outlives the longest timer is not renewed early', async () => {
  const {auth, given} = tokens(3e10);
  const tab = open({auth});
  await tab.heard('connected');
  await aWhile();

  assert.equal(given.length, 1);
});

test('a renewal that fails leaves the stream alone', async () => {
  const {auth} = tokens(2, 3600);
  const tab = open({auth});
  await tab.heard('connected');
  server.answerNext(PokeServer.status(503));
  await eventually('the renewal', () => server.requests.length === 2);
  server.poke();
  await tab.heard('sync');
  await aWhile();

  assert.equal(server.streams.size, 1);
  assert.deepEqual(tab.of('offline'), []);
});

test('disconnect during a renewal ends both streams', async () => {
  const tab = open({auth: tokens(2, 3600).auth});
  await tab.heard('connected');
  server.answerNext(PokeServer.silent);
  await eventually('two streams', () => server.streams.size === 2);
  tab.sse.disconnect();

  await eventually('no stream', () => server.streams.size === 0);
});

test('a token that ended by the clock of this machine is sent, since the clock may be wrong', async () => {
  let calls = 0;
  const auth = () => {
    calls++;
    return tokenOf('alice', -600);
  };
  const tab = open({auth});
  await tab.heard('connected');
  await aWhile();

  assert.equal(server.requests.length, 1);
  assert.equal(calls, 1);
});

for (const [name, text] of [
  ['opaque', 'opaque'],
  ['with three parts that are no JWT', 'a.b.c'],
  ['with a payload that is no object', `x.${Buffer.from('7').toString('base64url')}.y`],
  ['without exp', token({sub: 'alice'})],
  ['with exp of another type', token({sub: 'alice', exp: 'tomorrow'})],
  ['that ends in a thousand years', tokenOf('alice', 3e10)],
]) {
  test(`a token ${name} is sent as it is`, async () => {
    const tab = open({auth: text});
    await tab.heard('connected');
    await aWhile();

    assert.deepEqual(sent(), [text]);
  });
}

test('a token that comes after disconnect is not kept', async () => {
  let give;
  let calls = 0;
  const tab = open({auth: () => (++calls === 1 ? new Promise(resolve => (give = resolve)) : 'second')});
  await eventually('the question', () => give);
  tab.sse.disconnect();
  give('first');
  await aWhile();
  tab.sse.connect();
  await tab.heard('connected');

  assert.deepEqual(sent(), ['second']);
});
