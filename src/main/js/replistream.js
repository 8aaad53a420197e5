/**
 * The browser's side of Replistream: holds one stream of pokes for all tabs of a user, and pulls
 * when the server says so. For browsers and Node 20 or later; depends on nothing.
 */

/** What the server sends as `retry:` unless configured otherwise. */
const RETRY_MS = 2_000;

/** The longest a failed connection waits, unless the server asks for more. */
const LONGEST_RETRY_MS = 30_000;

/** The longest that `Retry-After` is followed. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/** A stream that lived this long did not fail at once, so the next wait is short again. */
const STEADY_MS = 5_000;

/** How many failures in a row make it try another transport. A server that can't be reached at all is none. */
const FEW = 3;

/** How long the pull for `connected` waits for the `sync` that may follow, to be one pull with it. */
const SYNC_FOLLOWS_MS = 100;

/** How long the other tabs may take to hear that all stop, before the stream is given up to them. */
const TABS_HEAR_MS = 100;

/** How long before its end a token is renewed, if it lives long enough: else after 80 % of its life. */
const RENEW_MS = 60_000;

/** The longest that a timer takes. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Silence means death after this many ping intervals. */
const PINGS_MISSED = 2.5;

/** How many rejections are remembered as told: more than the server keeps. */
const TOLD = 200;

/** Events whose data are JSON. */
const JSON_EVENTS = ['presence', 'rejected', 'mutation'];

/** Hosts of those who develop: their pages say on the console what was rejected. */
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Parses a stream of server-sent events: WHATWG HTML, section 9.2.6. Give it the bytes in any
 * pieces; an event that has no empty line after it never happened.
 */
export class EventStreamParser {
  #onEvent;
  #onRetry;
  #decoder = new TextDecoder(); // takes the byte order mark away
  #line = '';
  #endedByCR = false;
  #id = '';
  #type = '';
  #data = '';

  /**
   * @param {(event: {type: string, data: string, lastEventId: string}) => void} onEvent
   * @param {(ms: number) => void} [onRetry] told of each `retry:` field
   */
  constructor(onEvent, onRetry = () => {}) {
    this.#onEvent = onEvent;
    this.#onRetry = onRetry;
  }

  /** @param {Uint8Array} bytes the next piece of the stream */
  push(bytes) {
    let text = this.#decoder.decode(bytes, {stream: true});
    if (text === '') {
      return;
    }
    if (this.#endedByCR && text[0] === '\n') {
      text = text.slice(1); // the second half of a CRLF
    }
    this.#endedByCR = text.endsWith('\r');
    const lines = text.split(/\r\n|\r|\n/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop();
    lines.forEach(line => this.#take(line));
  }

  #take(line) {
    if (line === '') {
      this.#dispatch();
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') {
      this.#data += `${value}\n`;
    } else if (field === 'event') {
      this.#type = value;
    } else if (field === 'id' && !value.includes('\0')) {
      this.#id = value;
    } else if (field === 'retry' && /^[0-9]+$/.test(value)) {
      this.#onRetry(Number(value));
    }
  }

  #dispatch() {
    const event = {type: this.#type || 'message', data: this.#data.slice(0, -1), lastEventId: this.#id};
    const empty = this.#data === '';
    this.#type = '';
    this.#data = '';
    if (!empty) {
      this.#onEvent(event);
    }
  }
}

/** Why a stream ended, or did not begin. */
class Failure extends Error {
  /**
   * @param {string} reason
   * @param {{status?: number, retryAfter?: number, final?: boolean, cause?: unknown}} [more]
   */
  constructor(reason, {status, retryAfter = 0, final = false, cause} = {}) {
    super(reason, {cause});
    this.reason = reason;
    this.status = status;
    this.retryAfter = retryAfter;
    this.final = final;
  }
}

/** What a stream ends with that the user ended from elsewhere: the server would answer 204 to the next. */
const stopped = () => new Failure('stopped', {final: true});

/** Statuses that time may heal, of those that are not 500 or more. */
const TEMPORARY = new Set([401, 408, 425, 429]);

/**
 * Statuses by which a proxy or a server of files answers while the server is away, as in a deploy.
 * Where a stream has been open once the address is right, so time heals these too.
 */
const AWAY = new Set([404, 405, 421]);

/** Asks the server, and returns its answer if that is 200. */
async function ask({environment, token, signal}, url, {headers, ...options}) {
  const authorized = {...headers, Authorization: `Bearer ${token}`};
  const response = await environment.fetch(url, {...options, headers: authorized, signal}).catch(cause => {
    throw new Failure('unreachable', {cause});
  });
  const {status} = response;
  if (status !== 200) {
    throw new Failure(status === 204 ? 'stopped' : 'refused', {
      status,
      retryAfter: retryAfter(response.headers.get('Retry-After')),
      final: status < 500 && !TEMPORARY.has(status),
    });
  }
  return response;
}

/** The milliseconds of a `Retry-After` header: seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(value) {
  const ms = /^\d+$/.test(value ?? '') ? value * 1000 : Date.parse(value) - Date.now();
  return Math.min(Math.max(ms || 0, 0), LONGEST_RETRY_AFTER_MS);
}

// The transports. Each reads one stream to its end: it returns when the server ended it, and throws
// when it failed. `link` is a Stream.

const READERS = {fetch: readFetch, websocket: readWebSocket, eventsource: readEventSource};

async function readFetch(link) {
  const {urls, lastEventId, alive, message, retry} = link;
  const headers = {Accept: 'text/event-stream'};
  if (lastEventId) {
    // a header's characters are bytes, and the standard wants UTF-8
    headers['Last-Event-ID'] = String.fromCharCode(...new TextEncoder().encode(lastEventId));
  }
  const response = await ask(link, urls.stream, {headers, cache: 'no-store'});
  if (!/^text\/event-stream\b/i.test(response.headers.get('Content-Type') ?? '')) {
    throw new Failure('not-a-stream', {status: 200});
  }
  if (!response.body?.getReader) {
    throw new Failure('unsupported');
  }
  const reader = response.body.getReader();
  const parser = new EventStreamParser(event => {
    if (event.type === 'ended') {
      throw stopped();
    }
    if (event.type === 'message' || JSON_EVENTS.includes(event.type)) {
      message(event);
    }
  }, retry);
  for (;;) {
    const {done, value} = await reader.read();
    if (done) {
      return;
    }
    alive();
    parser.push(value);
  }
}

async function readEventSource(link) {
  const source = new link.environment.EventSource(await withTicket(link, link.urls.stream));
  try {
    await new Promise((_, reject) => {
      source.onmessage = event => {
        link.alive();
        link.message(event);
      };
      source.addEventListener('ended', () => reject(stopped()));
      JSON_EVENTS.forEach(type => source.addEventListener(type, source.onmessage));
      // it would come back with the same ticket, which is used up
      source.onerror = () => reject(new Failure('network'));
      link.signal.addEventListener('abort', reject);
    });
  } finally {
    source.close();
  }
}

/** Why a WebSocket was closed, where that says more than that it has ended. */
const TRY_AGAIN_LATER = 1013;
const STOP = 4204;

/** Text frames: `ping`, and after a space `connected` and `sync` with an id, and `rejected` and `mutation` with their JSON. */
async function readWebSocket(link) {
  const url = await withTicket(link, link.urls.socket);
  const socket = new link.environment.WebSocket(url.replace(/^http/, 'ws'));
  try {
    await new Promise((_, reject) => {
      socket.onmessage = ({data}) => {
        const [, name, rest] = /^(\S*) ?(.*)$/s.exec(data);
        link.alive();
        link.message(JSON_EVENTS.includes(name) ? {type: name, data: rest} : {data: name, lastEventId: rest});
      };
      socket.onclose = event => reject(closed(event));
      socket.onerror = () => reject(new Failure('network'));
      link.signal.addEventListener('abort', reject);
    });
  } finally {
    socket.close();
  }
}

/** A close frame's code and reason as what HTTP would have said. */
function closed({code, reason = ''}) {
  if (code === STOP) {
    return stopped();
  }
  const retry = /^retry: (\d+)$/.exec(reason)?.[1] ?? 0;
  return new Failure(code === TRY_AGAIN_LATER ? 'refused' : 'ended', {
    retryAfter: Math.min(retry, LONGEST_RETRY_AFTER_MS),
  });
}

/** `address` with a ticket, for what can't send a header. */
async function withTicket(link, address) {
  const {urls, lastEventId, signal} = link;
  const response = await ask(link, urls.ticket, {method: 'POST'});
  const {ticket} = await response.json();
  signal.throwIfAborted();
  const url = new URL(address);
  url.searchParams.set('ticket', ticket);
  url.searchParams.set('lastEventId', lastEventId); // even if there is none: it asks for ids
  return url.href;
}

/** One stream over one transport, from its request to its end. */
class Stream {
  connectedAt = undefined;
  #controller;
  #timer;
  #timing;
  #onMessage;
  #settle;

  /**
   * @param {string} transport
   * @param {{connect: number, silence: number}} timing how long it may take to `connected`, and be
   *   silent after, in milliseconds
   * @param {() => Promise<object>} prepare gives what a reader needs
   * @param {(stream: Stream, event: {type?: string, data: string, lastEventId: string}) => void} onMessage
   */
  constructor(transport, timing, signal, prepare, onMessage) {
    this.transport = transport;
    this.#timing = timing;
    this.#onMessage = onMessage;
    this.#controller = child(signal);
    /** Whether it said `connected` before it ended. */
    this.connected = new Promise(resolve => (this.#settle = resolve));
    /** Why it ended; never rejects. */
    this.ended = this.#run(prepare);
  }

  close() {
    this.#controller.abort();
  }

  async #run(prepare) {
    const {signal} = this.#controller;
    this.#expect(this.#timing.connect);
    try {
      await Promise.race([aborted(signal), this.#read(prepare, signal)]);
      return new Failure('ended');
    } catch (error) {
      const reason = signal.aborted ? signal.reason : error;
      return reason instanceof Failure ? reason : new Failure('network', {cause: reason});
    } finally {
      clearTimeout(this.#timer);
      this.#settle(false);
      this.close();
    }
  }

  async #read(prepare, signal) {
    const link = await prepare();
    signal.throwIfAborted();
    await READERS[this.transport]({
      ...link,
      signal,
      alive: () => this.connectedAt && this.#expect(this.#timing.silence),
      message: event => this.#receive(event),
    });
  }

  #receive(event) {
    if (this.#controller.signal.aborted) {
      return;
    }
    if (event.data === 'connected' && !this.connectedAt) {
      this.connectedAt = Date.now();
      this.#expect(this.#timing.silence);
      this.#settle(true);
    }
    this.#onMessage(this, event);
  }

  #expect(ms) {
    clearTimeout(this.#timer);
    // before `connected` something on the way may hold the answer back
    const reason = this.connectedAt ? 'silent' : 'timeout';
    this.#timer = setTimeout(() => this.#controller.abort(new Failure(reason)), ms);
  }
}

/**
 * The tabs of one user and server. A Web Lock says which of them holds the stream; it tells the
 * others by a BroadcastChannel what it hears. One that is silent for too long loses the lock.
 */
class Tabs {
  #environment;
  #name;
  #patienceMs;
  #channel;
  #holding = false;
  #timer;
  #onSilence = () => {};
  #told;
  #presence = new Map(); // by room
  #heard;

  constructor(environment, name, patienceMs) {
    this.#environment = environment;
    this.#name = name;
    this.#patienceMs = patienceMs;
  }

  /**
   * Takes part until `signal` aborts.
   *
   * @param {(signal: AbortSignal) => Promise<void>} hold holds the stream
   * @param {(type: string, detail: object) => void} heard told what another tab heard
   */
  async run(signal, hold, heard) {
    this.#channel = new this.#environment.BroadcastChannel(this.#name);
    this.#channel.onmessage = ({data}) => this.#receive(data, heard);
    try {
      for (let steal = false; !signal.aborted; ) {
        steal = await this.#take(signal, hold, steal);
      }
    } finally {
      this.#channel.onmessage = null;
      this.#channel.close();
    }
  }

  /** Waits for the lock, and holds the stream; returns whether it waited in vain. */
  async #take(signal, hold, steal) {
    const waiting = child(signal);
    const turn = child(signal);
    let inVain = false;
    this.#onSilence = () => {
      inVain = !this.#holding;
      waiting.abort();
    };
    this.#expect(0);
    this.#channel.postMessage({type: 'hello'});
    try {
      const options = steal ? {steal} : {signal: waiting.signal};
      await this.#environment.locks.request(this.#name, options, async () => {
        clearTimeout(this.#timer);
        this.#holding = true;
        await hold(turn.signal);
      });
    } catch (error) {
      if (error?.name !== 'AbortError') { // there are no locks here: a stream for this tab alone
        await hold(turn.signal);
      }
    } finally {
      clearTimeout(this.#timer);
      this.#holding = false;
      this.#told = undefined;
      this.#presence.clear();
      waiting.abort();
      turn.abort();
    }
    return inVain;
  }

  /** Tells the other tabs, which expect to hear more within `quietMs` and a little patience. */
  tell(type, detail, quietMs = 0) {
    if (this.#holding) {
      const message = {type, detail, quietMs};
      if (type === 'connected' || type === 'offline') {
        message.state = unique();
        this.#told = message; // for tabs that come later
        this.#presence.clear();
      } else if (type === 'presence') {
        this.#presence.set(detail.room, message);
      }
      this.#channel.postMessage(message);
    }
  }

  #receive(message, heard) {
    const {type, detail, quietMs, state} = message;
    if (type === 'stopped') { // also to a tab that has taken the lock before it heard of it
      heard(type, detail);
      return;
    }
    if (this.#holding) {
      if (type === 'hello' && this.#told) {
        this.#channel.postMessage(this.#told);
        this.#presence.forEach(list => this.#channel.postMessage(list));
      }
      return;
    }
    if (type === 'hello') {
      return;
    }
    this.#expect(quietMs);
    if (!state || state !== this.#heard) { // else it is an answer to another tab
      this.#heard = state ?? this.#heard;
      heard(type, detail);
    }
  }

  #expect(quietMs) {
    clearTimeout(this.#timer);
    // so that not all tabs lose patience in one moment
    const patienceMs = this.#patienceMs * (1 + this.#environment.random() / 4);
    this.#timer = setTimeout(() => this.#onSilence(), quietMs + patienceMs);
  }
}

/**
 * Keeps a Replicache client in sync with a Replistream server.
 *
 * Events: `connected`, `sync`, `presence`, `rejected`, `mutation`, `offline`, `expired`; see the types for their details.
 */
export class ReplicacheSSE extends EventTarget {
  #environment;
  #urls;
  #auth;
  #replicache;
  #user;
  #timing;
  #transports;
  #preferred;
  #wasOpen = false;

  #token;
  #tokenUser;
  #renewAt = 0;
  #retryMs = RETRY_MS;
  #lastEventId = '';
  #presence = new Map(); // the lists of rooms that were told, as text
  #rejections; // of a user: how far they were asked for, and which were told

  #lifecycle;
  #resting = new Set();
  #session;
  #tabs;

  #pullTimer;
  #pulls = 0;
  #pullAgain = false;

  /**
   * @param {object} options see the types
   */
  constructor({
    url,
    auth,
    replicache,
    user,
    onPresence,
    onRejected,
    mutations,
    pingInterval = 30_000,
    connectTimeout = 15_000,
    transports = ['fetch', 'websocket', 'eventsource'],
    environment = {},
  }) {
    super();
    this.#environment = completed(environment);
    const told = onRejected ?? (LOCAL_HOSTS.includes(this.#environment.location?.hostname) ? warn : undefined);
    this.#urls = urlsOf(url, onPresence, told, mutations);
    this.#auth = auth;
    this.#replicache = replicache;
    this.#user = user;
    this.#timing = {connect: connectTimeout, silence: PINGS_MISSED * pingInterval};
    const {EventSource, WebSocket} = this.#environment;
    const usable = {fetch: true, eventsource: EventSource, websocket: WebSocket};
    this.#transports = transports.filter(transport => usable[transport]);
    if (this.#transports.length === 0) {
      throw new TypeError(`none of these transports can be had here: ${transports}`);
    }
    this.#preferred = this.#transports[0];
    if (onPresence) {
      this.addEventListener('presence', ({detail: {holder, ...list}}) => onPresence(list));
    }
    if (told) {
      this.addEventListener('rejected', ({detail: {holder, ...rejection}}) => told(rejection));
    }
  }

  /** Connects, and stays so until {@link disconnect}, `expired` or a final `offline`. Idempotent. */
  connect() {
    if (this.#lifecycle) {
      return;
    }
    this.#lifecycle = new AbortController();
    this.#resting.clear();
    const {window, document} = this.#environment;
    this.#restBetween(window, 'offline', 'online');
    this.#restBetween(window, 'pagehide', 'pageshow');
    this.#restBetween(document, 'freeze', 'resume');
    this.#wake();
  }

  /** Ends the stream, all timers, and the part in electing a tab. Idempotent. */
  disconnect() {
    this.#lifecycle?.abort();
    this.#lifecycle = undefined;
    this.#token = undefined;
    this.#sleep();
  }

  /** Pulls now; calls that come while a pull is under way make one more pull together. */
  handleSync() {
    this.#cancelPull();
    if (this.#pulls > 0) {
      this.#pullAgain = true;
    } else {
      this.#pull();
    }
  }

  /**
   * Pulls because the server is there: Replicache need not wait any longer after a pull that
   * failed. In a hidden tab it pulls as soon as the tab is seen.
   */
  #catchUp() {
    if (this.#environment.document?.visibilityState === 'hidden') {
      this.handleSync();
    } else {
      this.#cancelPull();
      this.#pull({now: true});
    }
  }

  async #pull(options) {
    this.#pulls++;
    this.#pullAgain = false;
    try {
      await this.#replicache?.pull(options);
    } catch {
      // it is closed; what else fails it tries again by itself
    }
    this.#pulls--;
    if (this.#pullAgain) {
      this.handleSync();
    }
  }

  #cancelPull() {
    clearTimeout(this.#pullTimer);
    this.#pullTimer = undefined;
  }

  #restBetween(target, begin, end) {
    const options = {signal: this.#lifecycle.signal};
    const rest = () => {
      this.#resting.add(begin);
      if (this.#session) {
        this.#sleep();
        this.#emit('offline', {reason: begin, final: false}, false);
      }
    };
    const wake = () => {
      this.#resting.delete(begin);
      if (globalThis.navigator?.onLine) { // nobody tells a frozen page
        this.#resting.delete('offline');
      }
      this.#wake();
    };
    target?.addEventListener(begin, rest, options);
    target?.addEventListener(end, wake, options);
  }

  #wake() {
    if (this.#lifecycle && !this.#session && this.#resting.size === 0) {
      this.#session = new AbortController();
      const {signal} = this.#session;
      this.#live(signal).catch(error => !signal.aborted && this.#end('offline', new Failure('failed', {cause: error})));
    }
  }

  #sleep() {
    this.#session?.abort();
    this.#session = undefined;
    this.#tabs = undefined;
    this.#cancelPull();
    this.#pullAgain = false;
  }

  #end(type, {reason, status}) {
    this.disconnect();
    this.#emit(type, {reason, status, final: true}, false);
  }

  async #live(signal) {
    for (let failures = 1; !this.#token; failures++) {
      try {
        await this.#authorize(signal);
      } catch (failure) {
        await this.#recover(failure, failures, signal);
      }
      if (signal.aborted) {
        return;
      }
    }
    const {locks, BroadcastChannel, random} = this.#environment;
    const user = this.#user ?? this.#tokenUser;
    if (!locks || !BroadcastChannel || user === undefined) {
      await this.#hold(signal);
      return;
    }
    const name = `replistream ${this.#urls.stream} ${user}`;
    this.#tabs = new Tabs(this.#environment, name, this.#timing.silence + this.#timing.connect);
    await this.#tabs.run(
      signal,
      turn => this.#hold(turn),
      (type, detail) => this.#handle(type, detail, false),
    );
  }

  /** Makes sure that there is a token with some life left. */
  async #authorize(signal) {
    if (this.#token && Date.now() < this.#renewAt) {
      return;
    }
    let given;
    try {
      given = typeof this.#auth === 'function' ? await this.#auth() : this.#auth;
    } catch (cause) {
      throw new Failure('auth', {cause});
    }
    signal.throwIfAborted();
    const token = String(given ?? '').replace(/^bearer\s+/i, '').trim();
    if (token === '') {
      throw new Failure('signed-out', {status: 401});
    }
    const {sub, exp} = claimsOf(token);
    const lifeMs = exp * 1000 - Date.now();
    // by a clock that is wrong it may have ended before: the server knows, and says 401
    this.#renewAt = lifeMs > 0 ? Date.now() + Math.max(lifeMs - RENEW_MS, lifeMs * 0.8) : Infinity;
    const another = this.#token && sub !== this.#tokenUser;
    this.#token = token;
    this.#tokenUser = sub;
    if (another) { // whose tabs are others
      this.#sleep();
      this.#wake();
    }
  }

  /** Holds a stream, and the next when it ended, until `signal` aborts. */
  async #hold(signal) {
    let refused = false;
    let failures = 0;
    let misses = 0; // of those, the ones that another transport might have spared us
    while (!signal.aborted) {
      const preferred = this.#preferred;
      let stream = this.#open(this.#transport(misses), signal);
      for (let next = stream; next; next = await this.#successor(stream, signal)) {
        stream = next;
      }
      const failure = await stream.ended;
      if (signal.aborted) {
        return;
      }
      if (failure.reason === 'unsupported' && this.#transports.length > 1) {
        this.#transports = this.#transports.filter(each => each !== stream.transport).sort(); // EventSource first
        this.#preferred = this.#transports[0];
        continue;
      }
      const refusedBefore = refused;
      refused = failure.status === 401 && !stream.connectedAt;
      if (failure.reason === 'refused' && refused && !refusedBefore && typeof this.#auth === 'function') {
        this.#renewAt = 0;
        continue;
      }
      const steady = Date.now() - stream.connectedAt >= STEADY_MS && failure.reason !== 'silent';
      const better = stream.connectedAt && stream.transport !== preferred;
      if (steady || better) {
        failures = 0;
        misses = 0;
      }
      failures++;
      misses += failure.reason === 'unreachable' ? 0 : 1;
      await this.#recover(failure, failures, signal);
    }
  }

  #open(transport, signal) {
    return new Stream(
      transport,
      this.#timing,
      signal,
      async () => {
        await this.#authorize(signal);
        return {
          environment: this.#environment,
          urls: this.#urls,
          token: this.#token,
          lastEventId: this.#lastEventId,
          retry: ms => (this.#retryMs = Math.max(1, ms)),
        };
      },
      (stream, event) => this.#receive(stream, event),
    );
  }

  /** The one that worked last; after a few failures each of the others once. */
  #transport(misses) {
    const all = this.#transports;
    const step = Math.max(0, (misses % (all.length + FEW - 1)) - FEW + 1);
    return all[(all.indexOf(this.#preferred) + step) % all.length];
  }

  /**
   * The stream with a fresh token that follows `stream` before its token ends; `undefined` when
   * there is none, and `stream` lives on to its end.
   */
  async #successor(stream, signal) {
    if (!(await stream.connected) || this.#renewAt === Infinity) {
      return undefined;
    }
    const waiting = child(signal);
    const due = pause(this.#renewAt - Date.now(), waiting.signal).then(() => !signal.aborted);
    const isDue = await Promise.race([due, stream.ended.then(() => false)]);
    waiting.abort();
    if (!isDue) {
      return undefined;
    }
    const token = this.#token;
    this.#renewAt = 0;
    await this.#authorize(signal).catch(() => {});
    if (signal.aborted || this.#token === token) {
      return undefined;
    }
    const next = this.#open(stream.transport, signal);
    if (!(await next.connected)) {
      return undefined;
    }
    if ((await Promise.race([stream.ended, undefined]))?.final) { // the user ended it meanwhile
      next.close();
      return undefined;
    }
    stream.close();
    return next;
  }

  #receive(stream, {type, data, lastEventId}) {
    const {transport} = stream;
    if (JSON_EVENTS.includes(type)) {
      const told = JSON.parse(data);
      this.#tabs?.tell(type, told);
      this.#handle(type, told, true);
      return;
    }
    if (!['connected', 'sync', 'ping'].includes(data)) {
      return;
    }
    const detail = {id: lastEventId || undefined, transport};
    this.#tabs?.tell(data, detail);
    this.#handle(data, detail, true);
  }

  /** What the stream said, heard by this tab or by another. */
  #handle(type, detail, holder) {
    if (type === 'stopped') {
      this.#end('offline', new Failure('stopped', {status: detail.status}));
      return;
    }
    if (type === 'presence') {
      this.#show(detail, holder);
      return;
    }
    if (type === 'rejected') {
      this.#reject(detail, holder);
      return;
    }
    if (type === 'mutation') {
      this.#emit(type, detail, holder);
      return;
    }
    this.#lastEventId = detail.id ?? this.#lastEventId;
    if (type === 'connected') {
      this.#wasOpen = true;
      if (this.#transports.includes(detail.transport)) {
        this.#preferred = detail.transport; // also after a rest, and if this tab takes over
      }
      this.#presence.clear(); // all lists come anew
      this.#cancelPull();
      this.#pullTimer = setTimeout(() => this.#catchUp(), SYNC_FOLLOWS_MS);
    } else if (type === 'sync') {
      this.#pullTimer ? this.#catchUp() : this.handleSync();
    }
    if (type !== 'ping') {
      this.#emit(type, detail, holder);
    }
    this.#askForRejections(type === 'connected');
  }

  /** Tells of a list, unless it was told before: for a tab that comes later all hear it again. */
  #show(list, holder) {
    const text = JSON.stringify(list);
    if (this.#presence.get(list.room) !== text) {
      this.#presence.set(list.room, text);
      this.#emit('presence', list, holder);
    }
  }

  /**
   * Asks for what was rejected while there was no stream; where that fails, again at the next event.
   *
   * @param {boolean} isDue whether there was none
   */
  async #askForRejections(isDue) {
    if (!this.#urls.rejections) {
      return;
    }
    const asked = this.#rejectionsOf(this.#user ?? this.#tokenUser);
    asked.isDue ||= isDue;
    if (asked.isAsking) {
      return;
    }
    asked.isAsking = true;
    try {
      while (asked.isDue && this.#session) {
        asked.isDue = false;
        await this.#askSince(asked, this.#session.signal);
      }
    } catch (error) {
      asked.isDue = !error.final; // else the server is of a release that has none
    }
    asked.isAsking = false;
    this.#remember(asked);
  }

  async #askSince(asked, signal) {
    await this.#authorize(signal);
    const link = {environment: this.#environment, token: this.#token, signal};
    const response = await ask(link, `${this.#urls.rejections}?after=${asked.after}`, {});
    const {rejections} = await response.json();
    signal.throwIfAborted();
    for (const each of asked === this.#rejections ? rejections : []) {
      asked.after = Math.max(asked.after, each.seq);
      this.#reject(each, false);
    }
  }

  /** What is known of a user's rejections: at first how far a tab of this browser was told. */
  #rejectionsOf(user) {
    if (!this.#rejections || this.#rejections.user !== user) {
      const key = user === undefined ? undefined : `replistream rejections ${this.#urls.stream} ${user}`;
      this.#rejections = {user, key, after: stored(this.#environment.storage, key), last: 0, told: new Set(), isDue: true};
    }
    return this.#rejections;
  }

  /** Tells of a rejection, unless it was told before: by the stream, or when it was asked for. */
  #reject(rejection, holder) {
    const asked = this.#rejectionsOf(this.#user ?? this.#tokenUser);
    const {told} = asked;
    if (told.has(rejection.seq)) {
      return;
    }
    told.add(rejection.seq);
    if (told.size > TOLD) {
      told.delete(told.values().next().value); // the oldest
    }
    asked.last = Math.max(asked.last, rejection.seq);
    this.#remember(asked);
    this.#emit('rejected', rejection, holder);
  }

  /** Keeps how far the user was told, unless there may be older ones that are still to be asked for. */
  #remember({key, last, isDue, isAsking}) {
    const {storage} = this.#environment;
    if (!isDue && !isAsking && last > stored(storage, key)) {
      store(storage, key, last);
    }
  }

  /** Waits till the next try, with full jitter; or ends it all where that is of no use. */
  async #recover(failure, failures, signal) {
    if (signal.aborted) {
      return;
    }
    const {reason, status} = failure;
    const final = failure.final && !(this.#wasOpen && AWAY.has(status));
    if (reason === 'stopped' && this.#tabs) { // so that no other tab takes over
      this.#tabs.tell('stopped', {status});
      await pause(TABS_HEAR_MS, signal);
      if (signal.aborted) {
        return;
      }
    }
    if (status === 401 || final) {
      this.#end(status === 401 ? 'expired' : 'offline', failure);
      return;
    }
    const longest = Math.max(this.#retryMs, LONGEST_RETRY_MS);
    const jitter = this.#environment.random() * Math.min(longest, this.#retryMs * 2 ** (failures - 1));
    const delay = failure.retryAfter + jitter;
    const detail = {reason, status, delay, final};
    this.#tabs?.tell('offline', detail, delay);
    this.#emit('offline', detail, true);
    await pause(delay, signal);
  }

  #emit(type, detail, holder) {
    this.dispatchEvent(new CustomEvent(type, {detail: {...detail, holder}}));
  }
}

/**
 * The browser's side of the mutators that a server has built in, with exactly the server's effect:
 * `new Replicache({mutators: {...builtInMutators}})`. As rules on a server they work too.
 *
 * They throw a `TypeError` where the server would refuse the arguments, so nothing is pushed.
 */
export const builtInMutators = {
  /** Sets a key. */
  async put(tx, args) {
    const {key, value, place} = received(args, 'value');
    await tx.set(key, value, place);
  },

  /** Merges into a key's value (RFC 7396). A key that is absent stays so, unless `create` is true. */
  async patch(tx, args) {
    const {key, merge, create = false, place} = received(args, 'merge');
    if (typeof create !== 'boolean') {
      throw new TypeError('create is true or false');
    }
    const before = await tx.get(key, place);
    if (before !== undefined || create) {
      await tx.set(key, merged(before, merge), place);
    }
  },

  /** Deletes a key, and returns whether it was there. */
  async del(tx, args) {
    const {key, place} = received(args, 'key');
    return tx.del(key, place);
  },
};

/** A mutation's arguments as the server receives them: JSON knows no `undefined` and no `NaN`. */
function received(args, needed) {
  const members = Object(JSON.parse(JSON.stringify(args ?? null)));
  const {key, room} = members;
  if (typeof key !== 'string' || members[needed] === undefined) {
    throw new TypeError(`the arguments are an object with a string as its key${needed === 'key' ? '' : ` and a ${needed}`}`);
  }
  if (room !== undefined && typeof room !== 'string') {
    throw new TypeError('room is a string');
  }
  return {...members, place: room === undefined ? undefined : {room}}; // which a browser ignores
}

/** What `target` becomes by a JSON Merge Patch: RFC 7396, section 2. */
function merged(target, patch) {
  if (!isObject(patch)) {
    return patch;
  }
  const members = new Map(isObject(target) ? Object.entries(target) : []); // in which __proto__ is a name like others
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) {
      members.delete(name);
    } else {
      members.set(name, merged(members.get(name), change));
    }
  }
  return Object.fromEntries(members);
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function urlsOf(url, withPresence, withRejections, mutations) {
  const stream = new URL(url, globalThis.location?.href);
  if (!/\/(stream|events)$/.test(stream.pathname)) {
    stream.pathname = `${stream.pathname.replace(/\/+$/, '')}/stream`;
  }
  if (withPresence) { // tabs that do without it share another stream
    stream.searchParams.set('presence', '1');
  }
  const socket = new URL('ws', stream);
  if (mutations) {
    [stream, socket].forEach(each => each.searchParams.set('mutations', mutations));
  }
  if (withRejections) {
    [stream, socket].forEach(each => each.searchParams.set('rejections', '1'));
  }
  return {
    stream: stream.href,
    ticket: new URL('ticket', stream).href,
    socket: socket.href,
    rejections: withRejections && new URL('rejections', stream).href,
  };
}

/** The environment with what the browser has where the application gave nothing. */
function completed(given) {
  const environment = {
    fetch: globalThis.fetch,
    EventSource: globalThis.EventSource,
    WebSocket: globalThis.WebSocket,
    BroadcastChannel: globalThis.BroadcastChannel,
    locks: globalThis.navigator?.locks,
    window: globalThis.addEventListener && globalThis,
    document: globalThis.document,
    location: globalThis.location,
    storage: pageStorage(),
    random: Math.random,
    ...given,
  };
  return {...environment, fetch: environment.fetch.bind(globalThis)}; // which it insists on
}

/** Says what was rejected to whoever develops the page. */
function warn({name, code, message}) {
  console.warn(`Replistream: the mutation ${name} had no effect: ${code}: ${message}`);
}

/** The page's storage, if it has one and may use it. */
function pageStorage() {
  try {
    return globalThis.window?.localStorage;
  } catch {
    return undefined;
  }
}

/** The number that stands in the storage; 0 where there is none. */
function stored(storage, key) {
  try {
    return Number(key && storage?.getItem(key)) || 0;
  } catch {
    return 0;
  }
}

function store(storage, key, number) {
  try {
    key && storage?.setItem(key, String(number));
  } catch {
    // it is full: this tab remembers by itself
  }
}

/** The claims of a JWT; none of a token that is something else. */
function claimsOf(token) {
  try {
    const base64 = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0));
    return Object(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return {};
  }
}

function unique() {
  return `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
}

/** A controller that aborts with `signal`, or before. */
function child(signal) {
  const controller = new AbortController();
  if (signal.aborted) {
    controller.abort(signal.reason);
  } else {
    signal.addEventListener('abort', () => controller.abort(signal.reason), {signal: controller.signal});
  }
  return controller;
}

/** Rejects when `signal` aborts. */
function aborted(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
    } else {
      signal.addEventListener('abort', () => reject(signal.reason));
    }
  });
}

/** Resolves after `ms`, or when `signal` aborts. */
function pause(ms, signal) {
  return new Promise(resolve => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS));
    signal.addEventListener('abort', end);
    if (signal.aborted) {
      end();
    }
  });
}
