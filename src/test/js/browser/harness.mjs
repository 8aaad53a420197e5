import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import {chromium} from 'playwright-core';

const SCENARIO_MS = 120_000;

/** Chromium's own words about requests that reach no server, or one that dies. */
const NETWORK = /^Failed to load resource: net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|INTERNET_DISCONNECTED|NETWORK_CHANGED)$/;

let browser;

/** Starts Chromium for the scenarios of this file, with these options besides. */
export async function startBrowser(...args) {
  browser = await chromium.launch({executablePath: process.env.CHROMIUM, args});
  after(() => browser.close());
}

/**
 * One test.
 *
 * @param body is given `device`, which makes a browser profile of its own (Playwright's context),
 *   and `log`, the {@link Log} of all their pages, which must be without errors at the end
 */
export function scenario(name, body) {
  test(name, {timeout: SCENARIO_MS}, async () => {
    const log = new Log();
    const devices = [];
    const device = async options => {
      const context = await browser.newContext(options);
      log.watch(context);
      devices.push(context);
      return context;
    };
    try {
      await body({device, log});
      assert.deepEqual(log.errors, [], 'the log of the browser');
    } catch (error) {
      console.error(`The log of the browser:\n${log.lines.join('\n')}`);
      throw error;
    } finally {
      await Promise.all(devices.map(each => each.close()));
    }
  });
}

/** What the browser's pages logged and threw. */
export class Log {
  errors = [];
  lines = [];
  #expected = [];

  watch(context) {
    context.on('console', message => this.#add(message.type(), message.text(), message.location().url));
    context.on('weberror', thrown => this.#add('error', String(thrown.error().stack ?? thrown.error()), 'uncaught'));
  }

  #add(type, text, place) {
    this.lines.push(`${type}: ${text} (${place})`);
    if (type === 'error' && !this.#expected.some(pattern => pattern.test(text))) {
      this.errors.push(`${text} (${place})`);
    }
  }

  /** Runs `body`, during which errors that match `pattern` are none. */
  async expecting(pattern, body) {
    this.#expected.push(pattern);
    try {
      return await body();
    } finally {
      this.#expected = this.#expected.filter(each => each !== pattern);
    }
  }

  /** Runs `body`, during which there may be no network, or no server. */
  whileUnreachable(body) {
    return this.expecting(NETWORK, body);
  }
}
