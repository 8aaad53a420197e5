import assert from 'node:assert/strict';

import {realFetch} from '../network.mjs';
import {Server, token} from '../server.mjs';
import {eventually} from '../waiting.mjs';
import {call, haveStreams} from './api.mjs';
import {startDevelopmentServer} from './demo.mjs';
import {scenario, startBrowser} from './harness.mjs';
import {Site} from './site.mjs';
import {addTabPage, Tab} from './tab.mjs';

const [server, console_, site] = await Promise.all([
  Server.start({REPLISTREAM_STREAM_RETRY: 'PT0.2S'}),
  startDevelopmentServer(),
  Site.start(),
  startBrowser(),
]);
await addTabPage(site);
await site.addPage('empty', '');

const panel = (page, user) => page.getByRole('region', {name: `User ${user}`});
const rows = (page, user) => panel(page, user).getByRole('table', {name: 'open connections'}).locator('tbody tr');

async function end(user, id) {
  const response = await realFetch(`${server.url}/sessions/${id}`, {
    method: 'DELETE',
    headers: {Authorization: `Bearer ${token(user)}`},
  });
  assert.equal(response.status, 204);
}

async function endAll(user) {
  const {sessions} = await call(server, user, 'GET', 'sessions');
  assert.ok(sessions.length > 0);
  for (const {id} of sessions) {
    await end(user, id);
  }
  return sessions;
}

scenario('the console lists the connections of a user, and ends one that then stays away', async ({device}) => {
  const [first, second] = await Promise.all([device(), device()]);
  const mine = await first.newPage();
  await mine.goto(`${console_.origin}/?user=alice`);
  await panel(mine, 'alice').locator('[data-state="connected"]').waitFor();
  const other = await second.newPage();
  await other.goto(`${console_.origin}/?user=alice`);
  await panel(other, 'alice').locator('[data-state="connected"]').waitFor();
  await eventually('two connections', async () => (await rows(other, 'alice').count()) === 2, 30_000);
  assert.deepEqual(await rows(other, 'alice').locator('td:nth-child(1)').allTextContents(), Array(2).fill('Chrome on Linux'));
  assert.deepEqual(await rows(other, 'alice').locator('td:nth-child(2)').allTextContents(), Array(2).fill('sse'));

  await rows(other, 'alice').first().getByRole('button', {name: 'End the connection of Chrome on Linux'}).click();

  await panel(mine, 'alice').locator('[data-state="offline"]').waitFor();
  await panel(mine, 'alice').getByText('stopped', {exact: true}).waitFor();
  await panel(mine, 'alice').getByRole('button', {name: 'Connect', exact: true}).waitFor();
  await eventually('one connection', async () => (await rows(other, 'alice').count()) === 1);
  await panel(other, 'alice').getByRole('button', {name: 'Poke'}).click();
  await panel(other, 'alice').locator('[data-part="syncs"]').getByText('1', {exact: true}).waitFor();
  assert.equal(await panel(mine, 'alice').locator('[data-part="syncs"]').textContent(), '0');

  await panel(mine, 'alice').getByRole('button', {name: 'Connect', exact: true}).click();
  await panel(mine, 'alice').locator('[data-state="connected"]').waitFor();
});

scenario('who ends its own connection on the console is offline, and sees itself no longer', async ({device}) => {
  const page = await (await device()).newPage();
  await page.goto(`${console_.origin}/?user=bob`);
  await panel(page, 'bob').locator('[data-state="connected"]').waitFor();
  await rows(page, 'bob').getByRole('button', {name: /^End/}).click();

  await panel(page, 'bob').locator('[data-state="offline"]').waitFor();
  await eventually('no connection', async () => (await rows(page, 'bob').count()) === 0);
});

for (const transport of ['fetch', 'eventsource']) {
  scenario(`tabs whose stream is ended stop for good, by ${transport}`, async ({device}) => {
    const user = `carol-${transport}`;
    const context = await device();
    const tabs = [];
    for (let i = 0; i < 3; i++) {
      tabs.push(await Tab.open(context, site, server, user, transport));
    }
    await Promise.all(tabs.map(tab => tab.sees('connected')));
    const [{device: label}] = await endAll(user);
    assert.equal(label, 'Chrome on Linux');

    for (const tab of tabs) {
      await tab.sees('offline');
      const [{reason, final}] = await tab.events('offline');
      assert.deepEqual({reason, final}, {reason: 'stopped', final: true});
    }
    await haveStreams(server, user, 0);
    assert.equal(tabs.flatMap(tab => tab.requests('stream')).length, 1);
    await tabs[1].page.evaluate(() => tab.sse.connect());
    await tabs[1].sees('connected', 2);
    await haveStreams(server, user, 1);
  });
}

scenario('an EventSource written by hand comes back once, is told 204, and stops', async ({device}) => {
  const page = await (await device()).newPage();
  const answers = [];
  page.on('response', response => new URL(response.url()).pathname.endsWith('/stream') && answers.push(response.status()));
  await page.goto(`${site.origin}/empty`);
  await page.evaluate(
    async ({api, token}) => {
      const answer = await fetch(`${api}/ticket`, {method: 'POST', headers: {Authorization: `Bearer ${token}`}});
      const {ticket} = await answer.json();
      window.events = [];
      window.source = new EventSource(`${api}/stream?ticket=${ticket}&device=By+hand`);
      source.onmessage = ({data}) => events.push(data);
      source.addEventListener('ended', ({data, lastEventId}) => events.push(`${data} ${lastEventId.slice(0, 6)}`));
    },
    {api: server.url, token: token('dora')},
  );
  await eventually('connected', async () => (await page.evaluate(() => events)).includes('connected'));

  const [{device: label}] = await endAll('dora');

  assert.equal(label, 'By hand');
  await eventually('closed', () => page.evaluate(() => source.readyState === EventSource.CLOSED), 30_000);
  assert.deepEqual(await page.evaluate(() => events), ['connected', 'ended ended-']);
  assert.deepEqual(answers, [200, 204]);
});

scenario('a user whose tokens are revoked is offline until there is a new one', async ({device, log}) => {
  const old = token('emil', 3600, {iat: Math.floor(Date.now() / 1000) - 60});
  site.mint = () => old;
  const tab = await Tab.open(await device(), site, server, 'emil');
  await tab.sees('connected');

  // the client pulls with the old token till it has a new one
  await log.expecting(/status of 401|doing pull: 401/, async () => {
    const response = await realFetch(`${server.url}/revoke`, {
      method: 'POST',
      headers: {Authorization: `Bearer ${token('backend', 60, {scope: 'replicache:revoke'})}`},
      body: JSON.stringify({userId: 'emil'}),
    });
    assert.deepEqual({status: response.status, ended: (await response.json()).connectionsEnded}, {status: 200, ended: 1});
    await tab.sees('expired');
    const second = () => Math.floor(Date.now() / 1000);
    const revokedBy = second();
    await eventually('the next second', () => second() > revokedBy);
    site.mint = user => token(user, 3600, {iat: second()});
    await tab.page.evaluate(() => tab.sse.connect());
    await tab.sees('connected', 2);
    await tab.put('key', 'after signing in again');
    await tab.isSaved();
  });
});
