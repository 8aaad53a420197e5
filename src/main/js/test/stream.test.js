import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {PokeServer, Tab, aWhile, eventually, pause, tokenOf} from './support.js';

let server;

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(() => server.close());

const open = options => server.open(options);

test('it pulls once when connected, once for each sync, and never for a ping', async () => {
  const tab = open();
  await tab.pulled(1);
  assert.deepEqual(await tab.heard('connected'), {type: 'connected', id: '7f3a-0', transport: 'fetch', holder: true});
  server.say('data: ping\n\n');
  await aWhile();
  assert.equal(tab.pulls, 1);

  server.poke();
  await tab.pulled(2);
  server.poke();
  await tab.pulled(3);
  server.say('data: ping\n\ndata: other\n\nevent: sync\ndata: sync\n\n');
  await aWhile();

  assert.equal(tab.pulls, 3);
  assert.deepEqual(tab.of('sync').map(({id}) => id), ['7f3a-1', '7f3a-2']);
  assert.equal(server.requests.length, 1);
});

test('a sync that follows connected at once is one pull with it', async () => {
  server.answerNext((response, server) => {
    PokeServer.stream(response, server);
    server.poke();
  });
  const tab = open();
  await tab.heard('sync');
  await aWhile();

  assert.deepEqual(tab.puller.pulls, [{now: true}]);
});

test('syncs during a pull are one pull more', async () => {
  const tab = open();
  await tab.pulled(1);
  let release;
  tab.puller.gate = new Promise(resolve => (release = resolve));
  for (let i = 0; i < 5; i++) {
    server.poke();
  }
  await tab.heard('sync', 5);
  assert.equal(tab.pulls, 2);
  release();
  await tab.pulled(3);
  await aWhile();

  assert.equal(tab.pulls, 3);
});

test('a pull that hangs since the server was away does not keep the next connected from pulling', async () => {
  const tab = open();
  await tab.pulled(1);
  tab.puller.gate = new Promise(() => {});
  server.poke();
  await tab.pulled(2);
  server.end();
  await tab.pulled(3);

  assert.deepEqual(tab.puller.pulls.at(-1), {now: true});
});

test('a hidden tab leaves it to Replicache when to pull', async () => {
  const document = Object.assign(new EventTarget(), {visibilityState: 'hidden'});
  const tab = open({environment: {document}});
  await tab.pulled(1);

  assert.equal(tab.puller.pulls[0], undefined);
});

test('the application may pull, and a pull that fails harms nobody', async () => {
  const tab = open();
  await tab.pulled(1);
  tab.puller.gate = Promise.reject(new Error('closed'));
  tab.sse.handleSync();
  tab.sse.handleSync();
  await tab.pulled(3);
  tab.puller.pull = () => {
    throw new Error('closed');
  };
  server.poke();
  await tab.heard('sync');
});

test('events come without a Replicache too', async () => {
  const tab = open({replicache: undefined});
  await tab.heard('connected');
  server.poke();
  await tab.heard('sync');
  tab.sse.handleSync();
});

test('it sends the token, with or without its prefix', async () => {
  const auth = tokenOf('alice');
  open({auth: `Bearer ${auth}`});
  open({auth: async () => auth});
  await eventually('two requests', () => server.requests.length === 2);

  assert.deepEqual(server.requests.map(({authorization}) => authorization), [`Bearer ${auth}`, `Bearer ${auth}`]);
});

test('the address may be that of the stream', async () => {
  const tab = open({url: `${server.url}/events`});
  await tab.heard('connected');

  assert.match(server.requests[0].path, /\/replicache\/events$/);
});

test('it comes back after the end of a stream, with the last id, and pulls once', async () => {
  const tab = open();
  await tab.pulled(1);
  server.poke();
  await tab.pulled(2);
  server.say('data: ping\n\n');
  server.end();
  await tab.pulled(3);
  await aWhile();

  assert.deepEqual(server.requests.map(({lastEventId}) => lastEventId), [undefined, '7f3a-1']);
  assert.equal(tab.pulls, 3);
  assert.equal((await tab.heard('offline')).reason, 'ended');
});

test('an id of any characters is sent as UTF-8', async () => {
  const tab = open();
  await tab.heard('connected');
  server.say('id: ü€\ndata: sync\n\n');
  await tab.heard('sync');
  server.end();
  await tab.heard('connected', 2);

  assert.equal(Buffer.from(server.requests[1].lastEventId, 'latin1').toString(), 'ü€');
});

test('it recovers when the server restarts', async () => {
  const tab = open();
  await tab.pulled(1);
  await server.stop();
  await tab.heard('offline', 3);
  await server.resume();
  await tab.pulled(2);
  await aWhile();

  assert.equal(tab.pulls, 2);
  assert.equal(tab.of('connected').length, 2);
});

test('the wait is random up to the retry of the server, and doubles up to 30 seconds', async () => {
  server.retry = 9;
  const tab = open({environment: {random: () => 0.5}});
  await tab.heard('connected');
  await server.stop();
  await tab.heard('offline', 6);

  assert.deepEqual(tab.of('offline').map(({delay}) => delay).slice(0, 6), [4.5, 9, 18, 36, 72, 144]);

  server.retry = 20_000;
  await server.resume();
  await tab.heard('connected', 2);
  await server.stop();
  const last = (await eventually('offline', () => tab.events.at(-1).type === 'offline' && tab.events.at(-1)));
  assert.equal(last.delay, 15_000);
});

test('before the server said anything it waits up to two seconds', async () => {
  server.answerNext(PokeServer.status(502));
  const tab = open({environment: {random: () => 0.999}});
  const {delay, reason, status, final} = await tab.heard('offline');

  assert.deepEqual({delay, reason, status, final}, {delay: 1_998, reason: 'refused', status: 502, final: false});
});

test('an end soon after connected is a failure like others', async () => {
  const tab = open({environment: {random: () => 0.5}});
  for (let i = 1; i <= 4; i++) {
    await tab.heard('connected', i);
    server.end();
  }
  await tab.heard('offline', 4);

  assert.deepEqual(tab.of('offline').map(({delay}) => delay), [2.5, 5, 10, 20]);
});

test('after a stream that lived for five seconds the wait is short again', async () => {
  server.retry = 8;
  const tab = open({pingInterval: 10_000, environment: {random: () => 0.5}});
  await tab.heard('connected');
  server.end();
  await tab.heard('connected', 2);
  server.end();
  await tab.heard('connected', 3);
  await pause(5_000);
  server.end();
  await tab.heard('connected', 4);

  assert.deepEqual(tab.of('offline').map(({delay}) => delay), [4, 8, 4]);
});

for (const [status, headers, least] of [
  [429, {'Retry-After': '1'}, 1_000],
  [503, {'Retry-After': '7'}, 7_000],
  [503, {'Retry-After': 'in a minute'}, 50_000],
  [503, {'Retry-After': new Date(0).toUTCString()}, 0],
  [503, {'Retry-After': 'soon'}, 0],
  [503, {'Retry-After': '999999999'}, 3_600_000],
]) {
  test(`${status} with Retry-After: ${headers['Retry-After']} waits at least as long`, async () => {
    const value = headers['Retry-After'];
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    server.answerNext(PokeServer.status(status, {'Retry-After': value === 'in a minute' ? inAMinute : value}));
    const tab = open();
    const {delay} = await tab.heard('offline');

    assert.ok(delay >= least && delay <= Math.max(least + 2_000, 62_000), `${delay}`);
  });
}

test('Retry-After is really waited for', async () => {
  server.answerNext(PokeServer.status(429, {'Retry-After': '1'}));
  const tab = open({environment: {random: () => 0}});
  await tab.heard('offline');
  const begin = Date.now();
  await tab.heard('connected');

  assert.ok(Date.now() - begin > 900);
});

for (const status of [204, 400, 403, 404, 410]) {
  test(`${status} is final until connect is called again`, async () => {
    server.answerNext(PokeServer.status(status));
    const tab = open();
    const {reason, final} = await tab.heard('offline');
    await aWhile();

    assert.deepEqual({reason, final, requests: server.requests.length}, {reason: status === 204 ? 'stopped' : 'refused', final: true, requests: 1});
    tab.sse.connect();
    await tab.heard('connected');
  });
}

for (const status of [404, 405, 421]) {
  test(`${status} is tried again where a stream has been open, as from a proxy during a deploy`, async () => {
    const tab = open({environment: {random: () => 0}});
    await tab.heard('connected');
    server.answerNext(...Array(6).fill(PokeServer.status(status)));
    server.end();
    await tab.heard('connected', 2);

    const refused = tab.of('offline').slice(1).map(({reason, status, final}) => ({reason, status, final}));
    const count = status === 421 ? 3 : 6; // fetch itself asks once more after each 421
    assert.deepEqual(refused, Array(count).fill({reason: 'refused', status, final: false}));
  });
}

for (const status of [204, 400, 403, 410]) {
  test(`${status} is final where a stream has been open, too`, async () => {
    const tab = open({environment: {random: () => 0}});
    await tab.heard('connected');
    server.answerNext(PokeServer.status(status));
    server.end();
    await eventually('final', () => tab.events.at(-1).final);
    await aWhile();

    assert.equal(server.requests.length, 2);
  });
}

for (const status of [408, 425, 500, 502, 504]) {
  test(`${status} is tried again`, async () => {
    server.answerNext(PokeServer.status(status));
    const tab = open({environment: {random: () => 0}});
    await tab.heard('connected');
  });
}

test('a page in place of a stream is a failure', async () => {
  server.answerNext(response => response.writeHead(200, {'Content-Type': 'text/html'}).end('<p>sign in'));
  const tab = open({environment: {random: () => 0}});
  await tab.heard('connected');

  assert.equal(tab.of('offline')[0].reason, 'not-a-stream');
});

test('a stream that is silent for two and a half ping intervals is dead', async () => {
  const tab = open({pingInterval: 600});
  await tab.heard('connected');
  const begin = Date.now();
  for (let i = 0; i < 20; i++) {
    await pause(100);
    server.say('data: ping\n\n');
  }
  await tab.heard('connected', 2);

  assert.equal(tab.of('offline').length, 1);
  assert.equal(tab.of('offline')[0].reason, 'silent');
  assert.ok(Date.now() - begin >= 3_000, 'pings did not keep it alive');
});

test('an answer that something on the way holds back is a failure', async () => {
  server.answerNext(PokeServer.silent);
  const tab = open({connectTimeout: 200});
  const padding = setInterval(() => server.say(': padding\n\n'), 50);
  await tab.heard('connected').finally(() => clearInterval(padding));

  assert.equal(tab.of('offline')[0].reason, 'timeout');
  assert.equal(server.streams.size, 1, 'the held back stream is left');
});

test('a request that is never answered is a failure', async () => {
  server.answerNext(() => {});
  const tab = open({connectTimeout: 100});
  await tab.heard('connected');

  assert.equal(tab.of('offline')[0].reason, 'timeout');
});

test('an event that is not finished when the stream ends never happened', async () => {
  const tab = open();
  await tab.pulled(1);
  server.say('id: 9\ndata: sync\n');
  server.end();
  await tab.heard('connected', 2);

  assert.equal(tab.of('sync').length, 0);
  assert.equal(server.requests[1].lastEventId, '7f3a-0');
});

test('nothing is left after disconnect, which may be called twice, and connect works again', async () => {
  const tab = open();
  await tab.heard('connected');
  tab.sse.connect();
  tab.sse.disconnect();
  tab.sse.disconnect();
  await eventually('no stream', () => server.streams.size === 0);
  await aWhile();
  assert.equal(tab.pulls, 0);
  assert.equal(tab.of('offline').length, 0);

  tab.sse.connect();
  await tab.pulled(1);
  await aWhile();
  assert.equal(server.requests.length, 2);
});

test('disconnect ends a wait, a request, and the question for a token', async () => {
  const waiting = open({auth: tokenOf('a')});
  await waiting.heard('connected');
  server.retry = 60_000;
  server.answerNext(PokeServer.status(503, {'Retry-After': '60'}), () => {});
  const refused = open({auth: tokenOf('b')});
  await refused.heard('offline');
  refused.sse.disconnect();
  const requesting = open({auth: tokenOf('c')});
  await eventually('the request', () => server.requests.length === 3);
  requesting.sse.disconnect();
  let give;
  const asking = open({auth: () => new Promise(resolve => (give = resolve))});
  await eventually('the question', () => give);
  asking.sse.disconnect();
  give(tokenOf('d'));
  await aWhile();

  assert.equal(server.requests.length, 3);
  assert.equal(server.streams.size, 1);
  assert.deepEqual([...requesting.events, ...asking.events], []);
});

test('a listener may disconnect, and hears no more', async () => {
  server.answerNext((response, server) => {
    PokeServer.silent(response, server);
    response.write('data: connected\n\ndata: sync\n\n');
  });
  const tab = server.tab();
  tab.sse.addEventListener('connected', () => tab.sse.disconnect());
  tab.sse.connect();
  await tab.heard('connected');
  await aWhile();

  assert.equal(tab.pulls, 0);
  assert.equal(tab.of('sync').length, 0);
  assert.equal(server.streams.size, 0);
});

test('no address, or no transport, is told at once', () => {
  assert.throws(() => new Tab({url: '/relative'}), TypeError);
  assert.throws(() => new Tab(server, {transports: ['eventsource'], environment: {EventSource: undefined}}), TypeError);
});
