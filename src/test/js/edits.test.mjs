import assert from 'node:assert/strict';
import {after} from 'node:test';

import {scenario} from './harness.mjs';
import {Server} from './server.mjs';

const server = await Server.start();
after(() => server.stop());

scenario('what is created, edited and deleted on one device is so on another', server, async open => {
  const laptop = open('alice');
  await laptop.mutate.put({key: 'title', value: 'plan'});
  await laptop.mutate.put({key: 'owner', value: {name: 'Alice', age: 30}});
  await laptop.settled();
  const phone = open('alice', {device: 'phone'});
  await phone.shows('owner', {name: 'Alice', age: 30});

  await phone.mutate.put({key: 'title', value: 'the plan'});
  await phone.mutate.patch({key: 'owner', merge: {age: 31, town: {name: 'Bath'}}});
  await phone.settled();
  await laptop.shows('owner', {name: 'Alice', age: 31, town: {name: 'Bath'}});
  await laptop.mutate.del({key: 'title'});
  await laptop.settled();
  await phone.shows('title', undefined);

  const expected = new Map([['owner', {name: 'Alice', age: 31, town: {name: 'Bath'}}]]);
  assert.deepEqual(await laptop.view(), expected);
  assert.deepEqual(await phone.view(), expected);
});

scenario('what is deleted may be created again', server, async open => {
  const laptop = open('alice');
  const phone = open('alice', {device: 'phone'});
  for (const value of ['first', 'second', 'third']) {
    await laptop.mutate.put({key: 'note', value});
    await laptop.settled();
    await phone.shows('note', value);
    await phone.mutate.del({key: 'note'});
    await phone.settled();
    await laptop.shows('note', undefined);
  }
});

function nested(depth) {
  if (depth === 0) {
    return 'core';
  }
  return depth % 2 ? [nested(depth - 1)] : {in: nested(depth - 1)};
}

const VALUES = {
  null: null,
  true: true,
  false: false,
  zero: 0,
  negative: -17,
  'the largest safe integer': Number.MAX_SAFE_INTEGER,
  'an unsafe integer': 12345678901234567890,
  'the smallest fraction': Number.MIN_VALUE,
  'the largest number': Number.MAX_VALUE,
  'a fraction without an exact binary form': 0.1,
  'an empty string': '',
  'a string of every script': 'Ünïcödé · кириллица · العربية · 漢字 · 😀 · e\u0301 and é',
  'control characters': '\0\u0001\b\t\n\f\r\u001f\u007f\u0085\u2028\u2029\ufeff\ufffe\uffff',
  'quotes and slashes': '"\\/\'</script>',
  'lone surrogates': ['\ud800', '\udfff', 'a\ud83d', '\ude00b', '\udc00\ud800'],
  'an empty array': [],
  'an empty object': {},
  'an array of every kind': [null, true, 1, 'x', [], {}],
  'members in their order': {z: 1, a: 2, 'm\0': 3, '': 4, '10': 5, '9': 6},
  'members that objects have by nature': JSON.parse('{"__proto__":{"x":1},"constructor":2}'),
  'a value 500 deep': nested(500),
  'a value of 900 kB': 'x'.repeat(900_000),
};

scenario('a value of any kind arrives as it was sent', server, async open => {
  const laptop = open('alice');
  for (const [key, value] of Object.entries(VALUES)) {
    await laptop.mutate.put({key, value});
  }
  await laptop.settled();

  for (const tab of [laptop, open('alice', {device: 'phone'})]) {
    await tab.pulled();
    const view = await tab.view();
    for (const [key, value] of Object.entries(VALUES)) {
      assert.equal(JSON.stringify(view.get(key)), JSON.stringify(value), `${key} on ${tab.device}`);
    }
    assert.equal(view.size, Object.keys(VALUES).length);
  }
});

const KEYS = [
  '',
  ' ',
  '\0',
  'a\0b',
  'a',
  'A',
  '/',
  'списо́к/1',
  'e\u0301',
  'é',
  '\uffff',
  '😀',
  '\ud800',
  '\ud800x',
  '\udfff',
  '\ufffd',
  '\u2028',
  '__proto__',
  'constructor',
  '"quoted"',
  'long'.repeat(256),
];

scenario('a key of any kind is a key of its own, till it is deleted', server, async open => {
  const laptop = open('alice');
  const phone = open('alice', {device: 'phone'});
  for (const key of KEYS) {
    await laptop.mutate.put({key, value: `at ${key}`});
  }
  await laptop.settled();
  await phone.pulled();
  const shown = await phone.view();
  assert.deepEqual(KEYS.map(key => shown.get(key)), KEYS.map(key => `at ${key}`));
  assert.equal(shown.size, KEYS.length);

  for (const key of KEYS) {
    await phone.mutate.del({key});
  }
  await phone.settled();
  await laptop.pulled();
  assert.deepEqual(await laptop.view(), new Map());
});

scenario('a client shows its own edits from the first moment on', server, async open => {
  const laptop = open('alice');
  laptop.goOffline();
  await laptop.mutate.put({key: 'draft', value: 1});
  assert.equal(await laptop.get('draft'), 1);
  assert.equal((await laptop.pending()).length, 1);

  laptop.goOnline();
  await laptop.settled();
  assert.equal(await laptop.get('draft'), 1);
});
