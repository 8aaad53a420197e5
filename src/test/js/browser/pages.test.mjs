import assert from 'node:assert/strict';
import {copyFile, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after} from 'node:test';
import {fileURLToPath} from 'node:url';

import {Server, token} from '../server.mjs';
import {DemoWindow, startDevelopmentServer} from './demo.mjs';
import {scenario, startBrowser} from './harness.mjs';

const SCREENSHOTS = fileURLToPath(new URL('../../../../target/screenshots', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
// Each page is looked at in all of these. The first two have each width and each scheme.
const LOOKS = [
  {width: 1280, colorScheme: 'light'},
  {width: 360, colorScheme: 'dark'},
  {width: 360, colorScheme: 'light'},
  {width: 1280, colorScheme: 'dark'},
].slice(0, process.env.LOOKS).map(look => ({...look, name: `${look.width}-${look.colorScheme}`}));

// The demo's rules, and some that fail.
const RULES = `import {mutators as demo} from './mutators.mjs';
export const mutators = {
  ...demo,
  async buy(tx, {id}) {
    throw Object.assign(new Error(\`\${id} is sold\`), {code: 'sold-out'});
  },
  async count(tx, {item}) {
    await tx.set('total', item.price.total);
  },
};
`;
const folder = await mkdtemp(join(tmpdir(), 'replistream-rules-'));
const rules = join(folder, 'rules.mjs');
after(() => rm(folder, {recursive: true}));
await copyFile(new URL('../../../main/resources/web/demo/mutators.mjs', import.meta.url), join(folder, 'mutators.mjs'));
await writeFile(rules, RULES);

const [server, closed] = await Promise.all([
  startDevelopmentServer({REPLISTREAM_MUTATORS_FILE: rules, REPLISTREAM_MUTATORS_BUILT_IN: undefined}),
  Server.start({REPLISTREAM_CONSOLE: 'true'}), // which signs no tokens, and has no Replicache for the demo
  startBrowser(),
  mkdir(SCREENSHOTS, {recursive: true}),
]);

/** A device on which there is the least room. */
async function openDevice(device) {
  const context = await device({viewport: {width: 360, height: 900}, reducedMotion: 'reduce'});
  await context.addInitScript({path: AXE});
  return context;
}

/** Keeps pictures of a page in each look, in which nothing may be cut off or shut out anybody. */
async function inspect(page, subject) {
  for (const {name: look, width, colorScheme} of LOOKS) {
    const name = `${subject}-${look}`;
    await page.setViewportSize({width, height: 900});
    await page.emulateMedia({colorScheme});
    await page.screenshot({path: `${SCREENSHOTS}/${name}.png`, fullPage: true});
    const {scrollWidth, innerWidth} = await page.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      innerWidth,
    }));
    assert.equal(innerWidth, width);
    assert.ok(scrollWidth <= innerWidth, `${name} is ${scrollWidth} wide, in a window of ${innerWidth}`);
    const violations = await page.evaluate(async () =>
      (await axe.run()).violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes.map(({html}) => html).join(' ')}`),
    );
    assert.deepEqual(violations, [], name);
  }
  await page.setViewportSize({width: 360, height: 900});
}

const panel = (page, user) => page.getByRole('region', {name: `User ${user}`});
const syncs = (page, user, count) =>
  panel(page, user).locator('[data-part="syncs"]').getByText(String(count), {exact: true}).waitFor();

scenario('console and demo are whole and accessible, wide and narrow, light and dark', async ({device}) => {
  const context = await openDevice(device);
  const page = await context.newPage();
  await page.goto(`${server.origin}/?user=alice&user=bob`);
  for (const user of ['alice', 'bob']) {
    await panel(page, user).locator('[data-state="connected"]').waitFor();
  }
  for (let count = 1; count <= 3; count++) {
    await panel(page, 'alice').getByRole('button', {name: 'Poke'}).click();
    await syncs(page, 'alice', count);
  }
  await panel(page, 'alice').getByText('The same with curl').click();
  await panel(page, 'alice').getByText('poke: the stream says sync').waitFor();
  await invite(panel(page, 'alice'), 'looks', 'bob');
  await panel(page, 'alice').getByText('bob is invited, as writer').waitFor();
  await panel(page, 'alice').getByRole('button', {name: 'Make a link'}).click();
  await panel(page, 'alice').getByText('which is shown this once').waitFor();
  await panel(page, 'bob').getByRole('button', {name: 'Accept the invitation to looks'}).waitFor();
  await openInspector(page);
  await push(page, 'alice', 'looks', ['buy', {id: 'a tea that is called by a name which is longer than the line '}], ['count', {}]);
  await mutation(page, 'buy').click();
  await mutation(page, 'count').click();
  await inspect(page, 'console');

  const demo = await DemoWindow.open(context, server, 'alice', 'shopping');
  await demo.add('Milk');
  await demo.add('Bread, and if they have none of the dark one that we had last week, then whatever looks best');
  await demo.check('Milk');
  const other = new DemoWindow(await (await openDevice(device)).newPage());
  await other.page.goto(await demo.link());
  await inspect(other.page, 'demo-join');
  await other.join('bob');
  await other.add('Averyveryverylongwordwithoutanyplacewhereabrowsermaybreakitwhichiswhatmanyaddressesare');
  await demo.shows('Averyvery');
  await demo.saved('The server has everything.');
  await inspect(demo.page, 'demo');
});

scenario('console and demo are so on a server that signs no tokens', async ({device}) => {
  const page = await (await openDevice(device)).newPage();
  await page.goto(closed.origin);
  await page.getByLabel('Token').fill('nonsense');
  await page.getByRole('button', {name: 'Connect'}).click();
  await page.getByText('That is not a token').waitFor();
  await inspector(page).getByRole('heading', {name: 'Mutations'}).click();
  await inspector(page).getByText('Connect a user first').waitFor();
  assert.deepEqual(await inspector(page).locator('p:visible').count(), 1);
  await inspect(page, 'console-token');
  await page.getByLabel('Token').fill(token('carol'));
  await page.getByRole('button', {name: 'Connect'}).click();
  await panel(page, 'carol').locator('[data-state="connected"]').waitFor();
  await inspector(page).locator('[data-part="state"][data-state="connected"]').waitFor();
  assert.deepEqual(await inspector(page).getByLabel('Of').getByRole('option').allTextContents(), ['carol']);

  await page.goto(`${closed.origin}/demo`);
  await inspect(page, 'demo-missing');
});

/** Makes a room on the console, and invites a user to it. */
async function invite(panel, room, user) {
  await panel.getByText('Rooms', {exact: true}).click();
  await panel.getByLabel('New room').fill(room);
  await panel.getByRole('button', {name: 'Make', exact: true}).click();
  await panel.getByRole('combobox', {name: 'Room', exact: true}).locator(`option[value="${room}"]:checked`).waitFor({state: 'attached'});
  await panel.getByLabel('User', {exact: true}).fill(user);
  await panel.getByRole('button', {name: 'Invite'}).click();
}

const inspector = page => page.locator('#inspector');

/** Opens the panel of mutations, and waits till it hears of them. */
async function openInspector(page) {
  await inspector(page).getByRole('heading', {name: 'Mutations'}).click();
  await inspector(page).locator('[data-part="state"][data-state="connected"]').waitFor();
}

/** The line of a mutation that the panel shows. */
const mutation = (page, name) =>
  inspector(page).getByRole('listitem').filter({has: page.locator('strong', {hasText: new RegExp(`^${name}$`)})}).locator('summary');

/** Pushes mutations as a new client of a user, which is called so. */
function push(page, user, clientID, ...mutations) {
  return page.evaluate(
    async ([user, clientID, mutations]) => {
      const {Credentials} = await import('/console/credentials.js');
      await Credentials.ofUser(user).call('POST', '/push', {
        profileID: 'p',
        clientGroupID: `group of ${clientID}`,
        mutations: mutations.map(([name, args], i) => ({clientID, id: i + 1, name, args, timestamp: 0})),
        pushVersion: 1,
        schemaVersion: '',
      });
    },
    [user, clientID, mutations],
  );
}

scenario('the console shows what becomes of mutations, of whom, why and where, live', async ({device}) => {
  const page = await (await device()).newPage();
  await page.goto(`${server.origin}/?user=ann&user=ben`);
  const panelOf = inspector(page);
  await openInspector(page);
  await panelOf.getByText('Nothing yet.').waitFor();
  assert.equal(new URL(page.url()).search, '?user=ann&user=ben&mutations=shown');

  await push(page, 'ann', 'one', ['buy', {id: 'tea'}], ['count', {}], ['createList', {id: 'l', name: 'L', ownerID: 'ann'}]);
  await push(page, 'carol', 'two', ['buy', {id: 'cake'}]);
  await mutation(page, 'createList').getByText('applied').waitFor();
  await mutation(page, 'buy').getByText('carol').waitFor();
  assert.match(await mutation(page, 'count').innerText(), /failed\s+ann\s+count\s+\{\}\s+rules\.mjs:8:\d+\s+[\d.]+ ms/);
  await mutation(page, 'count').press('Enter');
  await panelOf.getByText(/^failed: TypeError: /).waitFor();
  await mutation(page, 'buy').first().click();
  await panelOf.getByText('sold-out: tea is sold').waitFor();
  await panelOf.getByText('the client one, of the group group of one, as its number 1').waitFor();

  await panelOf.getByLabel('Outcome').selectOption('rejected');
  await mutation(page, 'count').waitFor({state: 'hidden'});
  await panelOf.getByLabel('Name').fill('COUNT');
  await panelOf.getByText('None of them matches.').waitFor();
  await panelOf.getByLabel('Outcome').selectOption('any');
  await mutation(page, 'count').waitFor();
  await panelOf.getByLabel('Name').fill('');

  await panelOf.getByRole('button', {name: 'Pause'}).click();
  await push(page, 'ben', 'three', ['buy', {id: 'pie'}]);
  await panelOf.getByRole('button', {name: 'Resume (1 new)'}).click();
  await panelOf.getByText('"pie"').first().waitFor();
  await panelOf.getByRole('button', {name: 'Clear'}).click();
  await panelOf.getByText('Nothing yet.').waitFor();

  await panelOf.getByLabel('Of').selectOption('ben');
  await panelOf.locator('[data-state="connected"]').waitFor();
  await push(page, 'ann', 'four', ['buy', {id: 'milk'}]);
  await push(page, 'ben', 'five', ['buy', {id: '<b>bread</b>'}]);
  await panelOf.getByText('<b>bread</b>').first().waitFor();
  assert.equal(await mutation(page, 'buy').count(), 1);
  await panel(page, 'ben').getByRole('button', {name: 'Remove'}).click();
  await panelOf.locator('[data-state="connected"]').waitFor();
  assert.equal(await panelOf.getByLabel('Of').inputValue(), '');
});

scenario('rules that do not load are said on the console, till they do', async ({device}) => {
  const page = await (await openDevice(device)).newPage();
  await page.goto(`${server.origin}/?user=fay`);
  await panel(page, 'fay').locator('[data-state="connected"]').waitFor();
  const banner = page.getByRole('alert').filter({hasText: 'do not load'});
  assert.equal(await banner.count(), 0);

  await writeFile(rules, RULES.replace('async buy', 'async buy buy'));
  await banner.getByText(/^rules\.mjs:4:\d+: SyntaxError/).waitFor();
  await inspect(page, 'console-rules');
  await writeFile(rules, RULES);
  await banner.waitFor({state: 'detached'});
});

const event = (panel, name, detail) => panel.getByRole('log').getByRole('listitem').filter({hasText: `${name}${detail}`}).waitFor();

scenario('who is invited on the console accepts or declines there, at once', async ({device, log}) => {
  const [anns, bens] = [await (await device()).newPage(), await (await device()).newPage()];
  await Promise.all([anns.goto(`${server.origin}/?user=ann`), bens.goto(`${server.origin}/?user=ben`)]);
  const [ann, ben] = [panel(anns, 'ann'), panel(bens, 'ben')];
  await ben.locator('[data-state="connected"]').waitFor();

  await invite(ann, 'accepted', 'ben');
  await ann.getByText('ben is invited, as writer').waitFor();
  await ben.getByText('ann invites to accepted, as writer').waitFor();
  await ben.getByRole('button', {name: 'Accept the invitation to accepted'}).press('Enter');
  await event(ben, 'joined', 'accepted · writer');
  await ben.getByText('ann invites to accepted').waitFor({state: 'detached'});
  assert.equal(await focused(bens), 'Rooms');
  await bens.keyboard.press('Enter');
  await ben.getByRole('option', {name: 'accepted (writer)'}).waitFor({state: 'attached'});
  assert.equal(await ben.getByRole('button', {name: 'Invite'}).isVisible(), false);

  await ann.getByText('Rooms', {exact: true}).click();
  await invite(ann, 'declined', 'ben');
  await ben.getByRole('button', {name: 'Decline the invitation to declined'}).click();
  await event(ben, 'declined', 'declined');
  await ben.getByText('ann invites to declined').waitFor({state: 'detached'});

  await ann.getByLabel('User', {exact: true}).fill('carol');
  await ann.getByRole('combobox', {name: 'as'}).selectOption('reader');
  await ann.getByRole('button', {name: 'Invite'}).click();
  await event(ann, 'invited', 'carol · reader');
  await ann.getByRole('button', {name: 'Withdraw the invitation of carol'}).click();
  await ann.getByText('carol is invited').waitFor({state: 'detached'});

  await log.expecting(/status of 409/, async () => {
    await ann.getByLabel('New room').fill('declined');
    await ann.getByRole('button', {name: 'Make', exact: true}).click();
    await event(ann, 'failed', 'There is a room of that id already');
  });
});

scenario('a room that the list has before its maker has an answer is chosen, and invited to', async ({device}) => {
  const page = await (await device()).newPage();
  await page.goto(`${server.origin}/?user=ivy`);
  const ivy = panel(page, 'ivy');
  await ivy.locator('[data-state="connected"]').waitFor();
  await invite(ivy, 'a room before', 'ben');
  await ivy.getByText('Rooms', {exact: true}).click();
  await page.route('**/rooms', async route => {
    const response = await route.fetch();
    if (route.request().method() === 'POST') {
      await ivy.locator('option[value="listed early"]').waitFor({state: 'attached'});
    }
    await route.fulfill({response});
  });
  await invite(ivy, 'listed early', 'ben');
  await ivy.getByText('ben is invited, as writer').waitFor();
});

scenario('a link made on the console opens the demo, till it is deleted there', async ({device, log}) => {
  const page = await (await device()).newPage();
  await page.goto(`${server.origin}/?user=erin`);
  const erin = panel(page, 'erin');
  await invite(erin, 'linked', 'frank');
  await erin.getByRole('button', {name: 'Make a link'}).click();
  const link = await erin.getByText('/demo#join=').textContent();
  await DemoWindow.join(await device(), link, 'gina');

  await erin.getByRole('button', {name: 'Delete the link'}).click();
  await erin.getByRole('button', {name: 'Delete the link'}).waitFor({state: 'detached'});
  assert.equal(await erin.getByText('/demo#join=').isVisible(), false);
  const late = new DemoWindow(await (await device()).newPage());
  await late.page.goto(link);
  await log.expecting(/status of 404/, async () => {
    await late.join('hugo');
    await late.page.getByText('This link lets nobody in any more').waitFor();
  });
});

scenario('the console works by keyboard alone', async ({device}) => {
  const page = await (await device()).newPage();
  await page.goto(`${server.origin}/?user=dora`);
  await panel(page, 'dora').locator('[data-state="connected"]').waitFor();
  await tabTo(page, 'User');
  await page.keyboard.type('emil');
  await page.keyboard.press('Enter');
  await panel(page, 'emil').locator('[data-state="connected"]').waitFor();

  await tabTo(page, 'Connect');
  await tabTo(page, 'Poke'); // dora's comes first
  await page.keyboard.press('Enter');
  await syncs(page, 'dora', 1);
  await tabTo(page, 'Disconnect');
  await page.keyboard.press('Space');
  await panel(page, 'dora').locator('[data-state="disconnected"]').waitFor();
  await tabTo(page, 'Remove');
  await page.keyboard.press('Enter');
  await panel(page, 'dora').waitFor({state: 'detached'});
  assert.equal(await focused(page), 'User');
});

scenario('the demo works by keyboard alone', async ({device}) => {
  const {page} = await DemoWindow.open(await device(), server, 'dora', 'keys');
  await tabTo(page, 'What to do');
  for (const text of ['one', 'two']) {
    await page.keyboard.type(text);
    await page.keyboard.press('Enter');
  }
  await page.getByRole('checkbox', {name: 'two'}).waitFor();
  await tabTo(page, 'one');
  await page.keyboard.press('Space');
  await page.getByRole('checkbox', {name: 'one', checked: true}).waitFor();
  assert.equal(await focused(page), 'one');
  await tabTo(page, 'Delete one');
  await page.keyboard.press('Enter');
  await page.getByRole('checkbox', {name: 'one'}).waitFor({state: 'detached'});
  assert.equal(await focused(page), 'What to do');
});

/** The name of what has the focus. */
function focused(page) {
  return page.evaluate(() => {
    const {activeElement} = document;
    return (activeElement.getAttribute('aria-label') ?? activeElement.labels?.[0]?.textContent ?? activeElement.textContent).trim();
  });
}

/** Presses the tab key till what has this name has the focus, which must be seen. */
async function tabTo(page, name) {
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)) === name) {
      assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
      return;
    }
  }
  assert.fail(`no way to ${name} by the tab key`);
}
