import {setMaxListeners} from 'node:events';
import {format, isDeepStrictEqual} from 'node:util';

import {Replicache} from 'replicache';

import {mutators} from './mutators.mjs';
import {exchanges, offline} from './network.mjs';
import {token} from './server.mjs';
import {listen} from './stream.mjs';
import {eventually, pause} from './waiting.mjs';

/** Longer than a client waits between two pulls that it wants. */
const QUIET_MS = 100;

// Replicache hangs many listeners on one signal, of which Node would warn
setMaxListeners(0);

/**
 * One instance of the real client. Those of one user and device share their storage, as the tabs of
 * one browser do.
 */
export class Tab {
  /** What the client logged as an error, but what `tolerated` matches. */
  errors = [];

  #server;
  #options;
  #rep;
  #closing = new AbortController();
  #connected = false;

  /**
   * @param device where it runs; the tabs of one device share their storage
   * @param live whether it listens to the server's stream and pulls when that says so
   * @param tolerated matches what the client may log as an error
   * @param options go to Replicache
   */
  constructor(server, userID, {device = 'laptop', live = false, tolerated, ...options} = {}) {
    this.userID = userID;
    this.device = `${userID}/${device}`;
    this.#server = server;
    this.#options = {...options, device};
    this.#rep = new Replicache({
      name: this.device,
      kvStore: 'mem',
      pushURL: `${server.url}/push`,
      pullURL: `${server.url}/pull`,
      auth: this.authorization(),
      pullInterval: null,
      requestOptions: {minDelayMs: 30, maxDelayMs: 500},
      mutators,
      logLevel: 'error',
      logSinks: [{log: (_level, _context, ...what) => this.#logged(format(...what), tolerated)}],
      ...options,
    });
    if (live) {
      const headers = () => ({Authorization: this.authorization()});
      const onEvent = data => {
        this.#connected ||= data === 'connected';
        if (data !== 'ping') {
          this.pull();
        }
      };
      listen(`${server.url}/stream`, headers, onEvent, this.#closing.signal);
    }
  }

  #logged(what, tolerated) {
    if (!tolerated?.test(what)) {
      this.errors.push(what);
    }
  }

  /** What authorizes it, for so long. */
  authorization(ttlSeconds) {
    return `Bearer ${token(this.userID, ttlSeconds, {device: this.device})}`;
  }

  /** The client itself. */
  get rep() {
    return this.#rep;
  }

  get mutate() {
    return this.#rep.mutate;
  }

  /** Asks the client to pull soon, as a poke does. */
  pull() {
    this.#rep.pull().catch(() => {}); // it tries again by itself, until it is closed
  }

  /** All that it shows now, by key. */
  async view() {
    return new Map(await this.#rep.query(tx => tx.scan().entries().toArray()));
  }

  /** What it shows at one key now, or undefined. */
  get(key) {
    return this.#rep.query(tx => tx.get(key));
  }

  /** The mutations that no pull acknowledged yet. */
  async pending() {
    await this.#rep.query(() => {}); // waits for the start, which the next line does not
    return this.#rep.experimentalPendingMutations();
  }

  /** Cuts its device off the network. */
  goOffline() {
    offline.add(this.device);
  }

  goOnline() {
    offline.delete(this.device);
  }

  /** The pushes or pulls of its device that reached the network. */
  exchanges(kind) {
    return this.attempts(kind).filter(({fate}) => fate !== 'refused');
  }

  /** The pushes or pulls of its device, those without a network among them. */
  attempts(kind) {
    return exchanges.filter(each => each.device === this.device && each.kind === kind);
  }

  /** Waits till it listens to the server and pulls no more: what it gets later comes by pokes. */
  async listening() {
    await eventually(`${this.device} is connected`, () => this.#connected);
    await eventually(`${this.device} is quiet`, async () => {
      const before = this.exchanges('pull').length;
      await pause(QUIET_MS);
      return this.exchanges('pull').length === before;
    });
  }

  /** Waits till the server has acknowledged all its mutations. */
  async settled() {
    await eventually(
      async () => `${this.device} has nothing pending: ${JSON.stringify(await this.pending()).slice(0, 500)}`,
      () => this.#pulledUntil(async () => (await this.pending()).length === 0),
    );
  }

  /** Waits till it shows `value` at `key`, undefined for nothing. */
  async shows(key, value) {
    const expected = JSON.stringify(value);
    await eventually(
      async () => `${this.device} shows ${expected} at ${key}, not ${JSON.stringify(await this.get(key))}`,
      () => this.#pulledUntil(async () => JSON.stringify(await this.get(key)) === expected),
    );
  }

  async #pulledUntil(condition) {
    if (await condition()) {
      return true;
    }
    await this.#rep.pull().catch(() => {});
    return condition();
  }

  /** Waits till the last pull that began after this was called has been answered with success. */
  async pulled() {
    const before = this.exchanges('pull').length;
    await eventually(`${this.device} pulled`, async () => {
      await this.#rep.pull({now: true}).catch(() => {});
      return this.exchanges('pull').slice(before).some(each => each.status === 200);
    });
  }

  /** Waits till its device has stored what it shows and what is pending, as a tab opened later gets it. */
  async stored() {
    await eventually(`${this.device} has stored its state`, async () => {
      const later = new Tab(this.#server, this.userID, {...this.#options, pushURL: '', pullURL: ''});
      try {
        const states = [this, later].map(async tab => [await tab.view(), await tab.pending()]);
        return isDeepStrictEqual(await states[0], await states[1]);
      } finally {
        await later.close();
      }
    });
  }

  /** Closes it as a browser closes a tab: what it did not store or push is lost. */
  async close() {
    this.#closing.abort();
    if (!this.#rep.closed) {
      await this.#rep.close();
    }
  }
}
