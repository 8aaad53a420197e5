import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {afterEach, beforeEach, test} from 'node:test';
import {fileURLToPath} from 'node:url';

import {PokeServer, aWhile, eventually} from './support.js';

let server;

beforeEach(async () => {
  server = await PokeServer.start();
});

afterEach(() => server.close());

const open = options => server.open(options);

for (const [target, begin, end] of [
  ['document', 'freeze', 'resume'],
  ['window', 'pagehide', 'pageshow'],
  ['window', 'offline', 'online'],
]) {
  test(`it rests from ${begin} to ${end}, and catches up once`, async () => {
    const tab = open();
    await tab.pulled(1);
    tab[target].dispatchEvent(new Event(begin));
    tab[target].dispatchEvent(new Event(begin));
    await eventually('no stream', () => server.streams.size === 0);
    server.pokes += 3;
    await aWhile();
    assert.equal(server.requests.length, 1);
    assert.deepEqual(tab.of('offline').map(({reason}) => reason), [begin]);

    tab[target].dispatchEvent(new Event(end));
    tab[target].dispatchEvent(new Event(end));
    await tab.pulled(2);
    await aWhile();
    assert.equal(tab.pulls, 2);
    assert.deepEqual(server.requests.map(({lastEventId}) => lastEventId), [undefined, '7f3a-0']);
  });
}

test('a hidden tab does not rest', async () => {
  const tab = open();
  await tab.heard('connected');
  tab.document.visibilityState = 'hidden';
  tab.document.dispatchEvent(new Event('visibilitychange'));
  server.poke();
  await tab.heard('sync');
});

test('a page that is frozen while it is offline rests until both are over', async () => {
  const tab = open();
  await tab.heard('connected');
  tab.window.dispatchEvent(new Event('offline'));
  tab.document.dispatchEvent(new Event('freeze'));
  tab.window.dispatchEvent(new Event('online'));
  await aWhile();
  assert.equal(server.requests.length, 1);

  tab.document.dispatchEvent(new Event('resume'));
  await tab.heard('connected', 2);
});

test('online ends a wait', async () => {
  server.answerNext(PokeServer.status(503, {'Retry-After': '60'}));
  const tab = open();
  await tab.heard('offline');
  tab.window.dispatchEvent(new Event('offline'));
  tab.window.dispatchEvent(new Event('online'));

  await tab.heard('connected');
});

test('a pull that was due is not made at rest', async () => {
  const tab = open();
  await tab.heard('connected');
  tab.window.dispatchEvent(new Event('offline'));
  await aWhile();

  assert.equal(tab.pulls, 0);
});

test('after disconnect the events of the browser wake nobody', async () => {
  const tab = open();
  await tab.heard('connected');
  tab.window.dispatchEvent(new Event('offline'));
  tab.sse.disconnect();
  tab.window.dispatchEvent(new Event('online'));
  tab.document.dispatchEvent(new Event('resume'));
  await aWhile();

  assert.equal(server.requests.length, 1);
});

test('connect after disconnect forgets that the page was at rest', async () => {
  const tab = open();
  await tab.heard('connected');
  tab.window.dispatchEvent(new Event('offline'));
  tab.sse.disconnect();
  tab.sse.connect();

  await tab.heard('connected', 2);
});

test('a process ends by itself after disconnect, whatever was under way', {timeout: 60_000}, async () => {
  server.answerNext(PokeServer.stream, PokeServer.stream, PokeServer.status(503, {'Retry-After': '600'}), PokeServer.silent);
  const program = `
    import {ReplicacheSSE} from ${JSON.stringify(import.meta.resolve('../replistream.js'))};
    import {Locks, Tab, eventually, tokenOf} from ${JSON.stringify(import.meta.resolve('./support.js'))};
    const environment = {locks: new Locks()};
    const server = {url: ${JSON.stringify(server.url)}};
    const open = async options => {
      const tab = new Tab(server, {pingInterval: 3_600_000, connectTimeout: 3_600_000, ...options});
      tab.sse.connect();
      await (options.type && tab.heard(options.type));
      return tab;
    };
    const tabs = [
      await open({type: 'connected', environment}),
      await open({type: 'connected', environment}), // waits for the first
      await open({type: 'connected', auth: tokenOf('bob', 600)}),
      await open({type: 'offline'}),
      await open({}),
    ];
    tabs.forEach(tab => tab.sse.disconnect());
    console.log('disconnected');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => (output += text));
  try {
    await eventually('it disconnected', () => output.includes('disconnected'));
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];

    assert.equal(code, 0);
  } finally {
    child.kill('SIGKILL');
  }
});
