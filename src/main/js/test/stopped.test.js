import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {EventSourceStandIn, Locks, PokeServer, aWhile, eventually, tokenOf} from './support.js';

let server;

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(async () => {
  await server.close();
  assert.equal(EventSourceStandIn.open.size, 0, 'an EventSource is left');
});

const STOPPED = {type: 'offline', reason: 'stopped', status: undefined, final: true, holder: false};

for (const [transport, environment] of [
  ['fetch', {}],
  ['eventsource', {EventSource: EventSourceStandIn}],
]) {
  test(`a stream that the user ends from elsewhere is not opened again, by ${transport}`, async () => {
    const tab = server.open({transports: [transport], environment});
    await tab.heard('connected');
    server.endForGood();

    assert.deepEqual(await tab.heard('offline'), STOPPED);
    await aWhile();
    assert.equal(server.requestsFor('/stream').length, 1);
    assert.equal(tab.events.length, 2);
    assert.equal(server.streams.size, 0);

    tab.sse.connect();
    await tab.heard('connected', 2);
    assert.notEqual(server.requestsFor('/stream')[1].lastEventId, 'ended-x');
    server.poke();
    await tab.heard('sync');
  });
}

test('the event is enough, before the stream has ended', async () => {
  const tab = server.open();
  await tab.heard('connected');
  server.say('event: ended\ndata: ended\n\n');

  assert.deepEqual(await tab.heard('offline'), STOPPED);
  await eventually('closed by the client', () => server.streams.size === 0);
});

test('half of the event is none: the stream ended, and is opened again', async () => {
  const tab = server.open();
  await tab.heard('connected');
  server.say('id: ended-x\nevent: ended\ndata: ended\n');
  server.end();

  await tab.heard('connected', 2);
  assert.equal(tab.of('offline')[0].final, false);
});

test('data that says ended is no such event', async () => {
  const tab = server.open();
  await tab.heard('connected');
  server.say('data: ended\n\n');
  server.poke();

  await tab.heard('sync');
  assert.deepEqual(tab.of('offline'), []);
});

test('all tabs stop, and no other takes the stream over', async () => {
  const browser = new Locks();
  const environment = {locks: browser};
  const tabs = Array.from({length: 4}, () => server.open({environment}));
  await Promise.all(tabs.map(tab => tab.heard('connected')));
  server.endForGood();

  for (const tab of tabs) {
    assert.deepEqual(await tab.heard('offline'), STOPPED);
  }
  await aWhile();
  assert.equal(server.requestsFor('/stream').filter(({lastEventId}) => lastEventId !== undefined).length, 0);
  assert.equal(server.streams.size, 0);

  tabs[2].sse.connect();
  await tabs[2].heard('connected', 2);
  server.poke();
  await tabs[2].heard('sync');
  assert.deepEqual(tabs.map(tab => tab.of('sync').length), [0, 0, 1, 0]);
});

test('a 204 stops all tabs too', async () => {
  const environment = {locks: new Locks()};
  const tabs = Array.from({length: 3}, () => server.open({environment}));
  await Promise.all(tabs.map(tab => tab.heard('connected')));
  server.answerNext(...Array(3).fill(PokeServer.status(204)));
  server.end();

  for (const tab of tabs) {
    await eventually('stopped', () => tab.of('offline').at(-1)?.final);
    assert.deepEqual(tab.of('offline').at(-1), {...STOPPED, status: 204});
  }
  await aWhile();
  assert.equal(server.streams.size, 0);
});

test('tabs of another user go on', async () => {
  const environment = {locks: new Locks()};
  const alice = server.open({environment});
  await alice.heard('connected');
  const [stream] = server.streams;
  const bob = server.open({auth: tokenOf('bob'), environment});
  await bob.heard('connected');
  stream.end('event: ended\ndata: ended\n\n');

  await alice.heard('offline');
  server.poke();
  await bob.heard('sync');
  assert.deepEqual(bob.of('offline'), []);
});
