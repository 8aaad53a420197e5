import assert from 'node:assert/strict';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after} from 'node:test';
import {fileURLToPath, pathToFileURL} from 'node:url';

import {build} from 'esbuild';

import {converge} from './convergence.mjs';
import {scenario} from './harness.mjs';
import {realFetch} from './network.mjs';
import {Server, token} from './server.mjs';
import {areTold, listener} from './told.mjs';
import {eventually} from './waiting.mjs';

const path = relative => fileURLToPath(new URL(relative, import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'replistream-rules-'));
const file = join(folder, 'mutators.js');
const alias = {replistream: path('../../main/js/replistream.js')};
await build({entryPoints: [path('rules/bundled.mjs')], bundle: true, format: 'esm', alias, outfile: file});
const server = await Server.start({REPLISTREAM_MUTATORS_FILE: file, REPLISTREAM_MUTATORS_BUILT_IN: undefined}, '');
after(async () => {
  await server.stop();
  await rm(folder, {recursive: true});
});

const {mutators} = await import(pathToFileURL(file));

const GOOD = [
  {id: ' tea ', email: 'alice@shop.example'},
  {id: 'milk', email: 'a.b+c@shop.example', count: 2, sizes: ['small', 'large'], due: '2026-01-31T12:00:00Z', more: 'left out'},
  {id: '\u{1f375}', email: 'alice@shop.example', sizes: []},
];

const BAD = [
  [{id: '', email: 'alice@shop.example'}, 'too_small'],
  [{id: 'x'.repeat(21), email: 'alice@shop.example'}, 'too_big'],
  [{id: 'a', email: 'nobody'}, 'invalid_format'],
  [{id: 'a', email: 'alice@shop.example', count: 1.5}, 'invalid_type'],
  [{id: 'a', email: 'alice@shop.example', sizes: ['huge']}, 'invalid_value'],
  [{id: 'a', email: 'alice@shop.example', due: 'tomorrow'}, 'invalid_format'],
  [{id: 7}, 'invalid_type'],
  ['a text', 'invalid_type'],
];

scenario('what zod makes of arguments is the same in the browser and on the server', server, async open => {
  const [alice, phone] = [open('alice', {mutators}), open('alice', {mutators, device: 'phone'})];
  for (const args of GOOD) {
    await alice.mutate.order(args);
  }
  const expected = await alice.view();
  await alice.settled();
  await phone.settled();

  assert.equal(expected.get('order/milk').due, Date.parse('2026-01-31T12:00:00Z'));
  assert.deepEqual([...expected.keys()], ['order/milk', 'order/tea', 'order/\u{1f375}']);
  assert.deepEqual(await alice.view(), expected);
  await phone.pulled();
  assert.deepEqual(await phone.view(), expected);
});

scenario('what zod finds wrong with arguments is the reason that their author is told', server, async open => {
  const alice = open('alice', {mutators});
  const live = listener(server, alice.userID);
  await live.connected;
  const expected = [];
  for (const [args, code] of BAD) {
    const error = await alice.mutate.order(args).then(() => assert.fail('accepted'), thrown => thrown);
    expected.push([code, error.message]);
    assert.equal(error.code, code);
    await alice.mutate.orderUnchecked(args);
  }
  await alice.mutate.order(GOOD[0]);
  await alice.settled();
  await areTold(BAD.length, live);

  assert.deepEqual(live.told.map(({code, message}) => [code, message]), expected);
  assert.deepEqual([...(await alice.view()).keys()], ['order/tea']);
  const response = await realFetch(`${server.url}/rejections`, {headers: {Authorization: `Bearer ${token(alice.userID)}`}});
  const {rejections} = await response.json();
  assert.deepEqual(rejections.map(({name, code, message}) => [name, code, message]), expected.map(each => ['orderUnchecked', ...each]));
});

scenario('no mutation changes zod for the next ones, and an error of zod without a code is a bug', server, async open => {
  const alice = open('alice', {mutators});
  const live = listener(server, alice.userID);
  await live.connected;
  await alice.mutate.configure();
  await alice.mutate.orderParsed({id: ''});
  await alice.mutate.orderUnchecked({id: 'a', email: 'nobody'});
  await alice.settled();
  await areTold(3, live);

  assert.deepEqual(
    live.told.map(({name, code, message}) => [name, code, message]),
    [
      ['configure', 'failed', 'The mutator failed.'],
      ['orderParsed', 'failed', 'The mutator failed.'],
      ['orderUnchecked', 'invalid_format', 'email: Invalid email address'],
    ],
  );
  assert.deepEqual(await alice.view(), new Map());
  await eventually('the log says what zod found', () => /event=mutation-failed .*ZodError.*too_small/.test(server.output));
});

converge('one server with rules in JavaScript', server, [server]);
