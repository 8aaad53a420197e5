import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {EventSourceStandIn, Locks, PokeServer, WebSocketStandIn, aWhile, eventually} from './support.js';

let server;

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(() => server.close());

/** A tab with the mutations that it was told. */
function open(options = {}) {
  const told = [];
  const tab = server.tab({mutations: 'own', ...options});
  tab.sse.addEventListener('mutation', ({detail}) => told.push(detail));
  tab.sse.connect();
  return Object.assign(tab, {told});
}

const seen = {id: 7, name: 'sync', outcome: 'applied', args: {data: 'connected'}};

const TRANSPORTS = {
  fetch: {path: '/stream', environment: {}},
  eventsource: {path: '/stream', environment: {EventSource: EventSourceStandIn}},
  websocket: {path: '/ws', environment: {WebSocket: WebSocketStandIn}, frame: text => `mutation ${text}\n`},
};

for (const [transport, {path, environment, frame = text => `event: mutation\ndata: ${text}\n\n`}] of Object.entries(TRANSPORTS)) {
  test(`${transport}: each mutation is handed over as it is, and pulls nothing`, async () => {
    if (transport === 'websocket') {
      server.answerNext(PokeServer.ticket, PokeServer.socket);
    }
    const tab = open({mutations: 'all', transports: [transport], environment});
    await tab.pulled(1);
    server.say(frame(JSON.stringify(seen)));
    server.say(frame('{"dropped":3}'));
    await eventually('both', () => tab.told.length === 2);
    await aWhile();

    assert.deepEqual(tab.told, [{...seen, holder: true}, {dropped: 3, holder: true}]);
    assert.deepEqual([tab.pulls, tab.of('sync')], [1, []]);
    assert.deepEqual(server.requestsFor(path).map(({mutations}) => mutations), ['all']);
  });
}

test('tabs that ask share a stream, which others do not', async () => {
  const environment = {locks: new Locks()};
  const [first, second, plain] = [open({environment}), open({environment}), server.open({environment})];
  for (const tab of [first, second, plain]) {
    await tab.heard('connected');
  }
  server.say(`event: mutation\ndata: ${JSON.stringify(seen)}\n\n`);
  await eventually('both', () => first.told.length === 1 && second.told.length === 1);

  assert.deepEqual([first.told[0].holder, second.told[0].holder].sort(), [false, true]);
  assert.deepEqual(server.requestsFor('/stream').map(({mutations}) => mutations).sort(), ['own', undefined]);
});
