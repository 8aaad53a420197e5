import assert from 'node:assert/strict';

import {Server, token} from '../server.mjs';
import {eventually} from '../waiting.mjs';
import {DemoWindow, REPLICACHE, startDevelopmentServer} from './demo.mjs';
import {scenario, startBrowser} from './harness.mjs';

const REFUSED = /^Failed to load resource: the server responded with a status of (404|409) /;

const [server, keyed] = await Promise.all([
  startDevelopmentServer(),
  Server.start({REPLISTREAM_CONSOLE: 'true', REPLISTREAM_DEMO_REPLICACHE: REPLICACHE}), // which signs no tokens
  startBrowser(),
]);

async function twoUsers(device, room) {
  const [a, b] = [await device(), await device()];
  const alice = await DemoWindow.open(a, server, 'alice', room);
  return {a, alice, bob: await DemoWindow.join(b, await alice.link(), 'bob')};
}

/** Calls the API as a user, from a page of the server. */
function call({page}, user, method, route, body) {
  return page.evaluate(
    async ([user, method, route, body]) => {
      const {Credentials} = await import('/console/credentials.js');
      const answer = await Credentials.ofUser(user).call(method, route, body);
      return answer.status === 204 ? undefined : answer.json();
    },
    [user, method, route, body],
  );
}

async function timed(action) {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

scenario("two users in two windows see each other's edits within a second", async ({device}) => {
  const {alice, bob} = await twoUsers(device, 'plan');
  const times = [];
  for (const [i, [writer, reader]] of [[alice, bob], [bob, alice], [alice, bob], [bob, alice]].entries()) {
    await writer.add(`thing ${i}`);
    times.push(await timed(() => reader.shows(`thing ${i}`)));
    await reader.check(`thing ${i}`);
    times.push(await timed(() => writer.shows(`thing ${i}`, true)));
  }
  const median = times.toSorted((a, b) => a - b)[times.length >> 1];
  assert.ok(median < 1_000, `took ${times} ms`); // the machine may be busy for a moment
});

scenario('each sees who else has the room open', async ({device}) => {
  const {alice, bob} = await twoUsers(device, 'present');
  for (const window of [alice, bob]) {
    await window.present('Here now: alice, bob.');
  }
  await bob.page.close();
  await alice.present('Here now: alice.');
});

scenario('edits made offline arrive when the network is back', async ({device, log}) => {
  const {a, alice, bob} = await twoUsers(device, 'offline');
  await alice.add('milk');
  await bob.shows('milk');

  await log.whileUnreachable(async () => {
    await a.setOffline(true);
    await alice.says('offline');
    await alice.add('bread');
    await alice.check('milk');
    await alice.saved('2 changes wait for the server.');
    await bob.add('butter');
    await bob.saved('The server has everything.');
    assert.deepEqual([await bob.has('bread'), await alice.has('butter')], [false, false]);
    await a.setOffline(false);
    await alice.says('connected');
  });
  await bob.shows('bread');
  await bob.shows('milk', true);
  await alice.shows('butter');
  await alice.saved('The server has everything.');
});

scenario('the offline switch of the demo holds edits back till it is off', async ({device}) => {
  const {alice, bob} = await twoUsers(device, 'switch');
  await alice.page.getByRole('switch', {name: 'Offline'}).check();
  await alice.says('offline');
  await alice.add('tea');
  await alice.saved('1 change waits for the server.');
  await bob.add('coffee');
  await bob.saved('The server has everything.');
  assert.deepEqual([await bob.has('tea'), await alice.has('coffee')], [false, false]);

  await alice.page.getByRole('switch', {name: 'Offline'}).uncheck();
  await bob.shows('tea');
  await alice.shows('coffee');
});

scenario('a link shared between two browsers asks for a name and joins', async ({device}) => {
  const [a, b] = [await device(), await device()];
  const alice = await DemoWindow.open(a, server, 'alice', 'a room');
  await alice.add('milk');
  const link = await alice.link();
  const [before, code] = link.split('#join=');
  assert.equal(before, `${server.origin}/demo`);
  assert.match(code, /^[\w-]{20,}$/);

  const sent = [];
  b.on('request', request => sent.push([request.url(), ...Object.values(request.headers())].join(' ')));
  const bob = new DemoWindow(await b.newPage());
  await bob.page.goto(link);
  await bob.page.getByText('Somebody shares a list with you').waitFor();
  assert.equal(await bob.page.locator('#list-panel').isVisible(), false);
  assert.deepEqual((await call(alice, 'alice', 'GET', '/rooms/a%20room/members')).members.length, 1);
  await bob.join(' bob ');

  await bob.shows('milk');
  assert.equal(bob.page.url(), `${server.origin}/demo?user=bob&room=a+room`); // without the code
  await bob.add('bread');
  await alice.shows('bread');
  await alice.check('milk');
  await bob.shows('milk', true);
  assert.ok(sent.length > 0);
  assert.deepEqual(sent.filter(each => each.includes(code)), [], 'the code, where it could reach a log');

  await bob.page.reload();
  await bob.shows('bread');
  await bob.page.getByText('An owner of the room can share it by a link.').waitFor();
});

scenario('a link that is used up, expired or deleted says so', async ({device, log}) => {
  const alice = await DemoWindow.open(await device(), server, 'alice', 'links');
  const make = body => call(alice, 'alice', 'POST', '/rooms/links/links', {role: 'reader', ...body});
  const [used, expired, deleted] = [await make({uses: 1}), await make({expiresIn: 1}), await make()];
  const bob = await DemoWindow.join(await device(), `${server.origin}/demo#join=${used.code}`, 'bob');
  await bob.add('what a reader may not');
  await bob.page.getByText('The server did not do put: ').waitFor();
  await call(alice, 'alice', 'DELETE', `/rooms/links/links/${deleted.id}`);
  await eventually('one link has expired', async () => {
    const {links} = await call(alice, 'alice', 'GET', '/rooms/links/links');
    return links.every(({id}) => id !== expired.id);
  });

  const carol = new DemoWindow(await (await device()).newPage());
  for (const {code} of [used, expired, deleted]) {
    await carol.page.goto(`${server.origin}/demo#join=${code}`);
    await carol.page.getByRole('button', {name: 'Join'}).waitFor();
    await log.expecting(REFUSED, async () => {
      await carol.join('carol');
      await carol.page.getByText('This link lets nobody in any more').waitFor();
    });
    assert.equal(await carol.page.getByLabel('Your name').isVisible(), false);
  }
});

scenario('nobody gets into a room of others without a link', async ({device, log}) => {
  await DemoWindow.open(await device(), server, 'alice', 'closed');
  const {page} = new DemoWindow(await (await device()).newPage());
  await log.expecting(REFUSED, async () => {
    await page.goto(`${server.origin}/demo?user=eve&room=closed`);
    await page.getByText('you are not a member of it').waitFor();
  });
  assert.equal(await page.locator('#list-panel').isVisible(), false);
});

scenario('where the server signs no tokens, a link asks for one', async ({device}) => {
  const alice = new DemoWindow(await (await device()).newPage());
  await alice.page.goto(`${keyed.origin}/demo?room=plan`);
  await alice.page.getByLabel('Token').fill(token('alice'));
  await alice.page.getByRole('button', {name: 'Open the list'}).click();
  const bob = await DemoWindow.join(await device(), await alice.link(), token('bob'));
  assert.equal(bob.page.url(), `${keyed.origin}/demo?room=plan`);
  await bob.add('bread');
  await alice.shows('bread');
});
