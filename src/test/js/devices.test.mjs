import assert from 'node:assert/strict';
import {after} from 'node:test';
import {isDeepStrictEqual} from 'node:util';

import {WebSocket} from 'ws';

import {ReplicacheSSE} from '../../main/js/replistream.js';
import {scenario} from './harness.mjs';
import {exchanges, realFetch} from './network.mjs';
import {Server} from './server.mjs';
import {listen} from './stream.mjs';
import {eventually} from './waiting.mjs';

/** How soon an edit has to show elsewhere. */
const SOON_MS = 1_000;

const server = await Server.start();
after(() => server.stop());

scenario('two tabs of one device are one client group and show the same', server, async open => {
  const left = open('alice');
  const right = open('alice');
  assert.equal(await left.rep.clientGroupID, await right.rep.clientGroupID);
  assert.notEqual(left.rep.clientID, right.rep.clientID);

  await Promise.all([
    left.mutate.increment({key: 'count', id: 'of the left'}),
    right.mutate.increment({key: 'count', id: 'of the right'}),
  ]);
  await left.settled();
  await right.settled();

  for (const tab of [left, right]) {
    await tab.shows('count', 2);
    await tab.shows('of the left', 1);
    await tab.shows('of the right', 1);
  }
});

scenario('a push that mixes the mutations of two tabs applies each once', server, async open => {
  const left = open('alice');
  const right = open('alice');
  await left.pulled();
  left.goOffline(); // and so is the other: it is the same device
  for (let i = 0; i < 5; i++) {
    await left.mutate.increment({key: 'count', id: `left ${i}`});
    await right.mutate.increment({key: 'count', id: `right ${i}`});
  }
  await eventually('each tab holds the mutations of both', async () =>
    (await Promise.all([left.pending(), right.pending()])).every(pending => pending.length === 10),
  );

  left.goOnline();
  await left.settled();
  await right.settled();

  await left.shows('count', 10);
  const clients = push => new Set(push.request.mutations.map(mutation => mutation.clientID)).size;
  assert.ok(left.exchanges('push').some(push => clients(push) === 2), 'no push was mixed');
});

// What the tabs of a device store is ordered by their cookies alone. Had a later state the smaller
// order, a tab would fall back to before its own mutations, and use their ids again.
scenario('a tab that pulled seldom loses nothing to one that pulled often', server, async open => {
  const phone = open('alice', {device: 'phone'});
  await phone.pulled();
  const often = open('alice');
  const seldom = open('alice');
  await often.pulled();
  await seldom.pulled();
  for (const value of [1, 2, 3]) {
    await phone.mutate.put({key: 'of the phone', value});
    await often.shows('of the phone', value);
  }
  await often.stored();
  await seldom.mutate.increment({key: 'count', id: 'early'});
  await seldom.settled(); // before it takes over what the other tab has stored

  await eventually('both tabs show what either pulled', async () =>
    isDeepStrictEqual(await seldom.view(), await often.view()),
  );
  await seldom.mutate.increment({key: 'count', id: 'late'});
  await seldom.settled();

  await phone.shows('count', 2);
  await phone.shows('late', 1);
});

scenario('one user never gets what another user keeps private', server, async open => {
  const alice = open('alice');
  const bob = open('bob');
  await alice.mutate.put({key: 'diary', value: 'a secret of Alice'});
  await alice.mutate.put({key: 'alice only', value: 1});
  await bob.mutate.put({key: 'diary', value: 'a secret of Bob'});
  await alice.settled();
  await bob.settled();
  await alice.mutate.del({key: 'alice only'});
  await alice.settled();
  await bob.pulled();
  const phone = open('bob', {device: 'phone'});
  await phone.pulled();

  assert.deepEqual(await alice.view(), new Map([['diary', 'a secret of Alice']]));
  assert.deepEqual(await bob.view(), new Map([['diary', 'a secret of Bob']]));
  assert.deepEqual(await phone.view(), new Map([['diary', 'a secret of Bob']]));
  for (const {device, response} of exchanges) {
    assert.ok(!response?.includes(device.startsWith('bob') ? 'lice' : 'Bob'), `${device} got ${response}`);
  }
});

scenario('an edit shows on the other device of its user within a second', server, async open => {
  const laptop = open('alice', {live: true});
  const phone = open('alice', {device: 'phone', live: true});
  await Promise.all([laptop.listening(), phone.listening()]);
  await laptop.mutate.put({key: 'warm', value: 'up'});
  await eventually('the first edit shows', async () => (await phone.get('warm')) === 'up');

  for (const [from, to] of [[laptop, phone], [phone, laptop], [laptop, phone]]) {
    const value = `from ${from.device} at ${performance.now()}`;
    const edited = performance.now();
    await from.mutate.put({key: 'note', value});
    await eventually('the edit shows', async () => (await to.get('note')) === value);
    assert.ok(performance.now() - edited < SOON_MS, `it took ${performance.now() - edited} ms`);
  }
});

scenario('the device that edits is told by a poke that its edit was processed', server, async open => {
  const laptop = open('alice', {live: true});
  await laptop.listening();
  await laptop.mutate.put({key: 'note', value: 1});
  await eventually('nothing is pending', async () => (await laptop.pending()).length === 0);
});

/** How a device hears of pokes: each `connects` a tab and returns how to end it. */
const TRANSPORTS = {
  /** The client module, over a stream with a header. */
  laptop: tab => module(tab, {transports: ['fetch']}),
  /** The client module, over a WebSocket with a ticket. */
  phone: tab => module(tab, {transports: ['websocket']}),
  /** A stream with a header, as a program opens it. */
  tablet: tab => raw(tab, `${server.url}/stream`, {Authorization: tab.authorization()}),
  /** A stream with a ticket, as a native EventSource has it. */
  desktop: async tab => raw(tab, `${server.url}/stream?ticket=${await ticket(tab)}`, {}),
  /** A stream with the cookie, as a page of the server's own has it. */
  television: tab =>
    raw(tab, `${server.url}/stream`, {
      'Cookie': `replistream_token=${tab.authorization().replace('Bearer ', '')}`,
      'Sec-Fetch-Site': 'same-origin',
    }),
};

function module(tab, options) {
  const sse = new ReplicacheSSE({
    url: server.url,
    auth: () => tab.authorization().replace('Bearer ', ''),
    replicache: tab.rep,
    environment: {fetch: realFetch, WebSocket},
    ...options,
  });
  return new Promise(resolve => {
    sse.addEventListener('connected', () => resolve(() => sse.disconnect()), {once: true});
    sse.connect();
  });
}

function raw(tab, url, headers) {
  const ending = new AbortController();
  return new Promise(resolve => {
    const onEvent = data => {
      if (data === 'connected') {
        resolve(() => ending.abort());
      } else if (data === 'sync') {
        tab.pull();
      }
    };
    listen(url, () => headers, onEvent, ending.signal);
  });
}

async function ticket(tab) {
  const headers = {Authorization: tab.authorization()};
  return (await (await realFetch(`${server.url}/ticket`, {method: 'POST', headers})).json()).ticket;
}

scenario('of five devices with five transports each shows within a second what another pushed', server, async open => {
  const tabs = Object.keys(TRANSPORTS).map(device => open('alice', {device}));
  const endings = await Promise.all(tabs.map(tab => TRANSPORTS[tab.device.split('/')[1]](tab)));
  try {
    await Promise.all(tabs.map(tab => tab.pulled()));
    for (const [round, from] of [tabs[0], ...tabs].entries()) { // the first round warms up
      const value = `${round} from ${from.device}`;
      const before = from.exchanges('push').length;
      await from.mutate.put({key: 'note', value});
      await eventually('it is pushed', () => from.exchanges('push').slice(before).some(({status}) => status === 200));
      const pushed = performance.now();
      await eventually('the others show it', async () =>
        (await Promise.all(tabs.map(tab => tab.get('note')))).every(shown => shown === value),
      );
      await eventually('it is acknowledged', async () => (await from.pending()).length === 0);
      const took = performance.now() - pushed;
      assert.ok(round === 0 || took < SOON_MS, `it took ${took} ms after the push of ${from.device}`);
    }
  } finally {
    endings.forEach(end => end());
  }
});
