/** What is there before the expressions are evaluated: [key, value]. */
export const ENTRIES = [
  ['a', 1],
  ['b', {n: 1, list: [1, 'two', null, true, {three: 3}], empty: {}, none: []}],
  ['c', 'text'],
  ['list/1', {id: '1', text: 'one'}],
  ['list/10', {id: '10', text: 'ten'}],
  ['list/2', {id: '2', text: 'two'}],
  ['list/3', null],
  ['list0', false],
  ['z/ä', 'a umlaut'],
  ['z/\u{ff5e}', 'fullwidth, U+FF5E'],
  ['z/\u{e000}', 'private use, U+E000'],
  ['z/\u{1f600}', 'astral, U+1F600'],
  ['z/\u{10ffff}', 'the last'],
  ['', 'the empty key'],
  ['json/zero', -0],
  ['json/one', 1.0],
  ['json/large', 12345678901234567890],
  ['json/small', 5e-324],
  ['json/max', 1.7976931348623157e308],
  ['json/keys', {b: 1, 2: 2, a: 3, 1: 4}],
  ['json/proto', JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}')],
  ['json/text', 'a "quote" \\ \u0000 \u2028 \ud83d and \u{1f600}'],
  ['json/deep', [[[[[[[[[[1]]]]]]]]]]],
];

const keys = (tx, options) => tx.scan(options).keys().toArray();

/** Each is evaluated in the browser and on the server, on the same data, and has to be the same. */
export const EXPRESSIONS = [
  tx => tx.get('a'),
  tx => tx.get('b'),
  tx => tx.get('c'),
  tx => tx.get('list/3'),
  tx => tx.get('nothing'),
  tx => tx.get(''),
  tx => tx.get('json/zero'),
  tx => tx.get('json/one'),
  tx => tx.get('json/large'),
  tx => tx.get('json/small'),
  tx => tx.get('json/max'),
  async tx => Object.keys(await tx.get('json/keys')),
  async tx => Object.keys(await tx.get('json/proto')),
  async tx => JSON.stringify(await tx.get('json/proto')),
  async tx => ({}).x === undefined && (await tx.get('json/proto')).x === undefined,
  tx => tx.get('json/text'),
  async tx => [...(await tx.get('json/text'))].map(each => each.codePointAt(0)),
  tx => tx.get('json/deep'),
  tx => tx.get('z/\u{1f600}'),
  async tx => typeof (await tx.get('a')),
  async tx => Array.isArray((await tx.get('b')).list),
  tx => tx.has('a'),
  tx => tx.has('nothing'),
  tx => tx.has('list/3'),
  tx => tx.has(''),
  tx => tx.isEmpty(),
  tx => keys(tx),
  tx => keys(tx, {}),
  tx => keys(tx, {prefix: ''}),
  tx => keys(tx, {prefix: 'list/'}),
  tx => keys(tx, {prefix: 'list'}),
  tx => keys(tx, {prefix: 'z/'}),
  tx => keys(tx, {prefix: 'none'}),
  tx => keys(tx, {limit: 2}),
  tx => keys(tx, {limit: 1, prefix: 'z/'}),
  tx => keys(tx, {limit: 0, prefix: 'list'}),
  tx => keys(tx, {limit: -1, prefix: 'list'}),
  tx => keys(tx, {limit: 1.5, prefix: 'list'}),
  tx => keys(tx, {limit: undefined, prefix: 'list'}),
  tx => keys(tx, {limit: 1000, prefix: 'list'}),
  tx => keys(tx, {limit: Infinity, prefix: 'list'}),
  tx => keys(tx, {limit: NaN, prefix: 'list'}),
  tx => keys(tx, {start: {key: 'list/10'}}),
  tx => keys(tx, {start: {key: 'list/10', exclusive: true}}),
  tx => keys(tx, {start: {key: 'list/10', exclusive: false}}),
  tx => keys(tx, {start: {key: 'list/1'}, prefix: 'list/'}),
  tx => keys(tx, {start: {key: 'list/11'}, prefix: 'list/'}),
  tx => keys(tx, {start: {key: 'a'}, prefix: 'list/'}),
  tx => keys(tx, {start: {key: 'a', exclusive: true}, prefix: 'list/'}),
  tx => keys(tx, {start: {key: 'zz'}, prefix: 'list/'}),
  tx => keys(tx, {start: {key: 'list/2'}, prefix: 'list/', limit: 1}),
  tx => keys(tx, {start: {key: 'list/2', exclusive: true}, prefix: 'list/', limit: 1}),
  tx => keys(tx, {start: {key: ''}, limit: 3}),
  tx => keys(tx, {start: {key: '', exclusive: true}, limit: 3}),
  tx => keys(tx, {start: {key: 'z/\u{ff5e}'}}),
  tx => keys(tx, {start: {key: 'z/\u{ff5e}', exclusive: true}}),
  tx => keys(tx, {start: {key: 'z/\u{1f600}', exclusive: true}}),
  tx => keys(tx, {start: {key: 'z/\u{e000}'}, limit: 2}),
  tx => tx.scan({prefix: 'list/'}).toArray(),
  tx => tx.scan({prefix: 'list/'}).values().toArray(),
  tx => tx.scan({prefix: 'list/'}).entries().toArray(),
  tx => tx.scan({prefix: 'z/'}).values().toArray(),
  async tx => {
    const found = [];
    for await (const value of tx.scan({prefix: 'list/'})) found.push(value);
    return found;
  },
  async tx => {
    const found = [];
    for await (const [key, value] of tx.scan({prefix: 'list'}).entries()) found.push(key, value);
    return found;
  },
  async tx => {
    for await (const key of tx.scan().keys()) if (key.startsWith('list')) return key;
  },
  async tx => {
    const iterator = tx.scan({prefix: 'list/'}).keys();
    return [await iterator.next(), await iterator.next()];
  },
  async tx => {
    const iterator = tx.scan({prefix: 'none'}).keys();
    return [await iterator.next(), await iterator.next()];
  },
  async tx => {
    const all = [];
    await Promise.all(['a', 'c', 'list/1'].map(async key => all.push(await tx.get(key))));
    return all;
  },
  tx => tx.del('nothing'),
  tx => tx.del('c'),
  tx => tx.del('c'),
  async tx => [await tx.has('c'), await tx.get('c')],
  tx => tx.del(''),
  tx => tx.has(''),
  tx => tx.set('new', {a: [1, 2]}),
  tx => tx.get('new'),
  tx => tx.put('new', 'put'),
  tx => tx.get('new'),
  tx => tx.set('new', null),
  async tx => [await tx.has('new'), await tx.get('new')],
  tx => tx.del('new'),
  async tx => {
    await tx.set('\u{1f600}', 1);
    await tx.set('\u{ffff}', 2);
    return keys(tx, {start: {key: '~'}});
  },
  async tx => {
    const found = [];
    for await (const key of tx.scan({prefix: 'list/'}).keys()) {
      found.push(key);
      if (key === 'list/1') await tx.set('list/15', 'ahead');
      if (key === 'list/2') await tx.set('list/0', 'behind');
    }
    return found;
  },
  tx => keys(tx, {prefix: 'list/'}),
  async tx => {
    for await (const key of tx.scan({prefix: 'list/'}).keys()) await tx.del(key);
    return keys(tx, {prefix: 'list/'});
  },
  async tx => {
    for (let i = 0; i < 300; i++) await tx.set(`many/${i}`, i);
    return keys(tx, {prefix: 'many/'});
  },
  tx => keys(tx, {prefix: 'many/', start: {key: 'many/20'}, limit: 150}),
  async tx => (await tx.scan({prefix: 'many/'}).toArray()).reduce((sum, each) => sum + each, 0),
  async tx => {
    let count = 0;
    for await (const key of tx.scan({prefix: 'many/1'}).keys()) count += (await tx.del(key)) ? 1 : 0;
    return count;
  },
  tx => keys(tx, {prefix: 'many/', limit: 12}),
  async tx => {
    const value = await tx.get('b');
    await tx.set('b', {...value, n: value.n + 1});
    return [value.n, (await tx.get('b')).n];
  },
  async tx => {
    const given = {list: [1]};
    await tx.set('copied', given);
    return tx.get('copied');
  },
  tx => [typeof tx.clientID, tx.mutationID],
  tx => typeof tx.reason,
  async tx => {
    try {
      await tx.set('undefined', undefined);
      return 'set';
    } catch {
      return 'refused';
    }
  },
  tx => tx.has('undefined'),
  async tx => typeof tx.scan().next === 'undefined' && Symbol.asyncIterator in tx.scan(),
  async tx => [1, 10, 2].sort().concat([..."añ"].map(each => each.normalize('NFD').length)),
  async () => [0.1 + 0.2, 1e21, 123456789.123, (1.005).toFixed(2), parseInt('08'), new Date(0).toJSON()],
  async () => ['é'.localeCompare('f') < 0, /(?<year>\d{4})/u.exec('in 2026').groups.year],
];
