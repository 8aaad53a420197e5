import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {Locks, PokeServer, aWhile, eventually, pause, tokenOf} from './support.js';

let server;
let browser;

beforeEach(async () => {
  server = await PokeServer.start();
  browser = new Locks();
});

afterEach(() => server.close());

function open({environment, ...options} = {}) {
  return server.open({...options, environment: {locks: browser, ...environment}});
}

async function openConnected(count, options) {
  const opened = Array.from({length: count}, () => open(options));
  await Promise.all(opened.map(tab => tab.heard('connected')));
  return opened;
}

const counts = (some, of) => some.map(of);

test('eight tabs hold one stream, and all hear and pull once', async () => {
  const eight = await openConnected(8);
  await aWhile();
  assert.equal(server.requests.length, 1);
  assert.deepEqual(counts(eight, tab => tab.pulls), Array(8).fill(1));
  assert.equal(eight.filter(tab => tab.of('connected')[0].holder).length, 1);

  server.poke();
  server.say('data: ping\n\n');
  await Promise.all(eight.map(tab => tab.heard('sync')));
  await aWhile();

  assert.deepEqual(counts(eight, tab => tab.pulls), Array(8).fill(2));
  assert.deepEqual(new Set(eight.map(tab => tab.of('sync')[0].id)), new Set(['7f3a-1']));
});

test('a tab that comes later is told that the stream is connected, and nobody else is', async () => {
  const [first, second] = await openConnected(2);
  await aWhile();
  const [third] = await openConnected(1);
  await aWhile();

  assert.deepEqual(counts([first, second, third], tab => tab.pulls), [1, 1, 1]);
  assert.deepEqual(counts([first, second, third], tab => tab.of('connected').length), [1, 1, 1]);
  assert.equal(server.requests.length, 1);
});

test('a tab that comes while there is no stream waits for it', async () => {
  server.answerNext(PokeServer.silent);
  const first = open();
  await eventually('a stream', () => server.streams.size === 1);
  const second = open();
  await aWhile();
  assert.deepEqual(second.events, []);
  server.say('data: connected\n\n');
  await second.pulled(1);
  await aWhile();

  assert.deepEqual(counts([first, second], tab => tab.pulls), [1, 1]);
});

test('a tab that comes while the server is away for long is told so, and waits too', async () => {
  const timing = {pingInterval: 100, connectTimeout: 1_000, environment: {random: () => 0}};
  server.answerNext(PokeServer.status(503, {'Retry-After': '2'}));
  const first = open(timing);
  await first.heard('offline');
  const second = open(timing);
  const {delay, holder} = await second.heard('offline');
  assert.deepEqual({delay, holder}, {delay: 2_000, holder: false});
  await second.heard('connected');

  assert.equal(server.requests.length, 2);
  assert.equal(first.of('offline').length, 1);
});

test('when the holder closes another takes over with the last id, and each tab pulls once', async () => {
  const [holder, second, third] = await openConnected(3);
  await Promise.all([second, third].map(tab => tab.pulled(1)));
  server.poke();
  await third.pulled(2);
  await second.pulled(2);
  holder.sse.disconnect();
  server.pokes++; // one that nobody hears
  await Promise.all([second, third].map(tab => tab.heard('connected', 2)));
  await aWhile();

  assert.equal(server.requests.length, 2);
  assert.equal(server.requests[1].lastEventId, '7f3a-1');
  assert.equal(server.streams.size, 1);
  assert.deepEqual(counts([second, third], tab => tab.pulls), [3, 3]);
  assert.deepEqual([second, third].map(tab => tab.of('connected')[1].holder).sort(), [false, true]);
});

test('tabs take over one after the other', async () => {
  const four = await openConnected(4);
  for (const [i, tab] of four.entries()) {
    tab.sse.disconnect();
    const rest = four.slice(i + 1);
    await Promise.all(rest.map(each => each.heard('connected', i + 2)));
    server.poke();
    await Promise.all(rest.map(each => each.heard('sync', i + 1)));
  }

  assert.equal(server.requests.length, 4);
});

test('a holder that freezes gives the stream away, and catches up once after', async () => {
  const [holder, second] = await openConnected(2);
  await holder.pulled(1);
  holder.document.dispatchEvent(new Event('freeze'));
  await second.heard('connected', 2);
  server.poke();
  await second.heard('sync');
  await aWhile();
  assert.equal(holder.pulls, 1);
  assert.equal(holder.of('sync').length, 0);

  holder.document.dispatchEvent(new Event('resume'));
  await holder.pulled(2);
  await aWhile();

  assert.equal(holder.pulls, 2);
  assert.equal(holder.of('connected')[1].holder, false);
  assert.equal(server.streams.size, 1);
});

test('a holder that hangs loses the stream to one that does not, and comes back as one of the others', async () => {
  class Channel extends BroadcastChannel {
    static hangs = false;

    postMessage(message) {
      if (!Channel.hangs) {
        super.postMessage(message);
      }
    }
  }
  const timing = {pingInterval: 400, connectTimeout: 1_000};
  const ping = setInterval(() => server.say('data: ping\n\n'), 50);
  try {
    const [holder] = await openConnected(1, {...timing, environment: {BroadcastChannel: Channel}});
    const others = await openConnected(3, timing);
    await pause(3_000); // longer than they are patient
    assert.equal(server.requests.length, 1, 'pings did not keep the others patient');

    Channel.hangs = true;
    await Promise.all(others.map(tab => tab.heard('connected', 2)));
    Channel.hangs = false;
    server.poke();
    await Promise.all([holder, ...others].map(tab => tab.heard('sync')));
    await eventually('one stream', () => server.streams.size === 1);
    await aWhile();

    assert.equal(holder.events.at(-1).holder, false);
    const connections = server.requests.length;
    await pause(3_000);
    assert.equal(server.requests.length, connections, 'the tabs are at rest');
  } finally {
    clearInterval(ping);
  }
});

test('the server restarts, and all tabs recover with one pull each', async () => {
  const three = await openConnected(3);
  await Promise.all(three.map(tab => tab.pulled(1)));
  await server.stop();
  await Promise.all(three.map(tab => tab.heard('offline', 2)));
  server.answerNext((response, server) => {
    PokeServer.stream(response, server);
    server.poke(); // the epoch is another, so there is one sync
  });
  await server.resume();
  await Promise.all(three.map(tab => tab.heard('sync')));
  await aWhile();

  assert.deepEqual(counts(three, tab => tab.pulls), [2, 2, 2]);
  assert.equal(server.streams.size, 1);
});

test('tabs wait with their holder for a server that is away for long', async () => {
  const timing = {pingInterval: 100, connectTimeout: 1_000, environment: {random: () => 0}};
  server.answerNext(PokeServer.status(503, {'Retry-After': '2'}));
  const three = Array.from({length: 3}, () => open(timing));
  await Promise.all(three.map(tab => tab.heard('offline')));
  await aWhile();
  assert.equal(server.requests.length, 1);
  await Promise.all(three.map(tab => tab.heard('connected')));

  assert.equal(server.requests.length, 2);
});

test('a token is renewed for all, without an offline', async () => {
  const lives = [3];
  const holder = open({auth: () => tokenOf('alice', lives.pop() ?? 3600)});
  await holder.heard('connected');
  const [other] = await openConnected(1);
  await other.heard('connected', 2);
  server.poke();
  await other.heard('sync');

  assert.equal(server.requests.length, 2);
  assert.deepEqual([...holder.of('offline'), ...other.of('offline')], []);
});

test('users, and servers, have streams of their own', async () => {
  const alice = open();
  const bob = open({auth: tokenOf('bob')});
  const elsewhere = open({url: `${server.url}/other`});
  await Promise.all([alice, bob, elsewhere].map(tab => tab.heard('connected')));

  assert.equal(server.streams.size, 3);
});

test('a tab whose user changes leaves the others', async () => {
  let sub = 'alice';
  const changing = open({auth: () => tokenOf(sub, sub === 'alice' ? 3 : 3600)});
  await changing.heard('connected');
  const [alice] = await openConnected(1);
  sub = 'bob';
  await changing.heard('connected', 2);
  await alice.heard('connected', 2);

  assert.ok(changing.of('connected')[1].holder && alice.of('connected')[1].holder);
  assert.equal(server.streams.size, 2);
});

test('tokens that are no JWT share a stream when they say whose it is', async () => {
  await openConnected(2, {auth: 'opaque'});
  assert.equal(server.streams.size, 2);
  await openConnected(2, {auth: 'opaque', user: 'alice'});

  assert.equal(server.streams.size, 3);
});

test('a final answer to one tab leaves it to the others to find out', async () => {
  const [holder, other] = await openConnected(2);
  server.answerNext(PokeServer.status(401), PokeServer.stream);
  server.end();
  await holder.heard('expired');
  await other.heard('connected', 2);

  assert.deepEqual(other.of('expired'), []);
  assert.equal(server.streams.size, 1);
});

test('without locks, without channels, or where they are refused, each tab has its own stream', async () => {
  const refusing = {request: async () => Promise.reject(new DOMException('no', 'SecurityError'))};
  for (const environment of [{locks: undefined}, {BroadcastChannel: undefined}, {locks: refusing}]) {
    const two = await openConnected(2, {environment});
    assert.equal(server.streams.size, 2);
    server.poke();
    await Promise.all(two.map(tab => tab.heard('sync')));
    two.forEach(tab => tab.sse.disconnect());
    await eventually('no stream', () => server.streams.size === 0);
  }
});

test('a tab that waits leaves without a trace', async () => {
  const [holder, waiting] = await openConnected(2);
  waiting.sse.disconnect();
  waiting.sse.disconnect();
  server.poke();
  await holder.heard('sync');
  holder.sse.disconnect();
  await eventually('no stream', () => server.streams.size === 0);
  await aWhile();

  assert.equal(waiting.of('sync').length, 0);
  assert.equal(server.requests.length, 1);
});
