import assert from 'node:assert/strict';
import {readFile} from 'node:fs/promises';

import {Server, token} from '../server.mjs';
import {eventually} from '../waiting.mjs';
import {haveStreams} from './api.mjs';
import {scenario, startBrowser} from './harness.mjs';
import {Site} from './site.mjs';
import {addTabPage, Tab} from './tab.mjs';

/** The server of the snippets, for which Chromium takes the one of this test. */
const WRITTEN = '127.0.0.1:8000';
const PATIENCE_MS = 30_000;

const [server, site] = await Promise.all([Server.start(), Site.start()]);
await addTabPage(site);
await startBrowser(`--host-resolver-rules=MAP ${WRITTEN} ${new URL(server.origin).host}`);

const README = await readFile(new URL('../../../../README.md', import.meta.url), 'utf8');

/** The one snippet in README.md of a language. */
function snippet(language) {
  const found = [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))];
  assert.equal(found.length, 1, `snippets of ${language} in README.md`);
  return found[0][1];
}

/** Gives what waits till the last that a page logged is a value. */
function logOf(page) {
  const said = [];
  page.on('console', async message => said.push(await message.args()[0]?.jsonValue()));
  return value => eventually(
    () => `${JSON.stringify(value)}, and not ${JSON.stringify(said.at(-1))}`,
    () => JSON.stringify(said.at(-1)) === JSON.stringify(value),
    PATIENCE_MS,
  );
}

scenario('the snippet for plain JavaScript keeps two windows in sync, as written', async ({device}) => {
  const script = snippet('js');
  assert.ok(script.includes("'TOKEN'") && script.includes(`http://${WRITTEN}/`));
  await site.addPage('plain', script.replace("'TOKEN'", `'${token('demo')}'`));

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
  const hook = snippet('jsx');
  const application = `
    ${hook}
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
  await site.addPage('react', application, '<div id="root"></div>');

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
