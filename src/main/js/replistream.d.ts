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
