import assert from 'node:assert/strict';

import {Server} from '../server.mjs';
import {eventually} from '../waiting.mjs';
import {call, haveStreams, streams} from './api.mjs';
import {scenario, startBrowser} from './harness.mjs';
import {Site} from './site.mjs';
import {addTabPage, Tab} from './tab.mjs';

const [server, site] = await Promise.all([Server.start(), Site.start(), startBrowser()]);
await addTabPage(site);

const open = (device, user, count) =>
  Promise.all(Array.from({length: count}, () => Tab.open(device, site, server, user)));

const all = (tabs, action) => Promise.all(tabs.map(action));

scenario('eight tabs hold one stream, and push and pull stay free', async ({device}) => {
  const tabs = await open(await device(), 'alice', 8);
  await all(tabs, tab => tab.sees('connected'));
  assert.equal(await streams(server, 'alice'), 1);

  await all(tabs, tab => tab.forget());
  await all(tabs, (tab, i) => tab.put(`key ${i}`, i));
  await all(tabs, tab => tab.isSaved());
  await all(tabs, tab => eventually('a push that is answered', () => tab.answered('push')));
  await all(tabs, tab => eventually('a pull that is answered', () => tab.answered('pull')));
  await all(tabs, tab => all([0, 1, 2, 3, 4, 5, 6, 7], i => tab.shows(`key ${i}`, i)));
  assert.equal(await streams(server, 'alice'), 1);
  assert.equal((await all(tabs, tab => tab.holds())).filter(Boolean).length, 1);
});

scenario('another tab takes over from the holder that closes, without a lost sync', async ({device}) => {
  let tabs = await open(await device(), 'bob', 4);
  const [other] = await open(await device(), 'bob', 1);
  await all([...tabs, other], tab => tab.sees('connected'));

  for (const turn of [1, 2, 3]) {
    const holding = await all(tabs, tab => tab.holds());
    const holder = tabs[holding.indexOf(true)];
    tabs = tabs.filter(tab => tab !== holder);
    // the holder may have told the others of this one, or not
    await Promise.all([other.put('turn', turn), holder.page.close()]);
    await other.isSaved();

    await all(tabs, tab => tab.shows('turn', turn));
    await all(tabs, tab => tab.sees('connected', turn + 1));
    await haveStreams(server, 'bob', 2);
  }
});

/** Pokes, and waits till each tab has pulled for it: what it did before has come to an end too. */
async function settle(tabs, user) {
  const syncs = await all(tabs, async tab => (await tab.events('sync')).length);
  await call(server, user, 'POST', 'poke-user');
  await all(tabs, (tab, i) => tab.sees('sync', syncs[i] + 1));
  await all(tabs, tab => tab.isQuiet());
}

scenario('all tabs recover from a restart of the server with one pull each', async ({device, log}) => {
  const tabs = await open(await device(), 'carol', 8);
  await all(tabs, tab => tab.sees('connected'));
  await settle(tabs, 'carol');

  await log.whileUnreachable(async () => {
    tabs.forEach(tab => tab.forget());
    await server.kill();
    await all(tabs, tab => tab.sees('offline'));
    await server.restart();
    await all(tabs, tab => tab.sees('connected', 2));
    await all(tabs, tab => eventually('a pull that is answered', () => tab.answered('pull')));
  });
  await settle(tabs, 'carol');
  // one of the restart, and one of the poke
  assert.deepEqual(tabs.map(tab => tab.requests('pull').length), tabs.map(() => 2));
  assert.equal(await streams(server, 'carol'), 1);
});

scenario('each tab of a user says once what was rejected, also one that comes later, and no other user does', async ({device, log}) => {
  const [laptop, phone, strange] = await Promise.all([device(), device(), device()]);
  const [tabs, [elsewhere], [stranger]] = await Promise.all([open(laptop, 'dora', 3), open(phone, 'dora', 1), open(strange, 'eve', 1)]);
  await all([...tabs, elsewhere, stranger], tab => tab.sees('connected'));
  await tabs[1].put('kept', 1);
  await tabs[1].put('poison', 'x'.repeat(1_100_000));
  await tabs[1].isSaved();
  await all([...tabs, elsewhere], tab => tab.sees('rejected'));
  await tabs[1].shows('poison', undefined);

  const [told] = await tabs[0].events('rejected');
  const {type, seq, holder, ...rejection} = told;
  const clientID = await tabs[1].page.evaluate(() => tab.rep.clientID);
  assert.deepEqual(rejection, {clientID, id: 2, name: 'put', code: 'value-too-large', message: 'the value has too many bytes'});

  // this browser has told of it, and another one has not
  const [later] = await open(laptop, 'dora', 1);
  await tabs[0].page.reload();
  const [newest] = await open(await device(), 'dora', 1);
  await all([later, tabs[0], newest], tab => eventually('it has asked', () => tab.answered('rejections')));
  await newest.sees('rejected');
  await settle([...tabs, later, elsewhere, newest], 'dora');
  const counts = await all([...tabs, later, elsewhere, newest, stranger], async tab => (await tab.events('rejected')).length);
  assert.deepEqual(counts, [0, 1, 1, 0, 1, 1, 0]);
  const warnings = log.lines.filter(line => line.startsWith('warning: Replistream: the mutation put had no effect: value-too-large: '));
  assert.equal(warnings.length, 5);
});
