import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {EventSourceStandIn, PokeServer, WebSocketStandIn, aWhile, eventually, tokenOf} from './support.js';

let server;

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(async () => {
  await server.close();
  assert.equal(EventSourceStandIn.open.size, 0, 'an EventSource is left');
});

function open({environment, ...options} = {}) {
  return server.open({
    ...options,
    environment: {EventSource: EventSourceStandIn, random: () => 0, ...environment},
  });
}

/** A fetch whose answers have no stream, as on hosts that read them whole. */
const fetchWithoutStreams = async (url, options) => {
  const response = await fetch(url, options);
  if (!url.endsWith('/stream')) {
    return response;
  }
  response.body.cancel();
  return {status: response.status, headers: response.headers};
};

const withoutStreams = {environment: {fetch: fetchWithoutStreams, WebSocket: WebSocketStandIn}};

test('where fetch can not stream, a native EventSource with a ticket does it', async () => {
  const tab = open(withoutStreams);
  const {transport, id} = await tab.heard('connected');
  await tab.pulled(1);
  server.poke();
  await tab.pulled(2);

  assert.equal(transport, 'eventsource');
  assert.equal(id, '7f3a-0');
  assert.deepEqual(tab.of('offline'), []);
  const [, ticket, stream] = server.requests;
  assert.match(ticket.path, /\/replicache\/ticket$/);
  assert.equal(ticket.method, 'POST');
  assert.ok(ticket.authorization.startsWith('Bearer '));
  assert.equal(stream.ticket, 'ticket-2');
  assert.equal(stream.authorization, undefined);
});

test('an EventSource that ended is closed, and the next has a new ticket and the last id', async () => {
  const tab = open({transports: ['eventsource']});
  await tab.heard('connected');
  server.poke();
  await tab.heard('sync');
  server.end();
  await tab.heard('connected', 2);
  await aWhile();

  assert.deepEqual(server.requestsFor('/stream').map(({ticket}) => ticket), ['ticket-1', 'ticket-3']);
  assert.equal(server.requestsFor('/stream')[1].lastEventId, '7f3a-1');
  assert.equal(EventSourceStandIn.open.size, 1);
});

test('an EventSource that is refused, by a status or by an empty stream, is followed by another', async () => {
  server.answerNext(
    PokeServer.ticket,
    PokeServer.status(503),
    PokeServer.ticket,
    response => response.writeHead(200, {'Content-Type': 'text/event-stream'}).end('retry: 2000\n\n'),
  );
  const tab = open({transports: ['eventsource']});
  await tab.heard('connected');

  assert.equal(tab.of('offline').length, 2);
  assert.equal(EventSourceStandIn.open.size, 1);
});

test('an EventSource that is silent is dead', async () => {
  const tab = open({transports: ['eventsource'], pingInterval: 100});
  await tab.heard('connected', 2);

  assert.equal(tab.of('offline')[0].reason, 'silent');
});

test('a ticket that is refused means a fresh token', async () => {
  server.answerNext(PokeServer.status(401));
  const given = [];
  const auth = () => (given.push(tokenOf('alice')), given.at(-1));
  const tab = open({auth, transports: ['eventsource']});
  await tab.heard('connected');

  assert.deepEqual(server.requestsFor('/ticket').map(({authorization}) => authorization), given.map(each => `Bearer ${each}`));
});

test('a stream with a ticket is renewed before the token ends too', async () => {
  let seconds = 1;
  const tab = open({auth: () => tokenOf('alice', (seconds *= 500) / 500), transports: ['eventsource']});
  await tab.heard('connected', 2);
  await eventually('one stream', () => server.streams.size === 1);

  assert.deepEqual(tab.of('offline'), []);
});

test('after three failures in a row a WebSocket with a ticket is tried, and stays while it works', async () => {
  const answers = [PokeServer.silent, PokeServer.silent, PokeServer.silent, PokeServer.ticket, PokeServer.socket];
  server.answerNext(...answers);
  const tab = open({connectTimeout: 500, environment: {WebSocket: WebSocketStandIn}});
  const {transport, id} = await tab.heard('connected');
  assert.deepEqual({transport, id}, {transport: 'websocket', id: undefined});
  await tab.pulled(1);
  server.say('ping\n');
  server.say('sync\n');
  await tab.heard('sync');
  await tab.pulled(2);

  server.answerNext(PokeServer.ticket, PokeServer.socket);
  server.end();
  assert.equal((await tab.heard('connected', 2)).transport, 'websocket');
  assert.deepEqual(
    server.requests.map(({path}) => path.replace(/.*\//, '')),
    ['stream', 'stream', 'stream', 'ticket', 'ws', 'ticket', 'ws'],
  );
});

/** Opens a tab over WebSockets alone, the first of which says `frames` and is then open, or closed with a last line. */
function openWebSocket(frames) {
  const saying = (response, server) => {
    PokeServer.silent(response, server);
    response.write(frames);
    if (/^close /m.test(frames)) {
      response.end();
    }
  };
  server.answerNext(PokeServer.ticket, saying, PokeServer.ticket, PokeServer.socket);
  return open({transports: ['websocket'], environment: {WebSocket: WebSocketStandIn}});
}

test('a WebSocket asks for ids, and the next says which was the last', async () => {
  const tab = openWebSocket('connected 7f3a-4\nsync 7f3a-5\nping\n');
  assert.equal((await tab.heard('connected')).id, '7f3a-4');
  assert.equal((await tab.heard('sync')).id, '7f3a-5');
  server.end();
  await tab.heard('connected', 2);

  assert.deepEqual(server.requestsFor('/ws').map(({lastEventId}) => lastEventId), ['', '7f3a-5']);
});

test('a WebSocket that is closed with a time to come back comes not before', async () => {
  const tab = openWebSocket('connected 7f3a-4\nclose 1001 retry: 60\n');
  const begin = Date.now();
  await tab.heard('connected', 2);

  assert.ok(Date.now() - begin >= 60);
  const [{reason, delay, final}] = tab.of('offline');
  assert.deepEqual({reason, delay, final}, {reason: 'ended', delay: 60, final: false});
});

test('a WebSocket that is refused at a limit comes back', async () => {
  const tab = openWebSocket('close 1013 retry: 20\n');
  await tab.heard('connected');

  const [{reason, delay, final}] = tab.of('offline');
  assert.deepEqual({reason, delay, final}, {reason: 'refused', delay: 20, final: false});
});

test('a WebSocket whose token ended is followed by one with a fresh token', async () => {
  const tab = openWebSocket('connected 7f3a-4\nclose 4401 the token has expired\n');
  await tab.heard('connected', 2);

  assert.deepEqual(tab.of('offline').map(({reason, final}) => ({reason, final})), [{reason: 'ended', final: false}]);
  assert.deepEqual(tab.of('expired'), []);
});

test('a WebSocket that is closed for good is the last', async () => {
  const tab = openWebSocket('connected 7f3a-4\nclose 4204\n');
  const {reason, status, final} = await tab.heard('offline');
  await aWhile();

  assert.deepEqual({reason, status, final}, {reason: 'stopped', status: undefined, final: true});
  assert.equal(server.requestsFor('/ws').length, 1);
});

test('streams that are silent again and again after connected are failures in a row too', async () => {
  const {stream, ticket, socket} = PokeServer;
  server.answerNext(stream, stream, stream, ticket, socket);
  const tab = open({pingInterval: 50, environment: {WebSocket: WebSocketStandIn}});
  const {transport} = await tab.heard('connected', 4);

  assert.equal(transport, 'websocket');
  assert.deepEqual(tab.of('offline').slice(0, 3).map(({reason}) => reason), ['silent', 'silent', 'silent']);
});

test('where there is no WebSocket route the other transports go on', async () => {
  server.answerNext(
    ...Array.from({length: 3}, () => PokeServer.status(502)),
    PokeServer.ticket,
    PokeServer.status(404), // of /ws
    PokeServer.ticket,
    PokeServer.status(502),
  );
  const tab = open({environment: {WebSocket: WebSocketStandIn}});
  const {transport} = await tab.heard('connected');

  assert.equal(transport, 'fetch');
  assert.deepEqual(
    server.requests.map(({path}) => path.replace(/.*\//, '')),
    ['stream', 'stream', 'stream', 'ticket', 'ws', 'ticket', 'stream', 'stream'],
  );
});

test('no other transport is tried while the server can not be reached', async () => {
  const asked = [];
  const noting = (url, options) => {
    asked.push(url);
    return fetch(url, options);
  };
  const tab = open({environment: {WebSocket: WebSocketStandIn, fetch: noting}});
  await tab.heard('connected');
  await server.stop();
  await tab.heard('offline', 15);
  await server.resume();
  await tab.heard('connected', 2);

  assert.deepEqual(asked.filter(url => !url.endsWith('/stream')), []);
  assert.equal(tab.of('offline')[1].reason, 'unreachable');
});

test('a ticket that is no JSON is a failure like others', async () => {
  server.answerNext(response => response.end('<p>sign in'));
  const tab = open({transports: ['eventsource']});
  await tab.heard('connected');

  assert.equal(tab.of('offline')[0].reason, 'network');
});

test('disconnect closes an EventSource and a WebSocket', async () => {
  const source = open({transports: ['eventsource']});
  await source.heard('connected');
  server.answerNext(PokeServer.ticket, PokeServer.socket);
  const socket = open({transports: ['websocket'], environment: {WebSocket: WebSocketStandIn}});
  await socket.heard('connected');
  source.sse.disconnect();
  socket.sse.disconnect();

  await eventually('no stream', () => server.streams.size === 0);
});

test('where nothing can stream it says so, and goes on trying', async () => {
  const tab = open({transports: ['fetch'], ...withoutStreams});

  assert.equal((await tab.heard('offline', 2)).reason, 'unsupported');
});
