import assert from 'node:assert/strict';
import {after} from 'node:test';

import {builtInMutators} from '../../main/js/replistream.js';
import {scenario} from './harness.mjs';
import {Server} from './server.mjs';

const server = await Server.start();
after(() => server.stop());

const json = text => JSON.parse(text); // for what a literal can't say, such as a member called __proto__
const ABSENT = undefined;

/** What a key holds before, what is merged into it, and what it holds after. */
const MERGES = {
  // RFC 7396, appendix A
  'a member is replaced': [{a: 'b'}, {a: 'c'}, {a: 'c'}],
  'a member is added': [{a: 'b'}, {b: 'c'}, {a: 'b', b: 'c'}],
  'the only member is removed': [{a: 'b'}, {a: null}, {}],
  'one of two members is removed': [{a: 'b', b: 'c'}, {a: null}, {b: 'c'}],
  'an array becomes a string': [{a: ['b']}, {a: 'c'}, {a: 'c'}],
  'a string becomes an array': [{a: 'c'}, {a: ['b']}, {a: ['b']}],
  'a nested member is replaced, another removed': [{a: {b: 'c'}}, {a: {b: 'd', c: null}}, {a: {b: 'd'}}],
  'arrays are replaced, not merged': [{a: [{b: 'c'}]}, {a: [1]}, {a: [1]}],
  'an array is replaced by an array': [['a', 'b'], ['c', 'd'], ['c', 'd']],
  'an object is replaced by an array': [{a: 'b'}, ['c'], ['c']],
  'an object is replaced by null': [{a: 'foo'}, null, null],
  'an object is replaced by a string': [{a: 'foo'}, 'bar', 'bar'],
  'a null that was there stays': [{e: null}, {a: 1}, {e: null, a: 1}],
  'an array is replaced by an object': [[1, 2], {a: 'b', c: null}, {a: 'b'}],
  'nulls leave nothing, however deep': [{}, {a: {bb: {ccc: null}}}, {a: {bb: {}}}],
  // more of the kind
  'what the documentation shows': [{text: 'milk', tags: {a: 1}, due: 5}, {tags: {b: 2}, due: null}, {text: 'milk', tags: {a: 1, b: 2}}],
  'an empty patch': [{a: {b: [1]}}, {}, {a: {b: [1]}}],
  'null becomes an object': [null, {a: 1, b: null}, {a: 1}],
  'a number becomes an object': [7, {a: 1}, {a: 1}],
  'a string becomes an object': ['text', {0: 'T'}, {0: 'T'}],
  'true becomes an object': [true, {a: {b: null}}, {a: {}}],
  'an object becomes false': [{a: 1}, false, false],
  'an object becomes 0': [{a: 1}, 0, 0],
  'an object becomes an empty string': [{a: 1}, '', ''],
  'a nested null becomes an object': [{a: null}, {a: {b: 1}}, {a: {b: 1}}],
  'a nested array becomes an object': [{a: [1, 2]}, {a: {0: 'x', 1: null}}, {a: {0: 'x'}}],
  'a nested object becomes an array with nulls': [{a: {b: 1}}, {a: [null, {c: null}]}, {a: [null, {c: null}]}],
  'objects in arrays are not patches': [{a: []}, {a: [{b: null}]}, {a: [{b: null}]}],
  'what is absent is not removed': [{a: 1}, {b: null, c: {d: null}}, {a: 1, c: {}}],
  'four levels': [{a: {b: {c: {d: 1, e: 2}}}}, {a: {b: {c: {d: null, f: 3}}}}, {a: {b: {c: {e: 2, f: 3}}}}],
  'integer-like names': [{2: 'b', 1: 'a', x: 1}, {1: null, 10: 'j', '01': 'o'}, {2: 'b', x: 1, 10: 'j', '01': 'o'}],
  'an empty name': [{'': 1, a: 2}, {'': {'': null}}, {'': {}, a: 2}],
  '__proto__ is added': [{a: 1}, json('{"__proto__":{"b":1}}'), json('{"a":1,"__proto__":{"b":1}}')],
  '__proto__ is merged': [json('{"__proto__":{"b":1}}'), json('{"__proto__":{"c":2}}'), json('{"__proto__":{"b":1,"c":2}}')],
  '__proto__ is removed': [json('{"__proto__":{"b":1},"a":1}'), json('{"__proto__":null}'), {a: 1}],
  '__proto__ that is absent is removed': [{a: 1}, json('{"__proto__":null}'), {a: 1}],
  '__proto__ of a value is kept': [json('{"__proto__":1,"a":1}'), {a: 2}, json('{"__proto__":1,"a":2}')],
  '__proto__ within': [{a: {}}, json('{"a":{"__proto__":{"__proto__":{"x":null,"y":1}}}}'), json('{"a":{"__proto__":{"__proto__":{"y":1}}}}')],
  'names that objects inherit': [{}, {constructor: {a: 1}, toString: null, hasOwnProperty: {}}, {constructor: {a: 1}, hasOwnProperty: {}}],
  'the largest and smallest numbers': [{}, {a: Number.MAX_VALUE, b: Number.MIN_VALUE, c: -0.1}, {a: Number.MAX_VALUE, b: Number.MIN_VALUE, c: -0.1}],
  'integers beyond 2 to the 53rd': [{a: 2 ** 53 + 2}, {b: 12345678901234567890}, {a: 2 ** 53 + 2, b: 12345678901234567890}],
  'numbers that are written in two ways': [{}, {a: 1e21, b: 1e-7, c: 1.0}, {a: 1e21, b: 1e-7, c: 1}],
  'zero has no sign': [{}, {a: -0}, {a: 0}],
  'NaN and infinity are null, which removes': [{a: 1, b: 1, c: 1}, {a: NaN, b: Infinity}, {c: 1}],
  'NaN in an array is null': [{}, {a: [NaN, 1]}, {a: [null, 1]}],
  'a member that is undefined is none': [{a: 1}, {a: undefined, b: {c: undefined}}, {a: 1, b: {}}],
  'lone surrogates': [{}, {'\ud800': '\udc00'}, {'\ud800': '\udc00'}],
  'characters of every plane': [{'é': 1}, {'e\u0301': 2, '😀': {'\0': 3}}, {'é': 1, 'e\u0301': 2, '😀': {'\0': 3}}],
  'a patch as large as 10,000 members': [
    {keep: 1},
    Object.fromEntries(Array.from({length: 10_000}, (_, i) => [`m${i}`, i % 2 ? null : i])),
    {keep: 1, ...Object.fromEntries(Array.from({length: 5_000}, (_, i) => [`m${2 * i}`, 2 * i]))},
  ],
};

/** What a key holds before, a mutation, its arguments but the key, and what the key holds after. */
const MUTATIONS = {
  ...Object.fromEntries(Object.entries(MERGES).map(([name, [before, merge, after]]) => [name, [before, 'patch', {merge}, after]])),
  'a patch of an absent key does nothing': [ABSENT, 'patch', {merge: {done: true}}, ABSENT],
  'a patch of an absent key that is no object does nothing': [ABSENT, 'patch', {merge: 7}, ABSENT],
  'a patch that must not create': [ABSENT, 'patch', {merge: {a: 1}, create: false}, ABSENT],
  'a patch of which nobody said whether it may create': [ABSENT, 'patch', {merge: {a: 1}, create: undefined}, ABSENT],
  'a patch that may create': [ABSENT, 'patch', {merge: {a: 1, b: null, c: {d: null}}, create: true}, {a: 1, c: {}}],
  'a patch that may create no object': [ABSENT, 'patch', {merge: [1, null], create: true}, [1, null]],
  'a patch that may create null': [ABSENT, 'patch', {merge: null, create: true}, null],
  'a patch that may create where there is something': [{a: 1}, 'patch', {merge: {b: 2}, create: true}, {a: 1, b: 2}],
  'a put': [ABSENT, 'put', {value: {a: [null, {b: null}]}}, {a: [null, {b: null}]}],
  'a put over another': [{a: 1}, 'put', {value: {b: 2}}, {b: 2}],
  'a put of null': [{a: 1}, 'put', {value: null}, null],
  'a put of NaN': [1, 'put', {value: NaN}, null],
  'a put with undefined within': [1, 'put', {value: {a: undefined, b: {c: undefined}}}, {b: {}}],
  'a put of __proto__': [1, 'put', {value: json('{"__proto__":{"a":1}}')}, json('{"__proto__":{"a":1}}')],
  'a put with more arguments': [1, 'put', {value: 2, merge: {}, more: true}, 2],
  'a put in no room': [1, 'put', {value: 2, room: undefined}, 2],
  'a del': [{a: 1}, 'del', {}, ABSENT],
  'a del of null': [null, 'del', {value: 1}, ABSENT],
  'a del of an absent key': [ABSENT, 'del', {}, ABSENT],
};

/** Arguments that neither side takes: nothing comes of them. */
const REFUSED = {
  'a put without a value': ['put', key => ({key})],
  'a put of undefined': ['put', key => ({key, value: undefined})],
  'a put without a key': ['put', () => ({value: 1})],
  'a put of a key that is a number': ['put', () => ({key: 7, value: 1})],
  'a put in a room that is null': ['put', key => ({key, value: 1, room: null})],
  'a put in a room that is a number': ['put', key => ({key, value: 1, room: 1})],
  'a put of an array': ['put', key => [key, 1]],
  'a put of nothing': ['put', () => undefined],
  'a put of null': ['put', () => null],
  'a patch without a merge': ['patch', key => ({key, value: {a: 1}})],
  'a patch without a key': ['patch', () => ({merge: {}})],
  'a patch in a room that is an array': ['patch', key => ({key, merge: {}, room: []})],
  'a patch that may create by a number': ['patch', key => ({key, merge: {a: 1}, create: 1})],
  'a patch that may create by null': ['patch', key => ({key, merge: {a: 1}, create: null})],
  'a del without a key': ['del', () => ({})],
  'a del of a string': ['del', key => key],
  'a del of a key that is true': ['del', () => ({key: true})],
  'a del in a room that is false': ['del', key => ({key, room: false})],
};

scenario('the built-in mutators have one effect in the browser and on the server', server, async open => {
  const laptop = open('alice', {mutators: {...builtInMutators}});
  for (const [key, [before]] of Object.entries(MUTATIONS)) {
    if (before !== ABSENT) {
      await laptop.mutate.put({key, value: before});
    }
  }
  await laptop.settled();
  laptop.goOffline();
  for (const [key, [, name, args]] of Object.entries(MUTATIONS)) {
    await laptop.mutate[name]({key, ...args});
  }
  const inBrowser = await laptop.view();
  laptop.goOnline();
  await laptop.settled();
  const phone = open('alice', {device: 'phone'});
  await phone.pulled();
  const onServer = await phone.view();

  for (const [key, [, , , after]] of Object.entries(MUTATIONS)) {
    assert.deepEqual(onServer.get(key), after, `${key}, on the server`);
    assert.deepEqual(inBrowser.get(key), after, `${key}, in the browser`);
  }
  assert.deepEqual(inBrowser, onServer);
  assert.deepEqual(await laptop.view(), onServer);
});

scenario('what the server refuses of the built-in mutators is not done in the browser either', server, async open => {
  const laptop = open('alice', {mutators: {...builtInMutators}, tolerated: /TypeError/});
  const careless = open('bob', {mutators: {put: () => {}, patch: () => {}, del: () => {}}});
  for (const [key, [name, args]] of Object.entries(REFUSED)) {
    await assert.rejects(laptop.mutate[name](args(key)), TypeError, key);
    await careless.mutate.put({key, value: {before: 1}});
    await careless.mutate[name](args(key));
  }
  await careless.settled();

  assert.deepEqual([await laptop.view(), await laptop.pending()], [new Map(), []]);
  assert.deepEqual(await careless.view(), new Map(Object.keys(REFUSED).map(key => [key, {before: 1}])));
});

scenario('del says whether the key was there', server, async open => {
  const tab = open('alice', {mutators: {...builtInMutators}});
  await tab.mutate.put({key: 'k', value: 1});

  assert.deepEqual([await tab.mutate.del({key: 'k'}), await tab.mutate.del({key: 'k'})], [true, false]);
});
