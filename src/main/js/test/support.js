import {once} from 'node:events';
import {createServer} from 'node:http';

import {EventStreamParser, ReplicacheSSE} from '../replistream.js';

/** How long anything may take on a busy machine. */
const PATIENCE_MS = 10_000;

// listeners that pile up are a leak
process.on('warning', warning => {
  if (warning.name === 'MaxListenersExceededWarning') {
    throw warning;
  }
});

export const API = '/api/v1/replicache';

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));

/** Waits until `condition` gives something true, and returns that. */
export async function eventually(what, condition) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const result = condition();
    if (result) {
      return result;
    }
    if (Date.now() > deadline) {
      throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    }
    await pause(2);
  }
}

/** A token with these claims, which nobody verifies. */
export function token(claims) {
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({alg: 'none'})}.${part(claims)}.`;
}

/** A token of `sub` that is good for `seconds`. */
export function tokenOf(sub, seconds = 3600) {
  return token({sub, exp: Date.now() / 1000 + seconds, jti: Math.random()});
}

/** A real HTTP server that says what a test tells it to. */
export class PokeServer {
  /** The requests for streams and tickets, in their order. */
  requests = [];

  /** The open streams. */
  streams = new Set();

  /** How many streams said `connected`. */
  connections = 0;

  /** How many pokes there were: the last event's id. */
  pokes = 0;

  /** What it answers to `GET /rejections`. */
  rejections = [];

  /** What it answers to the next ones instead: functions of the response. */
  insteadOfRejections = [];

  /** The retry that each stream begins with, in milliseconds. */
  retry = 5;

  #answers = [];
  #server;
  #port;
  #tabs = [];

  static async start() {
    const server = new PokeServer();
    await server.resume();
    return server;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}${API}`;
  }

  /** A tab that connects to it, and is closed with it. */
  open(options) {
    const tab = this.tab(options);
    tab.sse.connect();
    return tab;
  }

  /** A tab that does not connect yet. */
  tab(options) {
    const tab = new Tab(this, options);
    this.#tabs.push(tab);
    return tab;
  }

  /** The requests whose path ends so. */
  requestsFor(route) {
    return this.requests.filter(({path}) => path.endsWith(route));
  }

  /** Gives the next requests for a stream these answers, one each, before it is kind again. */
  answerNext(...answers) {
    this.#answers.push(...answers);
  }

  /** Tells all streams to sync. */
  poke() {
    this.pokes++;
    this.say(`id: 7f3a-${this.pokes}\ndata: sync\n\n`);
  }

  /** Tells all streams who is present in a room. */
  list(room, ...users) {
    const list = {room, count: users.length, users: users.map(userId => ({userId, since: '2026-11-23T12:00:00.000Z'}))};
    this.say(`event: presence\ndata: ${JSON.stringify(list)}\n\n`);
  }

  /** Rejects a mutation, and tells all streams of it or, if it is lost on the way, none. */
  reject(seq, {isLost = false} = {}) {
    const rejection = {seq, clientID: 'c', id: seq, name: 'sell', code: 'sold-out', message: `no ${seq}`};
    this.rejections.push(rejection);
    if (!isLost) {
      this.say(`event: rejected\ndata: ${JSON.stringify(rejection)}\n\n`);
    }
    return rejection;
  }

  say(text) {
    this.streams.forEach(response => response.write(text));
  }

  /** Ends all streams as their user does from elsewhere. */
  endForGood() {
    this.say('id: ended-x\nevent: ended\ndata: ended\n\n');
    this.end();
  }

  /** Ends all streams, as a drain does. */
  end() {
    this.streams.forEach(response => response.end());
  }

  /** Cuts off all streams, and listens no more. */
  async stop() {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Ends its tabs, and itself. */
  async close() {
    this.#tabs.forEach(tab => tab.sse.disconnect());
    await this.stop();
  }

  /** Listens again, where it did. */
  async resume() {
    this.#server = createServer((request, response) => this.#handle(request, response));
    this.#server.listen(this.#port ?? 0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = this.#server.address().port;
  }

  #handle(request, response) {
    const {pathname: path, searchParams} = new URL(request.url, this.url);
    this.requests.push({
      path,
      method: request.method,
      authorization: request.headers.authorization,
      lastEventId: request.headers['last-event-id'] ?? searchParams.get('lastEventId') ?? undefined,
      ticket: searchParams.get('ticket') ?? undefined,
      presence: searchParams.get('presence') ?? undefined,
      rejections: searchParams.get('rejections') ?? undefined,
      mutations: searchParams.get('mutations') ?? undefined,
      after: searchParams.get('after') ?? undefined,
    });
    if (path.endsWith('/rejections')) {
      (this.insteadOfRejections.shift() ?? PokeServer.rejected(searchParams.get('after')))(response, this);
      return;
    }
    const answer = this.#answers.shift() ?? (path.endsWith('/ticket') ? PokeServer.ticket : PokeServer.stream);
    answer(response, this);
  }

  /** Answers with a ticket, which the next answer is not taken for. */
  static ticket(response, server) {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ticket: `ticket-${server.requests.length}`, expiresIn: 30}));
  }

  /** Answers with what was rejected after `after`. */
  static rejected(after) {
    return (response, server) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({rejections: server.rejections.filter(({seq}) => seq > after)}));
    };
  }

  /** Answers with a stream. */
  static stream(response, server) {
    PokeServer.silent(response, server);
    response.write(`retry: ${server.retry}\nid: 7f3a-${server.pokes}\ndata: connected\n\n`);
    server.connections++;
  }

  /** Answers what stands for the upgrade to a WebSocket. */
  static socket(response, server) {
    PokeServer.silent(response, server);
    response.write('connected\n');
  }

  /** Answers with the head of a stream, and no event. */
  static silent(response, server) {
    response.writeHead(200, {'Content-Type': 'text/event-stream'});
    response.flushHeaders();
    server.streams.add(response);
    response.on('close', () => server.streams.delete(response));
  }

  /** Answers with a status. */
  static status(status, headers = {}) {
    return response => response.writeHead(status, headers).end();
  }
}

/** A Replicache that only counts. */
export class Puller {
  /** The options of each pull. */
  pulls = [];

  /** What a pull waits for. */
  gate = Promise.resolve();

  async pull(options) {
    this.pulls.push(options);
    await this.gate;
  }
}

/** Web Locks, as far as the client uses them, for Node. */
export class Locks {
  #holders = new Map();
  #queues = new Map();

  async request(name, {signal, steal = false}, callback) {
    signal?.throwIfAborted();
    if (steal) {
      this.#holders.get(name)?.rob();
    } else if (this.#holders.has(name)) {
      await this.#turn(name, signal);
    }
    let release;
    const holder = {};
    const robbed = new Promise((_, reject) => {
      holder.rob = () => reject(new DOMException('stolen', 'AbortError'));
    });
    this.#holders.set(name, holder);
    try {
      release = await Promise.race([callback({name}), robbed]);
    } finally {
      if (this.#holders.get(name) === holder) {
        this.#holders.delete(name);
        this.#queues.get(name)?.shift()?.();
      }
    }
    return release;
  }

  #turn(name, signal) {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const grant = () => {
        this.#holders.set(name, {rob() {}});
        resolve();
      };
      queue.push(grant);
      signal?.addEventListener('abort', () => {
        if (queue.includes(grant)) {
          queue.splice(queue.indexOf(grant), 1);
          reject(signal.reason);
        }
      });
    });
  }
}

/** A native EventSource, as far as the client uses it: one that comes back with the same address. */
export class EventSourceStandIn {
  static CLOSED = 2;

  static open = new Set();

  readyState = 0;
  #listeners = new Map();
  #controller = new AbortController();

  constructor(url) {
    EventSourceStandIn.open.add(this);
    this.#run(url);
  }

  async #run(url) {
    while (this.readyState !== EventSourceStandIn.CLOSED) {
      try {
        const response = await fetch(url, {signal: this.#controller.signal});
        if (response.status !== 200) {
          this.close();
        } else {
          const parser = new EventStreamParser(event =>
            event.type === 'message' ? this.onmessage?.(event) : this.#listeners.get(event.type)?.(event),
          );
          for await (const bytes of response.body) {
            parser.push(bytes);
          }
        }
      } catch {
        // the network
      }
      if (!this.#controller.signal.aborted || this.readyState === EventSourceStandIn.CLOSED) {
        this.onerror?.(new Event('error'));
      }
      await pause(1);
    }
  }

  addEventListener(type, listener) {
    this.#listeners.set(type, listener);
  }

  close() {
    this.readyState = EventSourceStandIn.CLOSED;
    this.#controller.abort();
    EventSourceStandIn.open.delete(this);
  }
}

/**
 * A WebSocket, as far as the client uses it: the lines of an answer are its frames, and a last one such as
 * `close 1001 reason` its close frame.
 */
export class WebSocketStandIn {
  #controller = new AbortController();

  constructor(url) {
    this.#run(url.replace(/^ws/, 'http'));
  }

  async #run(url) {
    const event = Object.assign(new Event('close'), {code: 1006, reason: ''});
    try {
      const response = await fetch(url, {signal: this.#controller.signal});
      if (response.status !== 200) {
        throw new Error(`status ${response.status}`);
      }
      for await (const bytes of response.body) {
        for (const data of new TextDecoder().decode(bytes).trim().split('\n')) {
          const [, code, reason] = /^close (\d+) ?(.*)$/.exec(data) ?? [];
          if (code) {
            Object.assign(event, {code: Number(code), reason});
          } else {
            this.onmessage?.({data});
          }
        }
      }
    } catch {
      this.onerror?.(new Event('error'));
    }
    this.onclose?.(event);
  }

  close() {
    this.#controller.abort();
  }
}

/** A tab: a client with all that it needs, whose events are kept. */
export class Tab {
  events = [];
  puller = new Puller();
  window = new EventTarget();
  document = new EventTarget();

  constructor(server, {environment = {}, ...options} = {}) {
    this.sse = new ReplicacheSSE({
      url: server.url,
      auth: tokenOf('alice'),
      replicache: this.puller,
      ...options,
      environment: {window: this.window, document: this.document, ...environment},
    });
    for (const type of ['connected', 'sync', 'offline', 'expired']) {
      this.sse.addEventListener(type, ({detail}) => this.events.push({type, ...detail}));
    }
  }

  get pulls() {
    return this.puller.pulls.length;
  }

  of(type) {
    return this.events.filter(event => event.type === type);
  }

  /** Waits for the next event of a type, counted from the first. */
  async heard(type, count = 1) {
    await eventually(`${count} of ${type} in ${JSON.stringify(this.events)}`, () => this.of(type).length >= count);
    return this.of(type)[count - 1];
  }

  async pulled(count) {
    await eventually(`${count} pulls`, () => this.pulls >= count);
  }
}

/** Long enough for a pull that should not come to come. */
export const aWhile = () => pause(250);
