import {fileURLToPath} from 'node:url';

import {Server} from '../server.mjs';

export const REPLICACHE = fileURLToPath(new URL('../node_modules/replicache', import.meta.url));

/** Starts a server in development mode, with console and demo. */
export function startDevelopmentServer(settings = {}) {
  return Server.start({
    REPLISTREAM_AUTH_SECRET: undefined,
    REPLISTREAM_DEMO_REPLICACHE: REPLICACHE,
    REPLISTREAM_ROOMS_MEMBERSHIP: undefined,
    ...settings,
  });
}

/** A window of the demo. */
export class DemoWindow {
  page;

  constructor(page) {
    this.page = page;
  }

  /** Opens a room, which the user makes or is a member of. */
  static async open(device, server, user, room) {
    const demo = new DemoWindow(await device.newPage());
    await demo.page.goto(`${server.origin}/demo?${new URLSearchParams({user, room})}`);
    await demo.says('connected');
    return demo;
  }

  /** Opens a link, and joins under this name, or with this token. */
  static async join(device, link, name) {
    const demo = new DemoWindow(await device.newPage());
    await demo.page.goto(link);
    await demo.join(name);
    await demo.says('connected');
    return demo;
  }

  async join(name) {
    await this.page.getByLabel(/^Your name|^Token/).fill(name);
    await this.page.getByRole('button', {name: 'Join'}).click();
  }

  /** The link by which others join. */
  async link() {
    const link = this.page.getByLabel('Link to this room');
    await link.waitFor();
    return link.inputValue();
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
