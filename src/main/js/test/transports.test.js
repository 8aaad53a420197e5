import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {EventSourceStandIn, Locks, PokeServer, WebSocketStandIn, aWhile, eventually, tokenOf} from './support.js';

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
  const tab = open({connectTimeout: 1_000, environment: {WebSocket: WebSocketStandIn}});
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

for (const [transport, answer, route] of [
  ['eventsource', PokeServer.stream, 'stream'],
  ['websocket', PokeServer.socket, 'ws'],
]) {
  test(`where a stream by ${transport} has been open, a ticket that is not found is tried again`, async () => {
    const {ticket, status} = PokeServer;
    server.answerNext(ticket, answer, status(404), status(421), status(421), status(405), ticket, answer);
    const tab = open({transports: [transport], environment: {WebSocket: WebSocketStandIn}});
    await tab.heard('connected');
    server.end();
    await tab.heard('connected', 2);

    // fetch itself asks once more after 421
    assert.deepEqual(tab.of('offline').slice(1).map(({status, final}) => [status, final]), [[404, false], [421, false], [405, false]]);
    assert.equal(server.requestsFor(`/${route}`).length, 2);
  });
}

test('a ticket that is not found is final where nothing has been open yet', async () => {
  server.answerNext(PokeServer.status(404));
  const tab = open({transports: ['eventsource']});
  const {status, final} = await tab.heard('offline');

  assert.deepEqual([status, final], [404, true]);
});

/** A tab, and others like it, whose streams something on the way refuses, so that it came to a WebSocket. */
async function openBehindProxy(environment = {}) {
  const {ticket, socket} = PokeServer;
  server.answerNext(...Array(3).fill(PokeServer.status(502)), ticket, socket);
  const options = {environment: {WebSocket: WebSocketStandIn, ...environment}};
  const tab = open(options);
  assert.equal((await tab.heard('connected')).transport, 'websocket');
  return {tab, another: () => open(options), before: server.requests.length};
}

const routesSince = before => server.requests.slice(before).map(({path}) => path.replace(/.*\//, ''));

for (const [target, begin, end] of [
  ['window', 'offline', 'online'],
  ['window', 'pagehide', 'pageshow'],
  ['document', 'freeze', 'resume'],
]) {
  test(`after a rest from ${begin} to ${end} it begins with the transport that worked last`, async () => {
    const {tab, before} = await openBehindProxy();
    for (let rest = 1; rest <= 2; rest++) {
      server.answerNext(PokeServer.ticket, PokeServer.socket);
      tab[target].dispatchEvent(new Event(begin));
      if (rest === 2) {
        await eventually('no stream', () => server.streams.size === 0); // and else no time passes
      }
      tab[target].dispatchEvent(new Event(end));
      assert.equal((await tab.heard('connected', 1 + rest)).transport, 'websocket');
    }

    assert.deepEqual(routesSince(before), ['ticket', 'ws', 'ticket', 'ws']);
  });
}

test('after disconnect and connect it begins with the transport that worked last', async () => {
  const {tab, before} = await openBehindProxy();
  server.answerNext(PokeServer.ticket, PokeServer.socket);
  tab.sse.disconnect();
  tab.sse.connect();
  await tab.heard('connected', 2);

  assert.deepEqual(routesSince(before), ['ticket', 'ws']);
});

test('a tab that takes over begins with the transport that worked for the one before', async () => {
  const {tab, another, before} = await openBehindProxy({locks: new Locks()});
  const next = another();
  await next.heard('connected');
  server.answerNext(PokeServer.ticket, PokeServer.socket);
  tab.sse.disconnect();
  await next.heard('connected', 2);

  assert.deepEqual(routesSince(before), ['ticket', 'ws']);
});

test('a transport that worked before a rest and does not any more is left as any other', async () => {
  const {tab} = await openBehindProxy();
  tab.window.dispatchEvent(new Event('offline'));
  const {ticket, status, stream} = PokeServer;
  const refused = [ticket, status(502)];
  server.answerNext(...refused, ...refused, ...refused, ticket, stream);
  tab.window.dispatchEvent(new Event('online'));

  assert.equal((await tab.heard('connected', 2)).transport, 'eventsource');
});
