import assert from 'node:assert/strict';

import {Server, token} from '../server.mjs';
import {eventually} from '../waiting.mjs';
import {call, haveStreams} from './api.mjs';
import {scenario, startBrowser} from './harness.mjs';
import {Site} from './site.mjs';
import {addTabPage, Tab} from './tab.mjs';

const [server, site] = await Promise.all([
  Server.start({
    REPLISTREAM_STREAM_MAX_CONNECTIONS_PER_USER: '1',
    REPLISTREAM_STREAM_RETRY: 'PT1S',
    REPLISTREAM_STREAM_DRAIN: 'PT1S',
  }),
  Site.start(),
  startBrowser(),
]);
await addTabPage(site);
await site.addPage('empty', '');

scenario('a native EventSource with a ticket survives that the server drains and starts again', async ({device, log}) => {
  const tab = await Tab.open(await device(), site, server, 'alice', 'eventsource');
  await tab.sees('connected');
  assert.equal((await tab.events('connected'))[0].transport, 'eventsource');
  await call(server, 'alice', 'POST', 'poke-user');
  await tab.sees('sync');

  await log.whileUnreachable(async () => {
    await server.drain();
    await tab.sees('offline');
    await server.restart();
    await tab.sees('connected', 2);
  });
  const syncs = (await tab.events('sync')).length;
  await call(server, 'alice', 'POST', 'poke-user');
  await tab.sees('sync', syncs + 1);
  assert.equal(tab.requests('ticket').length >= 2, true);
  assert.equal((await tab.events()).at(-1).transport, 'eventsource');
});

scenario('a native EventSource over a limit comes in as soon as there is room', async ({device}) => {
  const first = await Tab.open(await device(), site, server, 'bob', 'eventsource');
  await first.sees('connected');
  const second = await Tab.open(await device(), site, server, 'bob', 'eventsource');
  await second.sees('offline');
  assert.deepEqual(await second.events('connected'), []);

  await first.page.close();
  await second.sees('connected');
  await haveStreams(server, 'bob', 1);
});

scenario('an EventSource written by hand is never left closed by a limit', async ({device}) => {
  const holder = await Tab.open(await device(), site, server, 'carol');
  await holder.sees('connected');
  const page = await (await device()).newPage();
  await page.goto(`${site.origin}/empty`);
  await page.evaluate(
    async ({api, token}) => {
      const answer = await fetch(`${api}/ticket`, {method: 'POST', headers: {Authorization: `Bearer ${token}`}});
      const {ticket} = await answer.json();
      window.states = [];
      window.messages = [];
      const source = new EventSource(`${api}/stream?ticket=${ticket}`);
      source.onerror = () => states.push(source.readyState);
      source.onmessage = ({data}) => messages.push(data);
    },
    {api: server.url, token: token('carol')},
  );
  const {CONNECTING} = await page.evaluate(() => ({CONNECTING: EventSource.CONNECTING}));
  await eventually('two refusals', async () => (await page.evaluate(() => states)).length >= 2, 60_000);
  assert.deepEqual(await page.evaluate(() => messages), []);

  await holder.page.close();
  await eventually('connected', async () => (await page.evaluate(() => messages)).includes('connected'), 60_000);
  assert.deepEqual(new Set(await page.evaluate(() => states)), new Set([CONNECTING]));
});
