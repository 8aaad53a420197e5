import {readFile} from 'node:fs/promises';

import {eventually} from '../waiting.mjs';

const PATIENCE_MS = 30_000;

/** A page of `tab-page.js` in a browser: one Replicache client that `replistream.js` keeps in sync. */
export class Tab {
  page;
  #requests = [];
  #forgotten = 0;

  constructor(page) {
    this.page = page;
    page.on('request', request => this.#requests.push(request));
  }

  /**
   * Opens one for `user`, on the page that {@link addTabPage} gave the site.
   *
   * @param options more of those that `replistream.js` takes
   */
  static async open(device, site, server, user, transport = '', options = {}) {
    const tab = new Tab(await device.newPage());
    const parameters = new URLSearchParams({server: server.origin, user, transport, options: JSON.stringify(options)});
    await tab.page.goto(`${site.origin}/tab?${parameters}`);
    return tab;
  }

  /** The requests that it sent to a route of the API, since {@link forget}. */
  requests(route) {
    return this.#requests
      .slice(this.#forgotten)
      .filter(request => request.method() !== 'OPTIONS' && new URL(request.url()).pathname.endsWith(`/replicache/${route}`));
  }

  /** From now on {@link requests} knows those to come. */
  forget() {
    this.#forgotten = this.#requests.length;
  }

  /** Those of a route that were answered 200 since {@link forget}. */
  async answered(route) {
    const responses = await Promise.all(this.requests(route).map(request => request.existingResponse()));
    return responses.filter(response => response?.status() === 200).length;
  }

  /** The events that it saw, of a type or all. */
  async events(type) {
    const all = await this.page.evaluate(() => window.tab?.events ?? []);
    return all.filter(event => type === undefined || event.type === type);
  }

  /** Waits till it saw that many events of a type. */
  async sees(type, count = 1) {
    await eventually(
      async () => `${count} ${type} of ${JSON.stringify(await this.events())}`,
      async () => (await this.events(type)).length >= count,
      PATIENCE_MS,
    );
  }

  /** Whether it was this tab that held the stream when it last heard of one. */
  async holds() {
    return (await this.events('connected')).at(-1).holder;
  }

  put(key, value) {
    return this.page.evaluate(([key, value]) => tab.rep.mutate.put({key, value}), [key, value]);
  }

  get(key) {
    return this.page.evaluate(key => tab.get(key), key);
  }

  /** Waits till it shows a value. */
  shows(key, value) {
    return eventually(
      async () => `${key} is ${value}, and not ${await this.get(key)}`,
      async () => (await this.get(key)) === value,
      PATIENCE_MS,
    );
  }

  /** Waits till all that it asked of the server has come to an end. */
  isQuiet() {
    return eventually('no push and pull', () => this.page.evaluate(() => tab.isQuiet()), PATIENCE_MS);
  }

  /** Waits till the server has all that it wrote. */
  isSaved() {
    return eventually('nothing is pending', async () => (await this.page.evaluate(() => tab.pending())) === 0, PATIENCE_MS);
  }
}

export async function addTabPage(site) {
  await site.addPage('tab', await readFile(new URL('tab-page.js', import.meta.url), 'utf8'));
}
