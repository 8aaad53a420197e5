import {fileURLToPath} from 'node:url';

import {Server} from '../server.mjs';

const REPLICACHE = fileURLToPath(new URL('../node_modules/replicache', import.meta.url));

/** Starts a server in development mode, with console and demo. */
export function startDevelopmentServer(settings = {}) {
  return Server.start({
    REPLISTREAM_AUTH_SECRET: undefined,
    REPLISTREAM_DEMO_REPLICACHE: REPLICACHE,
    ...settings,
  });
}

/** A window of the demo. */
export class DemoWindow {
  page;

  constructor(page) {
    this.page = page;
  }

  static async open(device, server, user, room) {
    const demo = new DemoWindow(await device.newPage());
    await demo.page.goto(`${server.origin}/demo?${new URLSearchParams({user, room})}`);
    await demo.says('connected');
    return demo;
  }

  /** Waits for what it says about the connection. */
  says(state) {
    return this.page.locator(`#state[data-state="${state}"]`).waitFor();
  }

  /** Waits for what it says about changes that wait. */
  saved(text) {
    return this.page.locator('#saved', {hasText: text}).waitFor();
  }

  /** Waits for what it says about who is there. */
  present(text) {
    return this.page.getByText(text, {exact: true}).waitFor();
  }

  async add(text) {
    await this.page.getByLabel('What to do').fill(text);
    await this.page.getByRole('button', {name: 'Add', exact: true}).click();
  }

  check(text) {
    return this.page.getByRole('checkbox', {name: text}).check();
  }

  /** Waits till it shows a thing to do, done or not. */
  shows(text, isDone = false) {
    return this.page.getByRole('checkbox', {name: text, checked: isDone}).waitFor();
  }

  has(text) {
    return this.page.getByRole('checkbox', {name: text}).isVisible();
  }
}
