import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {EventSourceStandIn, Locks, PokeServer, aWhile, eventually} from './support.js';

let server;

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(() => server.close());

/** A tab with the lists that it was told, each as `room: users`. */
function open(options = {}) {
  const told = [];
  const onPresence = list => told.push(`${list.room}: ${list.users.map(({userId}) => userId)}`);
  const tab = server.open({onPresence, ...options});
  return Object.assign(tab, {told});
}

const hears = (tab, count) => eventually(`${count} lists in ${JSON.stringify(tab.told)}`, () => tab.told.length >= count);

test('it asks for presence only where somebody wants to know', async () => {
  const plain = server.open();
  await plain.heard('connected');
  const asking = open();
  await asking.heard('connected');

  assert.deepEqual(server.requests.map(({presence}) => presence), [undefined, '1']);
});

test('it tells each list, and neither pulls nor takes it for an id', async () => {
  const lists = [];
  const tab = open({onPresence: list => lists.push(list)});
  await tab.pulled(1);
  server.list('plan', 'alice');
  server.list('plan', 'alice', 'bob');
  server.list('plan');
  await eventually('three lists', () => lists.length === 3);
  await aWhile();

  assert.deepEqual(lists[1], {
    room: 'plan',
    count: 2,
    users: [
      {userId: 'alice', since: '2026-11-23T12:00:00.000Z'},
      {userId: 'bob', since: '2026-11-23T12:00:00.000Z'},
    ],
  });
  assert.deepEqual(lists[2], {room: 'plan', count: 0, users: []});
  assert.equal(tab.pulls, 1);
  server.end();
  await tab.heard('connected', 2);
  assert.equal(server.requests[1].lastEventId, '7f3a-0');
});

test('a room of a user whose list has a word of the protocol as its name is no such word', async () => {
  const tab = open();
  await tab.pulled(1);
  server.list('sync', 'connected');
  await hears(tab, 1);
  await aWhile();

  assert.deepEqual([tab.told, tab.pulls, tab.of('sync')], [['sync: connected'], 1, []]);
});

test('an EventSource tells presence too', async () => {
  const tab = open({transports: ['eventsource'], environment: {EventSource: EventSourceStandIn}});
  await tab.heard('connected');
  server.list('plan', 'alice');
  await hears(tab, 1);
  const {presence, ticket} = server.requests.at(-1);

  assert.deepEqual([tab.told, presence, ticket !== undefined], [['plan: alice'], '1', true]);
});

test('tabs share the lists of one stream, and one that comes later is told them too', async () => {
  const environment = {locks: new Locks()};
  const [first, second] = [open({environment}), open({environment})];
  await Promise.all([first, second].map(tab => tab.heard('connected')));
  server.list('plan', 'alice', 'bob');
  server.list('other', 'alice');
  server.list('plan', 'alice');
  await Promise.all([first, second].map(tab => hears(tab, 3)));
  const third = open({environment});
  await hears(third, 2);
  server.list('other', 'alice', 'eve');
  await hears(third, 3);
  await hears(second, 4);
  await aWhile();

  const all = ['plan: alice,bob', 'other: alice', 'plan: alice', 'other: alice,eve'];
  assert.deepEqual([first.told, second.told], [all, all]);
  assert.deepEqual(third.told.toSorted(), ['other: alice', 'other: alice,eve', 'plan: alice']);
  assert.equal(server.requests.length, 1);
});

test('after a reconnect, and a takeover, all lists are told anew', async () => {
  const environment = {locks: new Locks()};
  const [first, second] = [open({environment}), open({environment})];
  await Promise.all([first, second].map(tab => tab.heard('connected')));
  server.list('plan', 'alice');
  await Promise.all([first, second].map(tab => hears(tab, 1)));
  server.end();
  await Promise.all([first, second].map(tab => tab.heard('connected', 2)));
  server.list('plan', 'alice');
  await Promise.all([first, second].map(tab => hears(tab, 2)));
  const holder = first.of('connected')[1].holder ? first : second;
  const other = holder === first ? second : first;
  holder.sse.disconnect();
  await other.heard('connected', 3);
  server.list('plan', 'alice');
  await hears(other, 3);

  assert.deepEqual(other.told, Array(3).fill('plan: alice'));
});

test('tabs with presence and tabs without don\'t share a stream', async () => {
  const environment = {locks: new Locks()};
  const asking = open({environment});
  const plain = server.open({environment});
  await Promise.all([asking, plain].map(tab => tab.heard('connected')));
  server.poke();
  await Promise.all([asking, plain].map(tab => tab.heard('sync')));

  assert.equal(server.streams.size, 2);
});
