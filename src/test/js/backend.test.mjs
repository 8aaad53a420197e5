import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {after} from 'node:test';

import {scenario} from './harness.mjs';
import {realFetch} from './network.mjs';
import {Server, token} from './server.mjs';
import {eventually, pause} from './waiting.mjs';


/** How often each way, and each tab, writes, and how often the server is killed meanwhile. */
const ROUNDS = Number(process.env.BACKEND_ROUNDS || 16);
const KILLS = Math.max(1, Math.floor(ROUNDS / 12));

const SETTLING_MS = 60_000;
const TOLERATED = /Got a non 200 response doing \w+: 503|fetch failed/;
const COUNTER = 'count';
const SLOTS = 'slots';

const server = await Server.start({REPLISTREAM_JOURNAL_RETENTION: 'P1D'});
after(() => server.stop());

/** Sends a request till it is answered, by whatever life of the server. */
async function call(method, path, body, headers = {}) {
  const authorization = `Bearer ${token('backend', 3600, {scope: 'replicache:write'})}`;
  for (;;) {
    try {
      const answer = await realFetch(server.url + path, {
        method,
        headers: {Authorization: authorization, ...headers},
        ...(body !== undefined && {body: JSON.stringify(body)}),
      });
      if (answer.status < 500 && answer.status !== 429) {
        const text = await answer.text();
        return {status: answer.status, tag: answer.headers.get('ETag'), text};
      }
    } catch {
      // it was killed
    }
    await pause(20);
  }
}

/**
 * The ways in which a backend counts, and sets its slot of an entry that all have in common. Each is
 * given the user and a number, one more than before.
 */
const WAYS = {
  /** A rule. */
  async mutation(user, n) {
    const id = `mutation ${n}`;
    const body = {userId: user, name: 'increment', args: {key: COUNTER, id}};
    const {status, text} = await call('POST', '/mutations', body, {'Idempotency-Key': `"${randomUUID()}"`});
    assert.equal(status, 200, text);
    await patch(user, {mutation: n});
    return id;
  },

  /** A transaction with conditions, tried anew where others were faster. */
  async transaction(user, n) {
    const id = `transaction ${n}`;
    for (;;) {
      const counter = await read(user, COUNTER);
      const slots = await read(user, SLOTS);
      const put = (key, value) => ({op: 'put', user, key, value});
      const body = {
        if: [
          {user, key: COUNTER, version: counter.version},
          {user, key: SLOTS, version: slots.version},
          {user, key: id, version: null},
        ],
        ops: [
          put(COUNTER, (counter.value ?? 0) + 1),
          put(id, 1),
          put(SLOTS, {...slots.value, transaction: n}),
        ],
      };
      const {status, text} = await call('POST', '/transactions', body, {'Idempotency-Key': randomUUID()});
      if (status === 200) {
        return id;
      }
      assert.equal(status, 412, text);
    }
  },

  /** Single entries, whose versions tell whether somebody else was faster, or this one before an answer got lost. */
  async entry(user, n) {
    for (;;) {
      const {value, version} = await read(user, SLOTS);
      if (value?.entry === n) {
        return undefined;
      }
      const precondition = version === null ? {'If-None-Match': '*'} : {'If-Match': `"${version}"`};
      const {status, text} = await call('PUT', entry(user, SLOTS), {...value, entry: n}, precondition);
      assert.ok([201, 204, 412].includes(status), text);
    }
  },
};

function entry(user, key) {
  return `/users/${encodeURIComponent(user)}/entries/${encodeURIComponent(key)}`;
}

async function read(user, key) {
  const {status, tag, text} = await call('GET', entry(user, key));
  return status === 404 ? {version: null} : {version: Number(JSON.parse(tag)), value: JSON.parse(text)};
}

async function patch(user, merge) {
  const type = {'Content-Type': 'application/merge-patch+json'};
  for (;;) {
    const {status, text} = await call('PATCH', entry(user, SLOTS), merge, type);
    if (status === 204) {
      return;
    }
    assert.equal(status, 404, text);
    await call('PUT', entry(user, SLOTS), {}, {'If-None-Match': '*'});
  }
}

/** What the journal says was applied to a user, by the names that increments and transactions have. */
async function journaled(user) {
  const ids = [];
  let last = '';
  for (;;) {
    const {status, text} = await call('GET', `/journal${last}`);
    assert.equal(status, 200, text);
    const lines = text.split('\n').filter(line => line !== '').map(line => JSON.parse(line));
    if (lines.length === 0) {
      return ids;
    }
    last = `?after=${lines.at(-1).seq}`;
    for (const {outcome, userId, name, args, ops} of lines) {
      assert.equal(outcome, 'applied');
      if (name === 'increment' && userId === user) {
        ids.push(args.id);
      }
      for (const {user: owner, key} of ops ?? []) {
        if (owner === user && key.startsWith('transaction ')) {
          ids.push(key);
        }
      }
    }
  }
}

scenario('a backend and clients write the same entries while the server is killed, and each write is applied once', server, async open => {
  const tabs = ['laptop', 'phone'].map(device => open('alice', {device, live: true, tolerated: TOLERATED}));
  const user = tabs[0].userID;
  const last = {};
  let written = 0;

  async function repeat(way, name) {
    const ids = [];
    for (let n = 1; n <= ROUNDS; n++) {
      ids.push(await way(user, n));
      last[name] = n;
      written++;
    }
    return ids.filter(id => id !== undefined);
  }

  async function kills() {
    const all = ROUNDS * (Object.keys(WAYS).length + tabs.length);
    for (let kill = 1; kill <= KILLS; kill++) {
      await eventually('there is something to interrupt', () => written > (all * kill) / (KILLS + 1), SETTLING_MS);
      await server.kill();
      await server.restart();
    }
    return [];
  }

  const byTab = (tab, name) => async (_, n) => {
    const id = `${name} ${n}`;
    await tab.mutate.increment({key: COUNTER, id});
    await tab.mutate.patch({key: SLOTS, merge: {[name]: n}, create: true});
    await pause(20);
    return id;
  };

  const ids = (await Promise.all([
    kills(),
    ...Object.entries(WAYS).map(([name, way]) => repeat(way, name)),
    ...tabs.map((tab, i) => repeat(byTab(tab, `tab${i}`), `tab${i}`)),
  ])).flat();
  const expected = new Map([[COUNTER, ids.length], [SLOTS, last], ...ids.map(id => [id, 1])]);

  for (const tab of tabs) {
    await eventually(`${tab.device} shows it`, async () => {
      await tab.rep.push({now: true}).catch(() => {});
      await tab.pulled();
      return (await tab.pending()).length === 0 && (await tab.view()).size === expected.size;
    }, SETTLING_MS);
    assert.deepEqual(await tab.view(), expected);
  }
  assert.deepEqual((await journaled(user)).toSorted(), ids.toSorted());
}, (KILLS + 3) * SETTLING_MS);
