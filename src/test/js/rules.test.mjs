import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';
import {after} from 'node:test';
import {fileURLToPath} from 'node:url';

import {scenario} from './harness.mjs';
import {found, mutators} from './rules/mutators.mjs';
import {Server} from './server.mjs';
import {eventually} from './waiting.mjs';

const FILE = fileURLToPath(new URL('rules/mutators.mjs', import.meta.url));
const server = await Server.start({REPLISTREAM_MUTATORS_FILE: FILE, REPLISTREAM_MUTATORS_BUILT_IN: undefined, REPLISTREAM_ROOMS_MEMBERSHIP: undefined, REPLISTREAM_MUTATORS_MAX_CPU: 'PT3S'}, '');
after(() => server.stop());

const RULES = {mutators, live: true};

scenario('each expression has the value on the server that it has in the browser', server, async open => {
  const alice = open('alice', RULES);
  await alice.listening();
  await alice.mutate.evaluate();
  const expected = [...found];
  await alice.settled();
  await eventually('the results are there', async () => (await alice.view()).has('results'));

  const results = (await alice.view()).get('results');
  assert.ok(expected.length >= 100, `there are ${expected.length}`);
  expected.forEach((value, i) => assert.equal(results[i], value, `expression ${i}`));
});

scenario('a rule of the server decides, and its author is told why', server, async open => {
  const told = [];
  const alice = open('alice', {...RULES, onRejected: rejection => told.push(rejection)});
  await alice.listening();
  await alice.mutate.buy({item: 'tea'});
  await alice.mutate.bug();
  await alice.mutate.loop();
  await alice.mutate.put({key: 'after', value: 1});
  await alice.settled();
  await alice.shows('after', 1);

  assert.deepEqual(Object.keys(Object.fromEntries(await alice.view())), ['after']);
  await eventually('the log says where', () => /event=mutation-failed .*name="?bug"? .*mutators\.mjs:\d+:\d+/.test(server.output));
  const line = (await readFile(FILE, 'utf8')).split('\n').findIndex(each => each.includes('none.missing')) + 1;
  assert.match(server.output, new RegExp(`mutators\\.mjs:${line}:`));
  assert.match(server.output, /name="?loop"? .*mutators.max-(cpu|memory|statements)/);
});

scenario('what an owner shares is seen by whom they invite, and by whoever knows the word', server, async open => {
  const [alice, bob] = [open('alice', RULES), open('bob', RULES)];
  await Promise.all([alice.listening(), bob.listening()]);
  await alice.mutate.share({room: 'tea', user: 'carol'});
  await alice.mutate.put({key: 'word', value: 'sesame', room: 'tea'});
  await alice.settled();

  await bob.mutate.knock({room: 'tea', word: 'open'});
  await bob.settled();
  assert.deepEqual(await bob.view(), new Map());
  await bob.mutate.knock({room: 'tea', word: 'sesame'});
  await bob.settled();
  await bob.shows('word', 'sesame');
});
