/** How the stream is read, by the names of the option `transports`. */
export type Transport = 'fetch' | 'websocket' | 'eventsource';

export interface ReplicacheSSEOptions {
  /** The base of the API, such as `https://host/api/v1/replicache`, or the whole address of the stream. */
  url: string | URL;

  /**
   * A token, or what gives a fresh one each time: it is called at the start, shortly before the
   * token's `exp`, and after a 401. `Bearer ` before it does no harm. No token, or one that is
   * refused twice, means `expired`; an error means another try later.
   */
  auth: string | (() => string | null | undefined | Promise<string | null | undefined>);

  /** What pulls: a Replicache client. Without it there are the events alone. */
  replicache?: {pull(options?: {now?: boolean}): unknown};

  /**
   * Whose stream it is, for the tabs that share one: the token's `sub` unless given. With a token
   * that is no JWT, and without this, each tab has a stream of its own.
   */
  user?: string;

  /**
   * Asks the server who is present in the user's rooms, and is told: each list as it is after
   * `connected`, and then each that changes. The tabs of a user that ask share a stream of their
   * own. A WebSocket tells no presence.
   */
  onPresence?: (list: PresenceList) => void;

  /** The server's ping interval, in milliseconds: 30,000. A stream silent for 2.5 of it is dead. */
  pingInterval?: number;

  /** How long an attempt may take to `connected`, in milliseconds: 15,000. */
  connectTimeout?: number;

  /**
   * Which transports may be used; the first is tried first, the others after three failures in a
   * row: `['fetch', 'websocket', 'eventsource']`.
   */
  transports?: Transport[];

  /** What stands in for the browser's own, in tests and on unusual hosts. */
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
  /** How many are present. 0 says that the user is a member of the room no more. */
  count: number;
  /** The first 100 of them, in the order of their ids. */
  users: {
    userId: string;
    /** Since when they are connected: ISO 8601. */
    since: string;
  }[];
}

/** Of `connected` and `sync`. */
export interface StreamDetail {
  /** How far the stream has come, where the transport tells. */
  id?: string;
  transport: Transport;
  /** Whether it is this tab that holds the stream. */
  holder: boolean;
}

/** Of `offline` and `expired`. */
export interface EndDetail {
  /**
   * `ended` by the server, `unreachable`, `network` (it broke), `timeout` before `connected`, `silent`, `refused` with `status`, `not-a-stream`,
   * `auth` failed, `signed-out` (`auth` gave no token), `stopped` (the user ended it from elsewhere: also 204, of a WebSocket 4204), `unsupported`, `failed`;
   * or `offline`, `freeze`, `pagehide`: the browser's events.
   */
  reason: string;
  /** The HTTP status that decided. */
  status?: number;
  /** The milliseconds to the next attempt. */
  delay?: number;
  /** Whether there will be no other attempt until `connect()` is called again. */
  final: boolean;
  holder: boolean;
}

export interface ReplicacheSSEEvents {
  /** The stream is open, in this tab or in another that holds it for all. */
  connected: CustomEvent<StreamDetail>;
  /** Something changed: a pull is on its way. */
  sync: CustomEvent<StreamDetail>;
  /** Who is present in a room, with the option `onPresence`. */
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

  /** Ends the stream, all timers, and the part in electing a tab. Idempotent. */
  disconnect(): void;

  /** Pulls now; calls that come while a pull is under way make one more pull together. */
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
 * that no empty line follows never happened.
 */
export class EventStreamParser {
  constructor(
    onEvent: (event: {type: string; data: string; lastEventId: string}) => void,
    onRetry?: (ms: number) => void,
  );
  push(bytes: Uint8Array): void;
}
