import assert from 'node:assert/strict';

import {Proxy} from '../proxy.mjs';
import {Server, token} from '../server.mjs';
import {call, haveStreams} from './api.mjs';
import {scenario, startBrowser} from './harness.mjs';
import {Site} from './site.mjs';
import {addTabPage, Tab} from './tab.mjs';

const [site, foreign] = await Promise.all([Site.start(), Site.start(), startBrowser()]);
const server = await Server.start({
  REPLISTREAM_CORS_ALLOW_ORIGINS: site.origin,
  REPLISTREAM_CONSOLE: 'true', // for a page of the server's own
  REPLISTREAM_STREAM_MAX_CONNECTIONS_PER_USER: '2',
  REPLISTREAM_STREAM_RETRY: 'PT0.5S',
  REPLISTREAM_STREAM_DRAIN: 'PT1S',
});
await addTabPage(site);
await Promise.all([site, foreign].map(each => each.addPage('empty', '')));

const FAILED = /^(Failed to load resource: |WebSocket connection to .* failed: )/;

/** Opens a WebSocket in a page, and gives its first frame, or the code that it was closed with. */
const firstOf = (page, query = '') =>
  page.evaluate(
    url =>
      new Promise(resolve => {
        const socket = new WebSocket(url);
        socket.onmessage = ({data}) => {
          resolve(data);
          socket.close();
        };
        socket.onclose = ({code, reason, wasClean}) => resolve({code, reason, wasClean});
      }),
    `${server.url.replace(/^http/, 'ws')}/ws${query}`,
  );

scenario('a page whose streams are held back syncs over a WebSocket', async ({device, log}) => {
  const proxy = await Proxy.start(server);
  const other = await Tab.open(await device(), site, server, 'alice');
  await other.sees('connected');
  const held = await log.expecting(FAILED, async () => {
    const tab = await Tab.open(await device(), site, proxy, 'alice', '', {connectTimeout: 1_000});
    await tab.sees('connected');
    return tab;
  });
  assert.equal((await held.events('connected'))[0].transport, 'websocket');
  const reasons = (await held.events('offline')).map(({reason}) => reason);
  assert.equal(reasons.length, 3);
  assert.equal(reasons[0], 'timeout');
  // a stream that was given up counts until the server sees its end, and alice may have two
  assert.ok(reasons.every(reason => ['timeout', 'refused'].includes(reason)), `${reasons}`);

  for (let i = 0; i < 3; i++) {
    await other.put('key', `${i} of the other`);
    await held.shows('key', `${i} of the other`);
    await held.put('key', `${i} of this one`);
    await other.shows('key', `${i} of this one`);
  }
  assert.deepEqual((await held.events()).filter(({type}) => type === 'offline').length, 3);
  proxy.stop();
});

scenario('a WebSocket that was cut off comes back to what it missed', async ({device, log}) => {
  const proxy = await Proxy.start(server);
  const tab = await Tab.open(await device(), site, proxy, 'bob', 'websocket');
  await tab.sees('connected');
  await call(server, 'bob', 'POST', 'poke-user');
  await tab.sees('sync');

  await log.expecting(FAILED, async () => {
    proxy.cut();
    await tab.sees('connected', 2);
  });
  await call(server, 'bob', 'POST', 'poke-user');
  await tab.sees('sync', 2);
  await tab.isQuiet();
  assert.equal((await tab.events('sync')).length, 2);
  const [, {query}] = proxy.requestsFor('ws');
  assert.equal(query.lastEventId, (await tab.events('sync'))[0].id);
  proxy.stop();
});

scenario('a page with WebSockets survives that the server drains and starts again', async ({device, log}) => {
  const tab = await Tab.open(await device(), site, server, 'carol', 'websocket');
  await tab.sees('connected');

  await log.expecting(FAILED, async () => {
    await server.drain();
    await tab.sees('offline');
    await server.restart();
    await tab.sees('connected', 2);
  });
  assert.equal((await tab.events('offline'))[0].reason, 'ended');
  const syncs = (await tab.events('sync')).length;
  await call(server, 'carol', 'POST', 'poke-user');
  await tab.sees('sync', syncs + 1);
});

scenario('a page over a limit comes in as soon as there is room', async ({device}) => {
  const tabs = [];
  for (let i = 0; i < 3; i++) {
    tabs.push(await Tab.open(await device(), site, server, 'dave', i === 0 ? '' : 'websocket'));
    await tabs[i].sees(i < 2 ? 'connected' : 'offline');
  }
  const [{reason, delay}] = await tabs[2].events('offline');
  assert.equal(reason, 'refused');
  assert.ok(delay >= 500, `${delay} ms`);

  await tabs[0].page.close(); // a stream makes room for a WebSocket
  await tabs[2].sees('connected');
  await haveStreams(server, 'dave', 2);
});

scenario('a WebSocket by the cookie opens from an allowed origin and from the own, and from no other', async ({device, log}) => {
  const context = await device();
  await context.addCookies([{name: 'replistream_token', value: token('erin'), url: server.origin, httpOnly: true, sameSite: 'Lax'}]);
  const page = await context.newPage();
  for (const address of [`${site.origin}/empty`, `${server.origin}/`]) {
    await page.goto(address);
    assert.equal(await firstOf(page), 'connected', address);
  }

  await page.goto(`${foreign.origin}/empty`);
  await log.expecting(FAILED, async () => {
    assert.deepEqual(await firstOf(page), {code: 1006, reason: '', wasClean: false});
  });
});

scenario('a ticket opens one WebSocket, from any page', async ({device, log}) => {
  const page = await (await device()).newPage();
  await page.goto(`${foreign.origin}/empty`);
  const {ticket} = await call(server, 'frank', 'POST', 'ticket');
  assert.match(await firstOf(page, `?ticket=${ticket}&lastEventId=`), /^connected [0-9a-f]{8}-\d+$/);

  await log.expecting(FAILED, async () => {
    assert.equal((await firstOf(page, `?ticket=${ticket}`)).code, 1006);
  });
});
