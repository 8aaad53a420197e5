import assert from 'node:assert/strict';

import {eventually} from '../waiting.mjs';
import {DemoWindow, startDevelopmentServer} from './demo.mjs';
import {scenario, startBrowser} from './harness.mjs';

const [server] = await Promise.all([startDevelopmentServer(), startBrowser()]);

/** Much longer than the console takes, and shorter than it took when it asked every ten seconds. */
const SOON_MS = 5_000;

/** A panel of the console. */
class Panel {
  #element;

  constructor(page, user) {
    this.#element = page.getByRole('region', {name: `User ${user}`});
  }

  says(state) {
    return this.#element.locator(`[data-part="state"][data-state="${state}"]`).waitFor();
  }

  press(name) {
    return this.#element.getByRole('button', {name, exact: true}).click();
  }

  #part(name) {
    return this.#element.locator(`[data-part="${name}"]`);
  }

  hasTimedAPoke() {
    return this.#part('median').getByText(/^[\d.]+ ms$/).waitFor();
  }

  /** What it shows of the streams: how many of this user, of all users, and the transport of each. */
  async streams() {
    const [own, all, transports] = await Promise.all([
      this.#part('own').textContent(),
      this.#part('all').textContent(),
      this.#part('sessions').locator('tbody tr:visible td:nth-child(2)').allTextContents(),
    ]);
    return {own, all, transports};
  }

  /** Waits till it shows that, which must be soon. */
  shows(own, all, ...transports) {
    const expected = JSON.stringify({own, all, transports});
    return eventually(
      async () => `${expected}, and not ${JSON.stringify(await this.streams())}`,
      async () => JSON.stringify(await this.streams()) === expected,
      SOON_MS,
    );
  }
}

async function openConsole(context, ...users) {
  const page = await context.newPage();
  await page.goto(`${server.origin}/?${new URLSearchParams(users.map(user => ['user', user]))}`);
  const panels = users.map(user => new Panel(page, user));
  await Promise.all(panels.map(panel => panel.says('connected')));
  return {page, panels};
}

scenario('what the console shows of streams is true in all panels, whoever comes and goes', async ({device, log}) => {
  const context = await device();
  const {page, panels: [ann, ben, cid]} = await openConsole(context, 'ann', 'ben', 'cid');
  const counts = async () => (await Promise.all([ann, ben, cid].map(panel => panel.streams()))).map(({own, all}) => `${own} of ${all}`);
  await eventually(counts, async () => (await counts()).every(each => each === '1 of 3'), SOON_MS);
  const {transports: [transport]} = await ben.streams();

  await ann.press('Disconnect');
  await ann.shows('0', '2');
  await ben.shows('1', '2', transport);
  const elsewhere = await openConsole(await device(), 'ben');
  await ben.shows('2', '3', transport, 'sse');
  await elsewhere.page.close();
  await ben.shows('1', '2', transport);
  await cid.press('Remove');
  await ben.shows('1', '1', transport);

  await log.whileUnreachable(async () => {
    await server.kill();
    await ben.shows('–', '–');
    await ann.shows('–', '–');
    await server.restart();
    await ben.press('Disconnect'); // else it waits for its next try
    await ben.press('Connect');
    await ben.says('connected');
    await ben.shows('1', '1', 'sse'); // in the place of those who left
    await ann.shows('0', '1');
  });
  await page.close();
});

scenario('eight panels of the console and five windows of the demo leave the browser free to work', async ({device}) => {
  const context = await device();
  const users = Array.from({length: 8}, (_, i) => `user${i}`);
  const {panels} = await openConsole(context, ...users);
  for (const user of users.slice(0, 5)) {
    const demo = await DemoWindow.open(context, server, user, `room of ${user}`);
    await demo.add('milk');
    await demo.saved('The server has everything.');
  }
  for (const panel of panels) {
    await panel.press('Poke');
    await panel.hasTimedAPoke();
  }
  const streams = await Promise.all(panels.map(panel => panel.streams()));
  assert.ok(streams.flatMap(({transports}) => transports).filter(transport => transport === 'sse').length <= 4);
});
