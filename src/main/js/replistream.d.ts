/** How the stream is read: a name in the option `transports`. */
export type Transport = 'fetch' | 'websocket' | 'eventsource';

export interface ReplicacheSSEOptions {
  /** The base of the API, such as `https://host/api/v1/replicache`, or the whole address of the stream. */
  url: string | URL;

  /**
   * A token, or a function that returns a fresh one each time: it is called at the start, shortly
   * before the token's `exp`, and after a 401. The token may begin with `Bearer `. If there is no
   * token, or it is refused twice, `expired` fires; if the function throws, it is tried again later.
   */
  auth: string | (() => string | null | undefined | Promise<string | null | undefined>);

  /** The Replicache client that pulls. Without one there are only the events. */
  replicache?: {pull(options?: {now?: boolean}): unknown};

  /**
   * Whose stream it is, for the tabs that share one. By default it is the token's `sub`; without
   * this and with a token that is no JWT, each tab has a stream of its own.
   */
  user?: string;

  /**
   * Called with the list of who is present in a room: for each of the user's rooms after
   * `connected`, and then for each that changes. The tabs of a user that ask for presence share a
   * stream of their own. A WebSocket carries no presence.
   */
  onPresence?: (list: PresenceList) => void;

  /**
   * Called with each mutation of the user's that the server acknowledged without effect, and why:
   * once a tab, whichever tab or device made the mutation; compare `clientID` to tell. What came
   * while no tab was open is told to the first that opens, for a day. By default `console.warn`
   * says it on pages of localhost, and nobody elsewhere.
   */
  onRejected?: (rejection: Rejection) => void;

  /**
   * Asks for the event `mutation`: what becomes of each mutation that the user pushes or, of a server in development mode, that anybody pushes.
   * It is for tools of those who develop. The tabs of a user that ask share a stream of their own.
   */
  mutations?: 'own' | 'all' | undefined;

  /** The server's ping interval, in milliseconds; 30,000 by default. A stream that is silent for 2.5 intervals counts as dead. */
  pingInterval?: number;

  /** How long an attempt may take until `connected`, in milliseconds; 15,000 by default. */
  connectTimeout?: number;

  /**
   * The transports to use, `['fetch', 'websocket', 'eventsource']` by default. The first is tried
   * first, the others after three failures in a row.
   */
  transports?: Transport[];

  /** Replacements for what the browser provides, for tests and unusual hosts. */
  environment?: {
    fetch?: typeof fetch;
    EventSource?: typeof EventSource;
    WebSocket?: typeof WebSocket;
    /** Without it, or without `locks`, each tab has a stream of its own. */
    BroadcastChannel?: typeof BroadcastChannel;
    locks?: Pick<LockManager, 'request'>;
    /** Fires `online`, `offline`, `pageshow` and `pagehide`. */
    window?: EventTarget;
    /** Fires `freeze` and `resume`, and tells whether the tab is hidden. */
    document?: EventTarget & {visibilityState?: string};
    /** Whose page it is: on localhost rejections are said on the console. */
    location?: {hostname: string};
    /** Keeps how far the user was told of rejections, for tabs that open later. */
    storage?: Pick<Storage, 'getItem' | 'setItem'>;
    random?: () => number;
  };
}

/** Who is present in a room. */
export interface PresenceList {
  room: string;
  /** How many are present. 0 means that the user is no longer a member of the room. */
  count: number;
  /** The first 100 of them, ordered by id. */
  users: {
    userId: string;
    /** When they connected, in ISO 8601. */
    since: string;
  }[];
}

/** A mutation that had no effect. */
export interface Rejection {
  /** Grows with each rejection of the user. */
  seq: number;
  /** The Replicache client that made the mutation. */
  clientID: string;
  /** The client's number for the mutation. */
  id: number;
  /** Which mutator it was for. */
  name: string;
  /** Names the reason for programs: one of your rule's, or of the server's such as `unknown-mutator`. */
  code: string;
  /** The reason in words. */
  message: string;
}

/** What became of a mutation. */
export interface SeenMutation {
  /** When the transaction began in which it was run, in ISO 8601. */
  at: string;
  userId: string;
  clientGroupID: string;
  clientID: string;
  id: number;
  name: string;
  /** `failed` is a bug, or a mutation that no mutator could run. */
  outcome: 'applied' | 'rejected' | 'failed';
  /** Of one without effect: why, as in its {@link Rejection}. */
  code?: string;
  message?: string;
  /** Where its mutator failed, such as `mutators.js:12:5`; in development mode alone. */
  position?: string;
  /** How long it ran. */
  millis: number;
  /** What the mutator was called with. */
  args?: ReadonlyJSONValue;
  /** The first 4,096 characters of arguments whose JSON is longer, and how long it is. */
  argsCut?: string;
  argsLength?: number;
}

/** The detail of `connected` and `sync`. */
export interface StreamDetail {
  /** How far the stream has come, if the transport says so. */
  id?: string;
  transport: Transport;
  /** Whether this tab holds the stream. */
  holder: boolean;
}

/** The detail of `offline` and `expired`. */
export interface EndDetail {
  /**
   * `ended` by the server, `unreachable`, `network` (it broke), `timeout` before `connected`, `silent`, `refused` with `status`, `not-a-stream`,
   * `auth` failed, `signed-out` (`auth` gave no token), `stopped` (the user ended it from elsewhere: also 204, of a WebSocket 4204), `unsupported`, `failed`;
   * or `offline`, `freeze`, `pagehide`: the browser's events.
   */
  reason: string;
  /** The HTTP status, if one was the reason. */
  status?: number;
  /** How long until the next attempt, in milliseconds. */
  delay?: number;
  /** True if there will be no further attempt until `connect()` is called. */
  final: boolean;
  holder: boolean;
}

export interface ReplicacheSSEEvents {
  /** The stream is open, in this tab or in another that holds it for all. */
  connected: CustomEvent<StreamDetail>;
  /** Something changed: a pull has begun. */
  sync: CustomEvent<StreamDetail>;
  /** Who is present in a room; only with the option `onPresence`. */
  presence: CustomEvent<PresenceList & {holder: boolean}>;
  /** A mutation had no effect; only with the option `onRejected`, or on a page of localhost. */
  rejected: CustomEvent<Rejection & {holder: boolean}>;
  /** A mutation was seen, or some were dropped as this client reads too slowly; only with the option `mutations`. */
  mutation: CustomEvent<(SeenMutation | {dropped: number}) & {holder: boolean}>;
  /** There is no stream now. */
  offline: CustomEvent<EndDetail>;
  /** The user must sign in again; then call `connect()`. */
  expired: CustomEvent<EndDetail>;
}

/**
 * Keeps a Replicache client in sync with a Replistream server: pulls when the server says that
 * something changed, over one stream for all tabs of a user.
 */
export class ReplicacheSSE extends EventTarget {
  constructor(options: ReplicacheSSEOptions);

  /** Connects, and stays so until `disconnect()`, `expired` or a final `offline`. Idempotent. */
  connect(): void;

  /** Ends the stream and all timers, and takes this tab out of the election. Idempotent. */
  disconnect(): void;

  /** Pulls now. Calls that come during a pull are merged into one more pull. */
  handleSync(): void;

  addEventListener<K extends keyof ReplicacheSSEEvents>(
    type: K,
    listener: (event: ReplicacheSSEEvents[K]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/**
 * Parses a stream of server-sent events (WHATWG HTML, section 9.2.6), given in any pieces. An event
 * without an empty line after it is dropped.
 */
export class EventStreamParser {
  constructor(
    onEvent: (event: {type: string; data: string; lastEventId: string}) => void,
    onRetry?: (ms: number) => void,
  );
  push(bytes: Uint8Array): void;
}

/** A JSON value. */
export type JSONValue = null | string | boolean | number | JSONValue[] | {[key: string]: JSONValue | undefined};

/** A JSON value that nobody may change. */
export type ReadonlyJSONValue =
  | null
  | string
  | boolean
  | number
  | readonly ReadonlyJSONValue[]
  | {readonly [key: string]: ReadonlyJSONValue | undefined};

export type DeepReadonly<T> = T extends null | boolean | string | number | undefined
  ? T
  : {readonly [K in keyof T]: DeepReadonly<T[K]>};

/** In which room an entry is. Without one, reads see the whole view, and writes go where the key is visible, else in the private space. A browser ignores it. */
export interface InRoom {
  room?: string | undefined;
}

export interface ScanOptions extends InRoom {
  /** Only keys that begin so. */
  prefix?: string | undefined;
  /** The first key, or the one before it. */
  start?: {key: string; exclusive?: boolean | undefined} | undefined;
  /** How many at most. */
  limit?: number | undefined;
}

export interface AsyncIterableIteratorToArray<V> extends AsyncIterableIterator<V> {
  toArray(): Promise<V[]>;
}

/** What a scan finds, in the order of the keys as UTF-8 bytes. */
export interface ScanResult<V> extends AsyncIterable<V> {
  [Symbol.asyncIterator](): AsyncIterableIteratorToArray<V>;
  values(): AsyncIterableIteratorToArray<V>;
  keys(): AsyncIterableIteratorToArray<string>;
  entries(): AsyncIterableIteratorToArray<readonly [string, V]>;
  toArray(): Promise<V[]>;
}

/** What a helper of a mutator needs that only reads. Replicache's own `ReadTransaction` is one. */
export interface ReadTransaction {
  readonly clientID: string;
  readonly location: 'client' | 'server';
  /** @deprecated Use `location`. */
  readonly environment: 'client' | 'server';

  /** The value of a key, or `undefined`. */
  get(key: string, options?: InRoom): Promise<ReadonlyJSONValue | undefined>;
  get<T extends JSONValue>(key: string, options?: InRoom): Promise<DeepReadonly<T> | undefined>;
  has(key: string, options?: InRoom): Promise<boolean>;
  isEmpty(options?: InRoom): Promise<boolean>;
  /** The server has no indexes. */
  scan(options?: ScanOptions): ScanResult<ReadonlyJSONValue>;
  scan<V extends ReadonlyJSONValue>(options?: ScanOptions): ScanResult<DeepReadonly<V>>;
}

/**
 * What a mutator works with, in the browser and as a rule on the server. Replicache's own
 * `WriteTransaction` is one: what that lacks is `undefined` in the browser.
 */
export interface WriteTransaction extends ReadTransaction {
  readonly mutationID: number;
  /** On the server always `authoritative`. */
  readonly reason: 'initial' | 'rebase' | 'authoritative';

  set(key: string, value: ReadonlyJSONValue, options?: InRoom): Promise<void>;
  /** @deprecated Use `set`. */
  put(key: string, value: ReadonlyJSONValue, options?: InRoom): Promise<void>;
  /** Deletes a key, and tells whether it was there. */
  del(key: string, options?: InRoom): Promise<boolean>;

  /** Who pushed the mutation: `sub` of the token. `undefined` in the browser, as all that follows. */
  readonly user?: string | undefined;
  /** The claims of the token that the mutation was pushed with. */
  readonly claims?: {readonly [name: string]: ReadonlyJSONValue | undefined} | undefined;
  readonly rooms?: Rooms | undefined;
  /** The same transaction without the limits of the user's rights. */
  readonly unrestricted?: WriteTransaction | undefined;
}

export type Role = 'owner' | 'writer' | 'reader';

/** Rooms and their members, with the rights of the user, or by `unrestricted.rooms` without their limits. */
export interface Rooms {
  /** Makes a room, whose owner is the user. */
  create(id: string): Promise<void>;
  delete(id: string): Promise<void>;
  /** The rooms that the user is a member of. */
  list(): Promise<{id: string; role: Role}[]>;
  members(id: string): Promise<{userId: string; role: Role}[]>;
  /** Gives a member another role. */
  put(id: string, userId: string, role: Role): Promise<void>;
  /** Invites somebody who is no member. */
  invite(id: string, userId: string, role: Role): Promise<void>;
  /** Makes a link, and gives its code. It lasts `expiresIn` seconds, for so many `uses`. */
  createLink(id: string, role: Role, limits?: {expiresIn?: number | undefined; uses?: number | undefined}): Promise<string>;
  /** Takes a member out, or an invitation back; tells whether there was one. */
  remove(id: string, userId: string): Promise<boolean>;
}

/** A function that works on both sides. One that is written for Replicache's own `WriteTransaction` is one too. */
export type Mutator = {
  bivariant(tx: WriteTransaction, args: any): ReadonlyJSONValue | void | Promise<ReadonlyJSONValue | void>;
}['bivariant'];

/** What Replicache takes as `mutators`, and what a file of rules exports. */
export type Mutators = {[name: string]: Mutator};

/**
 * The browser's side of the mutators that a server has built in, with exactly the server's effect:
 * `new Replicache({mutators: {...builtInMutators}})`. As rules on a server they work too.
 *
 * They throw a `TypeError` where the server would refuse the arguments, so nothing is pushed.
 */
export const builtInMutators: {
  /** Sets a key. */
  put(tx: WriteTransaction, args: {key: string; value: ReadonlyJSONValue; room?: string | undefined}): Promise<void>;
  /** Merges into a key's value (RFC 7396). A key that is absent stays so, unless `create` is true. */
  patch(
    tx: WriteTransaction,
    args: {key: string; merge: ReadonlyJSONValue; room?: string | undefined; create?: boolean | undefined},
  ): Promise<void>;
  /** Deletes a key, and returns whether it was there. */
  del(tx: WriteTransaction, args: {key: string; room?: string | undefined}): Promise<boolean>;
};
