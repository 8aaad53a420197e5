import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {EventSourceStandIn, Locks, PokeServer, WebSocketStandIn, aWhile, eventually, tokenOf} from './support.js';

let server;

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(() => server.close());

/** A tab with the numbers of the rejections that it was told. */
function open(options = {}) {
  const told = [];
  const tab = server.open({onRejected: ({seq}) => told.push(seq), ...options});
  return Object.assign(tab, {told});
}

const hears = (tab, ...seqs) =>
  eventually(`${seqs} in ${tab.told}`, () => tab.told.length >= seqs.length).then(() => assert.deepEqual(tab.told, seqs));

const asked = count => eventually(`${count} questions`, () => server.requestsFor('/rejections').length >= count);

/** What a browser keeps for its tabs. */
function storage() {
  const items = new Map();
  return {getItem: key => items.get(key) ?? null, setItem: (key, value) => items.set(key, value), items};
}

test('it asks for rejections only where somebody wants to know', async () => {
  const plain = server.open();
  await plain.heard('connected');
  const asking = open();
  await asking.heard('connected');
  await asked(1);
  await aWhile();

  const requests = server.requests.map(({path, rejections}) => [path.split('/').at(-1), rejections]);
  assert.deepEqual(requests, [['stream', undefined], ['stream', '1'], ['rejections', undefined]]);
});

test('it hands each over as the server has it, once, and neither pulls nor takes it for an id', async () => {
  const rejections = [];
  const tab = open({onRejected: rejection => rejections.push(rejection)});
  await tab.pulled(1);
  await asked(1);
  const first = server.reject(7);
  const second = server.reject(8);
  server.say(`event: rejected\ndata: ${JSON.stringify(first)}\n\n`);
  await eventually('both', () => rejections.length === 2);
  await aWhile();

  assert.deepEqual(rejections, [first, second]);
  assert.equal(tab.pulls, 1);
  server.end();
  await tab.heard('connected', 2);
  await asked(2);
  assert.equal(server.requestsFor('/stream')[1].lastEventId, '7f3a-0');
  await aWhile();
  assert.equal(rejections.length, 2); // though the server has told of them again
});

test('what came while there was no stream it asks for', async () => {
  server.reject(1);
  const tab = open();
  await hears(tab, 1);
  server.end();
  server.reject(2, {isLost: true});
  await hears(tab, 1, 2);
  server.end();
  await asked(3);

  assert.deepEqual(server.requestsFor('/rejections').map(({after}) => after), ['0', '1', '2']);
});

test('where the question fails it is asked again at the next event, and a release that does not know it is left alone', async () => {
  server.insteadOfRejections.push(PokeServer.status(503), PokeServer.status(503), PokeServer.status(404));
  server.reject(1, {isLost: true});
  const tab = open();
  await asked(1);
  await aWhile();
  assert.equal(server.requestsFor('/rejections').length, 1);
  server.poke();
  await asked(2);
  await aWhile();
  server.poke();
  await asked(3);
  await aWhile();
  server.poke();
  await aWhile();
  assert.equal(server.requestsFor('/rejections').length, 3);
  server.end();
  await hears(tab, 1);
  assert.deepEqual(tab.of('offline').map(({final}) => final), [false]);
});

test('a name that is a word of the protocol is no such word', async () => {
  const names = [];
  const tab = open({onRejected: ({name}) => names.push(name)});
  await tab.pulled(1);
  server.say('event: rejected\ndata: {"seq":1,"clientID":"c","id":1,"name":"sync","code":"x","message":"connected"}\n\n');
  await eventually('it', () => names.length === 1);
  await aWhile();

  assert.deepEqual([names, tab.pulls, tab.of('sync')], [['sync'], 1, []]);
});

test('an EventSource tells them too', async () => {
  const tab = open({transports: ['eventsource'], environment: {EventSource: EventSourceStandIn}});
  await tab.heard('connected');
  server.reject(1);
  await hears(tab, 1);

  assert.deepEqual(server.requestsFor('/stream').map(({rejections}) => rejections), ['1']);
});

test('a WebSocket tells them too', async () => {
  const told = [];
  server.answerNext(PokeServer.ticket, PokeServer.socket);
  const tab = open({
    onRejected: ({message}) => told.push(message),
    transports: ['websocket'],
    environment: {WebSocket: WebSocketStandIn},
  });
  await tab.heard('connected');
  server.say('rejected {"seq":1,"clientID":"c","id":1,"name":"a b","code":"x","message":"y  z "}\n');
  await eventually('it', () => told.length === 1);

  assert.deepEqual(told, ['y  z ']);
  assert.deepEqual(server.requestsFor('/ws').map(({rejections}) => rejections), ['1']);
});

test('tabs share the rejections of one stream, and each tab tells of each once', async () => {
  const environment = {locks: new Locks()};
  const [first, second] = [open({environment}), open({environment})];
  await first.heard('connected');
  await second.heard('connected');
  await asked(2);
  server.reject(1);
  server.reject(2);
  await hears(first, 1, 2);
  await hears(second, 1, 2);

  assert.equal(server.requestsFor('/stream').length, 1);
  const third = open({environment});
  await hears(third, 1, 2);
  await aWhile();
  assert.deepEqual([first.told, second.told, third.told], [[1, 2], [1, 2], [1, 2]]);
});

test('a tab that opens later is told what no tab of the browser was told', async () => {
  const kept = storage();
  const first = open({environment: {storage: kept}});
  await asked(1);
  await aWhile(); // the answer has come
  server.reject(1);
  await hears(first, 1);
  first.sse.disconnect();
  server.reject(2, {isLost: true});

  const second = open({environment: {storage: kept}});
  await hears(second, 2);
  const other = open({auth: tokenOf('bob'), environment: {storage: kept}});
  await hears(other, 1, 2); // another user, with what is theirs
  assert.deepEqual([...kept.items.values()], ['2', '2']);
});

test('one that is told live hides none that could not be asked for', async () => {
  const kept = storage();
  server.insteadOfRejections.push(PokeServer.status(503), PokeServer.status(503));
  server.reject(1, {isLost: true});
  const first = open({environment: {storage: kept}});
  await asked(1);
  await aWhile();
  server.reject(2);
  await hears(first, 2);
  first.sse.disconnect();
  assert.deepEqual([...kept.items], []);

  const second = open({environment: {storage: kept}});
  await asked(2);
  await aWhile();
  server.reject(3);
  await hears(second, 3);
  server.poke();
  await hears(second, 3, 1, 2);
  assert.deepEqual([...kept.items.values()], ['3']);
});

test('a storage that fails costs nothing but what it would remember', async () => {
  const fails = () => {
    throw new Error('denied');
  };
  server.reject(1);
  const tab = open({environment: {storage: {getItem: fails, setItem: fails}}});
  await hears(tab, 1);
  server.reject(2);
  await hears(tab, 1, 2);
});

test('a page of localhost says on the console what nobody listens for, and no other page does', async t => {
  const warn = t.mock.method(console, 'warn', () => {});
  server.reject(1);
  for (const hostname of ['localhost', '127.0.0.1', '[::1]']) {
    server.open({environment: {location: {hostname}}});
  }
  await eventually('three warnings', () => warn.mock.callCount() === 3);
  assert.deepEqual(warn.mock.calls[0].arguments, ['Replistream: the mutation sell had no effect: sold-out: no 1']);

  const tab = server.open({environment: {location: {hostname: 'app.example.com'}}});
  await tab.heard('connected');
  await hears(open({environment: {location: {hostname: 'localhost'}}}), 1);
  await aWhile();
  assert.equal(warn.mock.callCount(), 3);
  assert.equal(server.requestsFor('/stream').filter(({rejections}) => !rejections).length, 1);
});
