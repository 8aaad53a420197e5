import assert from 'node:assert/strict';
import {isDeepStrictEqual} from 'node:util';

import {scenario} from './harness.mjs';
import {CLUB, Life, ROOM} from './life.mjs';
import {calm, disturb, exchanges, realFetch} from './network.mjs';
import {Random} from './random.mjs';
import {token} from './server.mjs';
import {eventually, pause} from './waiting.mjs';

const SECONDS = Number(process.env.CONVERGENCE_SECONDS || 10);
const SEED = Number(process.env.CONVERGENCE_SEED || Math.floor(Math.random() * 2 ** 31));

/** How long the clients may take at the end, and the test around it all. */
const SETTLING_MS = 60_000;

const USERS = ['alice', 'bob', 'carol'];
// the last two are tabs of one device
const DEVICES = ['laptop', 'phone', 'phone'];

// transactions that wait long for each other on a busy machine are told to come again
const TOLERATED = /Got a non 200 response doing \w+: 503/;

/**
 * The scenario in which clients live at random and agree in the end.
 *
 * @param what the servers are called in its name
 * @param server what the tabs talk to
 * @param nodes the servers that are killed, one at a time
 */
export function converge(what, server, nodes) {
  const name = `clients of ${what} converge, and each mutation is applied once (CONVERGENCE_SEED=${SEED})`;
  scenario(name, server, async openTab => {
    const open = (user, options) => openTab(user, {tolerated: TOLERATED, ...options});
    const random = new Random(SEED);
    const userIDs = await createRooms(open);
    const lives = USERS.flatMap(user => livesOf(user, open, random));
    const network = random.fork();
    disturb(() => network.pick([...Array(30), 'refused', 'lost']));

    const deadline = Date.now() + SECONDS * 1_000;
    const [kills] = await Promise.all([
      restarts(nodes, random.fork(), deadline),
      ...lives.map(life => life.run(deadline, userIDs)),
    ]);

    const promised = promisedMutations();
    calm();
    const views = await converged(open, lives);
    const acknowledged = await lastMutationIDs(server, lives);
    assertNoneLost(lives, promised, acknowledged);
    assertAppliedOnce(views, lives, acknowledged);
    const counts = lives.map(({increments}) => {
      const lost = [...increments.values()].filter(each => !isAcknowledged(each, acknowledged)).length;
      return `${increments.size} (${lost} lost with their tab)`;
    });
    console.log(`increments: ${counts.join(', ')}; kills: ${kills}`);
  }, SECONDS * 1_000 + 2 * SETTLING_MS);
}

async function createRooms(open) {
  const [owner, ...others] = USERS.map(user => open(user, {device: 'set-up'}));
  await owner.mutate.createRoom({room: ROOM});
  await owner.mutate.createRoom({room: CLUB});
  for (const {userID} of others) {
    await owner.mutate.putMember({room: ROOM, userId: userID, role: 'writer'});
  }
  await owner.settled();
  return [owner, ...others].map(({userID}) => userID);
}

function livesOf(user, open, random) {
  return DEVICES.map((device, i) => {
    const live = random.chance(0.7);
    return new Life(user, i, () => open(user, {device, live}), random.fork());
  });
}

/** Kills a server and starts it again, until a moment; returns how often. */
async function restarts(nodes, random, deadline) {
  for (let kills = 0; ; kills++) {
    await pause(500 + random.below(2_500));
    if (Date.now() > deadline) {
      return kills;
    }
    const node = random.pick(nodes);
    await node.kill();
    await pause(random.below(300));
    await node.restart();
  }
}

/**
 * Waits till nothing is pending and every tab shows what a device without any state gets, and
 * returns that by user.
 */
async function converged(open, lives) {
  const deadline = Date.now() + SETTLING_MS;
  for (let attempt = 0; ; attempt++) {
    await Promise.all(lives.map(({tab}) => settled(tab)));
    const views = new Map();
    for (const user of USERS) {
      views.set(user, await freshView(open, user, attempt));
    }
    const shown = await Promise.all(lives.map(({tab}) => tab.view()));
    const differing = lives.filter((life, i) => !isDeepStrictEqual(shown[i], views.get(life.user)));
    if (differing.length === 0) {
      return views;
    }
    if (Date.now() > deadline) {
      const i = lives.indexOf(differing[0]);
      assert.deepEqual(shown[i], views.get(lives[i].user), `the view of ${lives[i].tab.device}`);
    }
  }
}

/** Of a tab that stored what another one left behind, nothing but a push tells the server. */
async function settled(tab) {
  await eventually(`${tab.device} has nothing pending`, async () => {
    await tab.rep.push({now: true}).catch(() => {});
    await tab.pulled();
    return (await tab.pending()).length === 0;
  }, SETTLING_MS);
}

async function freshView(open, user, attempt) {
  const tab = open(user, {device: `fresh ${attempt}`});
  await tab.pulled();
  return tab.view();
}

/** The last mutation of each client that a push answered 200 had: the server has promised to keep it. */
function promisedMutations() {
  const promised = new Map();
  for (const {request} of exchanges.filter(({kind, status}) => kind === 'push' && status === 200)) {
    for (const {clientID, id} of request.mutations) {
      promised.set(clientID, Math.max(id, promised.get(clientID) ?? 0));
    }
  }
  return promised;
}

/** The last mutation of each client that the server says it has applied, in the end. */
async function lastMutationIDs(server, lives) {
  const last = new Map();
  for (const {tab: {userID}, groups} of lives) {
    for (const clientGroupID of groups) {
      const answer = await realFetch(`${server.url}/pull`, {
        method: 'POST',
        headers: {'Authorization': `Bearer ${token(userID)}`, 'Content-Type': 'application/json'},
        body: JSON.stringify({profileID: 'p', clientGroupID, cookie: null, pullVersion: 1, schemaVersion: ''}),
      });
      const {lastMutationIDChanges} = await answer.json();
      Object.entries(lastMutationIDChanges).forEach(([clientID, id]) => last.set(clientID, id));
    }
  }
  return last;
}

function isAcknowledged({clientID, mutationID}, acknowledged) {
  return mutationID <= (acknowledged.get(clientID) ?? 0);
}

/**
 * Nothing is lost but what a closed tab had neither stored nor pushed, of which no tab and no answer of
 * the server says otherwise.
 */
function assertNoneLost(lives, promised, acknowledged) {
  for (const life of lives) {
    for (const [id, increment] of life.increments) {
      const {clientID, mutationID} = increment;
      const mayBeLost = life.mayBeLost(id) && mutationID > (promised.get(clientID) ?? 0);
      assert.ok(mayBeLost || isAcknowledged(increment, acknowledged), `${id} is lost`);
    }
  }
}

/** Each increment was applied once if the server acknowledges it, and never if it does not. */
function assertAppliedOnce(views, lives, acknowledged) {
  for (const [user, view] of views) {
    const expected = new Map();
    for (const life of lives) {
      for (const [id, increment] of life.increments) {
        const {key} = increment;
        if (life.user === user || key.startsWith(ROOM)) {
          const times = isAcknowledged(increment, acknowledged) ? 1 : 0;
          assert.equal(view.get(id) ?? 0, times, `how often ${id} was applied`);
          expected.set(key, (expected.get(key) ?? 0) + times);
        }
      }
    }
    for (const [key, count] of expected) {
      assert.equal(view.get(key) ?? 0, count, `${key} of ${user}`);
    }
  }
}
