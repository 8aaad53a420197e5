import assert from 'node:assert/strict';
import {once} from 'node:events';
import {after, afterEach, test} from 'node:test';

import {WebSocket} from 'ws';

import {ReplicacheSSE} from '../../main/js/replistream.js';
import {realFetch} from './network.mjs';
import {Proxy} from './proxy.mjs';
import {Server, token} from './server.mjs';
import {eventually} from './waiting.mjs';

const server = await Server.start({
  REPLISTREAM_STREAM_MAX_CONNECTIONS_PER_USER: '2',
  REPLISTREAM_STREAM_PING_INTERVAL: 'PT1S',
  REPLISTREAM_STREAM_RETRY: 'PT0.2S',
  REPLISTREAM_STREAM_DRAIN: 'PT0.5S',
});
after(() => server.stop());

const open = [];
afterEach(() => open.splice(0).forEach(each => each.stop()));

async function startProxy() {
  const proxy = await Proxy.start(server);
  open.push(proxy);
  return proxy;
}

/** The client module as a page has it, whose events and pulls are kept. */
class Client {
  events = [];
  pulls = 0;

  constructor(url, user, options = {}) {
    this.sse = new ReplicacheSSE({
      url,
      auth: () => token(user),
      replicache: {pull: () => this.pulls++},
      connectTimeout: 1_000,
      pingInterval: 1_000,
      ...options,
      environment: {fetch: realFetch, WebSocket, random: () => 0.01},
    });
    for (const type of ['connected', 'sync', 'offline', 'expired']) {
      this.sse.addEventListener(type, ({detail}) => this.events.push({type, ...detail}));
    }
    this.sse.connect();
    open.push(this);
  }

  stop() {
    this.sse.disconnect();
  }

  of(type) {
    return this.events.filter(event => event.type === type);
  }

  async hears(type, count = 1) {
    const what = () => `${count} ${type} in ${JSON.stringify(this.events)}`;
    await eventually(what, () => this.of(type).length >= count);
    return this.of(type)[count - 1];
  }
}

async function poke(user) {
  const answer = await realFetch(`${server.url}/poke-user`, {
    method: 'POST',
    headers: {Authorization: `Bearer ${token(user)}`},
  });
  return (await answer.json()).clientsNotified;
}

/** A WebSocket of `ws`, another implementation of the standard, with what it saw. */
function openSocket(user, query = '', options = {}) {
  const socket = new WebSocket(`${server.url.replace(/^http/, 'ws')}/ws${query}`, {
    headers: {Authorization: `Bearer ${token(user)}`},
    ...options,
  });
  socket.frames = [];
  socket.onmessage = ({data}) => socket.frames.push(data);
  socket.closed = new Promise(resolve => {
    socket.onclose = ({code, reason, wasClean}) => resolve({code, reason, wasClean});
  });
  socket.onerror = () => {}; // `closed` says how it ended
  socket.stop = () => socket.terminate();
  open.push(socket);
  return socket;
}

for (const streams of ['hold', 'refuse']) {
  test(`behind a proxy that does ${streams} streams the client syncs over a WebSocket with a ticket`, async () => {
    const proxy = await startProxy();
    proxy.streams = streams;
    const client = new Client(proxy.url, streams);
    const {transport, id} = await client.hears('connected');
    assert.equal(transport, 'websocket');
    assert.match(id, /^[0-9a-f]{8}-\d+$/);
    await eventually('a pull', () => client.pulls === 1);
    for (let i = 1; i <= 3; i++) {
      assert.equal(await poke(streams), 1);
      await client.hears('sync', i);
      await eventually('its pull', () => client.pulls === 1 + i);
    }

    const [{query, authorization}] = proxy.requestsFor('ws');
    assert.match(query.ticket, /^[\w-]{32}$/);
    assert.equal(authorization, undefined);
    assert.equal(proxy.requestsFor('stream').length, 3);
    assert.deepEqual(client.of('offline').map(({reason}) => reason), Array(3).fill(streams === 'hold' ? 'timeout' : 'refused'));
  });
}

test('where there are neither streams nor WebSockets it goes on trying, and takes what comes first', async () => {
  const proxy = await startProxy();
  proxy.streams = 'refuse';
  proxy.webSockets = false;
  const client = new Client(proxy.url, 'neither');
  await eventually('both were tried', () => proxy.requestsFor('ws').length >= 1 && proxy.requestsFor('stream').length >= 4);
  assert.deepEqual(client.of('connected'), []);

  proxy.webSockets = true;
  assert.equal((await client.hears('connected')).transport, 'websocket');
});

test('a client that lost its WebSocket is told of what it missed, once, and of nothing else', async () => {
  const proxy = await startProxy();
  const client = new Client(proxy.url, 'lost', {transports: ['websocket']});
  await client.hears('connected');
  await poke('lost');
  const {id} = await client.hears('sync');

  proxy.cut();
  assert.equal((await client.hears('connected', 2)).id, id);
  await poke('lost');
  await client.hears('sync', 2);
  assert.equal(client.of('sync').length, 2, 'no sync for what it knew');

  proxy.webSockets = false;
  proxy.cut();
  await client.hears('offline', 2);
  await poke('lost');
  await poke('lost');
  proxy.webSockets = true;
  await client.hears('connected', 3);
  await client.hears('sync', 3);
  await poke('lost');
  await client.hears('sync', 4);
  assert.equal(client.of('sync').length, 4, 'one sync for two pokes');
  assert.equal(proxy.requestsFor('ws').at(-1).query.lastEventId, client.of('sync')[1].id);
});

test('a server that drains sends its WebSockets away, and they come back to the next', async () => {
  const client = new Client(server.url, 'drain', {transports: ['websocket']});
  const socket = openSocket('drain');
  await client.hears('connected');
  await eventually('connected', () => socket.frames.includes('connected'));

  await server.drain();
  const {code, reason, wasClean} = await socket.closed;
  assert.deepEqual({code, wasClean}, {code: 1001, wasClean: true});
  assert.match(reason, /^retry: \d+$/);
  const {delay, final} = await client.hears('offline');
  assert.equal(final, false);
  assert.ok(delay >= 200, `${delay} ms`);

  await server.restart();
  await client.hears('connected', 2);
  await poke('drain');
  await client.hears('sync');
  assert.equal(client.of('sync').length, 1, 'a clean restart lets nobody miss anything');
});

test('a client over the limit comes in as soon as there is room', async () => {
  const [first, second] = [openSocket('limit'), openSocket('limit')];
  await eventually('both are in', () => first.frames.length > 0 && second.frames.length > 0);
  const third = openSocket('limit');
  const [, {statusCode}] = await once(third, 'unexpected-response');
  assert.equal(statusCode, 429, 'which a caller who sent a header may read');
  const client = new Client(server.url, 'limit', {transports: ['websocket']});
  const {reason, delay} = await client.hears('offline');
  assert.equal(reason, 'refused');
  assert.ok(delay >= 200, `${delay} ms`);

  first.close(1000, 'enough');
  assert.deepEqual(await first.closed, {code: 1000, reason: '', wasClean: true});
  await client.hears('connected');
});

test('another implementation of WebSockets finds nothing wrong', async () => {
  const socket = openSocket('ws', '?lastEventId=');
  await eventually('connected', () => /^connected \S+$/.test(socket.frames[0]));
  const pongs = [];
  socket.on('pong', data => pongs.push(String(data)));
  socket.ping('');
  socket.ping('x'.repeat(125));
  socket.send('a message in two', {fin: false});
  socket.ping('between');
  socket.send(' fragments', {fin: true});
  socket.pong('nobody asked');
  await poke('ws');
  await eventually('sync', () => /^sync \S+$/.test(socket.frames.at(-1)));
  await eventually('the last ping is answered', () => pongs.at(-1) === 'between');
  await eventually('ping', () => socket.frames.includes('ping'));

  socket.close(4000, 'a reason');
  assert.deepEqual(await socket.closed, {code: 4000, reason: '', wasClean: true});
});

test('it asks for no compression and takes none', async () => {
  const socket = openSocket('plain', '', {perMessageDeflate: true});
  await eventually('connected', () => socket.frames[0] === 'connected');
  assert.equal(socket.extensions, '');

  socket.send('x'.repeat(2_000));
  assert.deepEqual(await socket.closed, {code: 1009, reason: '', wasClean: true});
});
