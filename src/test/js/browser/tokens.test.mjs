import assert from 'node:assert/strict';

import {Server, token} from '../server.mjs';
import {eventually} from '../waiting.mjs';
import {call, haveStreams} from './api.mjs';
import {scenario, startBrowser} from './harness.mjs';
import {Site} from './site.mjs';
import {addTabPage, Tab} from './tab.mjs';

const TTL_SECONDS = 4;
const REFUSED = /^Failed to load resource: the server responded with a status of 401 \(Unauthorized\)$/;

const [server, site] = await Promise.all([
  Server.start({REPLISTREAM_AUTH_CLOCK_SKEW: 'PT0S'}),
  Site.start(),
  startBrowser(),
]);
await addTabPage(site);

const minted = tab => tab.page.evaluate(() => tab.minted());

scenario('tokens are renewed before they expire, and the user notices nothing', async ({device}) => {
  site.mint = user => token(user, TTL_SECONDS);
  const tab = await Tab.open(await device(), site, server, 'alice');
  await tab.sees('connected');
  const before = await minted(tab);

  await eventually('two more tokens', async () => (await minted(tab)) >= before + 2, 30_000);
  await tab.sees('connected', 3);
  await haveStreams(server, 'alice', 1);
  const syncs = (await tab.events('sync')).length;
  await call(server, 'alice', 'POST', 'poke-user');
  await tab.sees('sync', syncs + 1);
  await tab.put('key', 'written with the third token');
  await tab.isSaved();
  assert.deepEqual(await tab.events('offline'), []);
  assert.deepEqual(await tab.events('expired'), []);
});

scenario('a user whose fresh tokens are refused is told once, and the server is left alone', async ({device, log}) => {
  site.mint = user => token(user, TTL_SECONDS);
  const tab = await Tab.open(await device(), site, server, 'bob');
  await tab.sees('connected');

  site.mint = user => `${token(user).slice(0, -6)}forged`;
  await log.expecting(REFUSED, () => tab.sees('expired'));
  const [{status, final}] = await tab.events('expired');
  assert.deepEqual({status, final}, {status: 401, final: true});
  await haveStreams(server, 'bob', 0);

  const requests = tab.requests('stream').length;
  assert.ok(requests <= 4, `${requests} attempts`); // the first, the renewal, its token again, a fresh one
  site.mint = user => token(user);
  await tab.page.evaluate(() => tab.sse.connect());
  await tab.sees('connected', 2);
  assert.equal(tab.requests('stream').length, requests + 1);
  assert.equal((await tab.events('expired')).length, 1);
  await tab.put('key', 'after signing in again');
  await tab.isSaved();
});
