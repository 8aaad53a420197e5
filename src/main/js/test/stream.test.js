import assert from 'node:assert/strict';
import {after, afterEach, beforeEach, test} from 'node:test';

import {PokeServer, Tab, aWhile, eventually, pause, token, tokenOf} from './support.js';

let server;
let tabs = [];

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(async () => {
  tabs.forEach(tab => tab.sse.disconnect());
  tabs = [];
  await server.stop();
});

function open(options) {
  const tab = new Tab(server, options);
  tabs.push(tab);
  tab.sse.connect();
  return tab;
}

test('it pulls once when connected, once for each sync, and never for a ping', async () => {
  const tab = open();
  await tab.pulled(1);
  assert.deepEqual(await tab.heard('connected'), {type: 'connected', id: '7f3a-0', transport: 'fetch', holder: true});
  server.say('data: ping\n\n');
  await aWhile();
  assert.equal(tab.pulls, 1);

  server.poke();
  await tab.pulled(2);
  server.poke();
  await tab.pulled(3);
  server.say('data: ping\n\ndata: other\n\nevent: sync\ndata: sync\n\n');
  await aWhile();

  assert.equal(tab.pulls, 3);
  assert.deepEqual(tab.of('sync').map(({id}) => id), ['7f3a-1', '7f3a-2']);
  assert.equal(server.requests.length, 1);
});
