import assert from 'node:assert/strict';
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';

import {Server, token} from '../server.mjs';
import {eventually} from '../waiting.mjs';
import {call, haveStreams} from './api.mjs';
import {scenario, startBrowser} from './harness.mjs';
import {Site, WITHOUT_AWAIT} from './site.mjs';
import {addTabPage, Tab} from './tab.mjs';

/** The server of the snippets, for which Chromium takes the one of this test. */
const WRITTEN = '127.0.0.1:8000';
const PATIENCE_MS = 30_000;
const ROOT = new URL('../../../../', import.meta.url);

const site = await Site.start();
const server = await Server.start({REPLISTREAM_CORS_ALLOW_ORIGINS: site.origin, REPLISTREAM_STREAM_DRAIN: 'PT0S'});
await addTabPage(site);
await startBrowser(`--host-resolver-rules=MAP ${WRITTEN} ${new URL(server.origin).host}`);

/** All snippets that run in a browser, by page and name: ```js name. */
const snippets = new Map();
const docs = (await readdir(new URL('docs/', ROOT))).filter(file => file.endsWith('.md')).map(file => `docs/${file}`);
for (const page of ['README.md', 'CONTRIBUTING.md', 'src/main/js/README.md', ...docs]) {
  const text = await readFile(new URL(page, ROOT), 'utf8');
  for (const [, name = '', code] of text.matchAll(/^```jsx?(?: ([\w-]+))?\n(.*?)^```$/gms)) {
    assert.ok(!snippets.has(`${page} ${name}`), `two snippets are called "${name}" in ${page}`);
    snippets.set(`${page} ${name}`, code);
  }
}
const tried = new Set();

/** A snippet, with a user's token where it says TOKEN. */
function snippet(page, name, user) {
  tried.add(`${page} ${name}`);
  const code = snippets.get(`${page} ${name}`);
  assert.ok(code, `${page} has no snippet called ${name}`);
  return user ? code.replace("'TOKEN'", `'${token(user)}'`) : code;
}

/** Gives what waits till the last that a page logged is a value. */
function logOf(page) {
  const said = [];
  page.on('console', async message => said.push(await Promise.all(message.args().map(each => each.jsonValue()))));
  return (...value) => eventually(
    () => `${JSON.stringify(value)}, and not ${JSON.stringify(said.at(-1))}`,
    () => JSON.stringify(said.at(-1)) === JSON.stringify(value),
    PATIENCE_MS,
  );
}

/** Opens a page with this script, and gives what waits for what it logs. */
async function open(device, name, script) {
  await site.addPage(name, script, {target: WITHOUT_AWAIT});
  const page = await (await device()).newPage();
  const shows = logOf(page);
  await page.goto(`${site.origin}/${name}`);
  return shows;
}

scenario('the snippet for plain JavaScript keeps two windows in sync, as written', async ({device}) => {
  const script = snippet('README.md', 'plain', 'demo');
  assert.ok(script.includes(`http://${WRITTEN}/`));
  await site.addPage('plain', script, {target: WITHOUT_AWAIT});

  const windows = await Promise.all([device(), device()].map(async context => (await context).newPage()));
  const shows = windows.map(logOf);
  const first = ['todo/1', {text: 'try it in a second window'}];
  for (const [i, page] of windows.entries()) {
    await page.goto(`${site.origin}/plain`);
    await shows[i]([first]);
  }
  await haveStreams(server, 'demo', 2);

  const other = await Tab.open(await device(), site, {origin: `http://${WRITTEN}`}, 'demo');
  await other.sees('connected');
  await other.put('todo/2', 'seen everywhere');
  await Promise.all(shows.map(each => each([first, ['todo/2', 'seen everywhere']])));
});

scenario('the snippet for React tells of the connection as long as its component is there, as written', async ({device}) => {
  const application = `
    ${snippet('docs/browser.md', 'react')}
    import {StrictMode} from 'react';
    import {createRoot} from 'react-dom/client';
    import {Replicache} from 'replicache';

    const api = 'http://${WRITTEN}/api/v1/replicache';
    const auth = () => '${token('erin')}';
    const rep = new Replicache({name: 'erin', auth: 'Bearer ' + auth(), pushURL: api + '/push', pullURL: api + '/pull', mutators: {}});

    function App() {
      const connected = useReplistream(rep, api, auth);
      const [todos, setTodos] = useState([]);
      useEffect(() => rep.subscribe(tx => tx.scan({prefix: 'todo/'}).values().toArray(), setTodos), []);
      return <p>{connected ? 'connected' : 'offline'}: {todos.join()}</p>;
    }

    const root = createRoot(document.getElementById('root'));
    root.render(<StrictMode><App /></StrictMode>);
    window.unmount = () => root.unmount();`;
  await site.addPage('react', application, {body: '<div id="root"></div>', target: WITHOUT_AWAIT});

  const page = await (await device()).newPage();
  await page.goto(`${site.origin}/react`);
  await page.getByText('connected: ').waitFor();
  await haveStreams(server, 'erin', 1);
  const other = await Tab.open(await device(), site, {origin: `http://${WRITTEN}`}, 'erin');
  await other.sees('connected');
  await other.put('todo/1', 'written elsewhere');
  await page.getByText('connected: written elsewhere').waitFor();

  await haveStreams(server, 'erin', 2);
  await page.evaluate(() => unmount());
  await haveStreams(server, 'erin', 1);
});

scenario('the snippet of the built-in mutators merges at once, as written', async ({device}) => {
  const shows = await open(device, 'mutators', snippet('docs/browser.md', 'mutators'));
  await shows({text: 'milk', tags: {shop: 1, today: 1}, done: true});
});

scenario('the snippets for rules in JavaScript run in the page and on the server, as written', async ({device}) => {
  const folder = await mkdtemp(join(tmpdir(), 'replistream-rules-'));
  const file = join(folder, 'mutators.js');
  await writeFile(file, snippet('docs/javascript.md', 'mutators'));
  const shop = await Server.start({REPLISTREAM_MUTATORS_FILE: file, REPLISTREAM_MUTATORS_BUILT_IN: undefined, REPLISTREAM_CORS_ALLOW_ORIGINS: site.origin}, '');
  try {
    const script = snippet('docs/javascript.md', 'page').replaceAll('TOKEN', token('nick')).replace(`http://${WRITTEN}`, shop.origin).replace("'./mutators.js'", JSON.stringify(file));
    await site.addPage('rules', `${script} window.rep = rep;`);
    const page = await (await device()).newPage();
    const shows = logOf(page);
    await page.goto(`${site.origin}/rules`);
    const pulled = () => page.evaluate(async () => (await rep.experimentalPendingMutations()).length === 0);
    await shows([['item/tea', {price: 3, sold: false}]]);
    await page.evaluate(() => rep.mutate.buy({id: 'tea'}));
    await shows([['item/tea', {price: 3, sold: true, buyer: 'nick'}]]);
    await eventually('all is pulled', pulled, PATIENCE_MS);

    const mutations = [{clientID: 'other', id: 1, name: 'buy', args: {id: 'tea'}, timestamp: 0}];
    await call(shop, 'nick', 'POST', 'push', {profileID: 'p', clientGroupID: 'other', pushVersion: 1, schemaVersion: '', mutations});
    await shows('buy', 'sold-out', 'tea is not for sale');
    await page.close(); // which would look for its server
  } finally {
    await shop.stop();
    await rm(folder, {recursive: true});
  }
});

scenario('the snippet for presence tells who is in a room, as written', async ({device}) => {
  await call(server, 'frank', 'POST', 'rooms', {id: 'plan'});
  const shows = await open(device, 'presence', snippet('docs/browser.md', 'presence', 'frank'));
  await shows('plan', 1, ['frank']);
});

scenario('the snippet for rejected mutations tells which and why, as written', async ({device}) => {
  const shows = await open(device, 'rejected', snippet('docs/browser.md', 'rejected', 'mia'));
  await haveStreams(server, 'mia', 1);
  const mutations = [{clientID: 'c', id: 1, name: 'order', args: null, timestamp: 0}];
  await call(server, 'mia', 'POST', 'push', {profileID: 'p', clientGroupID: 'mia', pushVersion: 1, schemaVersion: '', mutations});
  await shows('order', 'unknown-mutator', 'no such mutator');
});

scenario('the snippet for a link joins its room and takes the code out of the address, as written', async ({device}) => {
  await call(server, 'kim', 'POST', 'rooms', {id: 'joined'});
  const {code} = await call(server, 'kim', 'POST', 'rooms/joined/links', {role: 'reader', uses: 1});
  await site.addPage('join', snippet('docs/browser.md', 'join', 'leo'), {target: WITHOUT_AWAIT});
  const page = await (await device()).newPage();
  const shows = logOf(page);
  page.on('dialog', dialog => dialog.accept());
  await page.goto(`${site.origin}/join#join=${code}`);
  await shows('joined');
  assert.equal(page.url(), `${site.origin}/join`);
  const {rooms} = await call(server, 'leo', 'GET', 'rooms');
  assert.deepEqual(rooms.map(({id, role}) => `${id} ${role}`), ['joined reader']);
});

scenario('the snippet of an EventSource pulls on each poke and connects again, as written', async ({device, log}) => {
  const shows = await open(device, 'eventsource', snippet('docs/browser.md', 'eventsource', 'grace'));
  await shows('pull');
  await haveStreams(server, 'grace', 1);
  await log.whileUnreachable(async () => {
    await server.drain();
    await server.restart();
    await haveStreams(server, 'grace', 1);
  });
  await shows('pull');
});

scenario('the snippet of a WebSocket shows connected and each sync, as written', async ({device}) => {
  const shows = await open(device, 'websocket', snippet('docs/browser.md', 'websocket', 'heidi'));
  await shows('connected');
  await call(server, 'heidi', 'POST', 'poke-user');
  await shows('sync');
});

scenario("the original API's front end works with the cookie, as written", async ({device}) => {
  await site.addPage('frontend', snippet('docs/own-backend.md', 'frontend') + snippet('docs/own-backend.md', 'frontend-use'), {target: WITHOUT_AWAIT});
  const context = await device();
  await context.addCookies([{name: 'replistream_token', value: token('ivan'), url: `http://${WRITTEN}`, httpOnly: true, sameSite: 'Lax'}]);
  const page = await context.newPage();
  let pulls = 0;
  page.on('console', message => message.text() === 'pull' && pulls++);
  await page.goto(`${site.origin}/frontend`);
  await eventually('a pull for connected', () => pulls === 1, PATIENCE_MS);
  await call(server, 'ivan', 'POST', 'poke-user');
  await eventually('a pull for the poke', () => pulls === 2, PATIENCE_MS);
});

scenario('the snippet of the module says who must sign in again, as written', async ({device}) => {
  const shows = await open(
    device,
    'module',
    `const rep = {pull: () => console.log('pull')};
     const freshToken = () => '${token('judy')}';
     const signIn = async () => console.log('sign in');
     ${snippet('src/main/js/README.md', 'module')}`,
  );
  await shows('pull');
});

test('each snippet of the documentation was tried', () => {
  assert.deepEqual([...snippets.keys()].filter(each => !tried.has(each)), []);
});
