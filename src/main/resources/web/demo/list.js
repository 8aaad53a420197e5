import './process.js'; // before the next one
import {Replicache} from 'replicache';
import {ReplicacheSSE, builtInMutators} from '/replistream.js';
import {API} from '/console/credentials.js';

const PUSH = `${API}/push`;
const PULL = `${API}/pull`;

/** A list of things to do, of one user or of a room, on the Replicache client. */
export class SharedList {
  #replicache;
  #room;
  #prefix;
  #isOffline = false;
  #onPresent = () => {};

  /**
   * @param {import('/console/credentials.js').Credentials} credentials
   * @param {string | undefined} room
   * @param {string[] | undefined} transports how it may read its stream; who is present needs one by HTTP
   */
  constructor(credentials, token, room, transports) {
    this.#room = room && {room};
    this.#prefix = room ? `room/${room}/todo/` : 'todo/';
    this.#replicache = new Replicache({
      name: credentials.user, // so that two users of one browser keep apart
      auth: `Bearer ${token}`,
      pushURL: PUSH,
      pullURL: PULL,
      mutators: {...builtInMutators},
      logLevel: 'error',
    });
    this.#replicache.getAuth = async () => `Bearer ${await credentials.fresh()}`;
    /** Tells about the connection: `connected`, `sync`, `offline`, `expired`. */
    this.stream = new ReplicacheSSE({
      url: API,
      auth: credentials.fresh,
      replicache: this.#replicache,
      transports,
      onPresence: room && (list => list.room === room && this.#onPresent(list)),
    });
    this.stream.connect();
  }

  /** Calls `onChange` with the things to do, the oldest first, now and after each change. */
  subscribe(onChange) {
    const prefix = this.#prefix;
    this.#replicache.subscribe(
      async tx => (await tx.scan({prefix}).entries().toArray()).map(([key, todo]) => ({...todo, key})),
      todos => onChange(todos.toSorted((a, b) => a.at - b.at)),
    );
  }

  /** Calls `onChange` whenever the number of changes that the server has not confirmed may differ. */
  watchPending(onChange) {
    const tell = async () => {
      try {
        onChange((await this.#replicache.experimentalPendingMutations()).length);
      } catch {
        // the store is opening or closing: there is a next time, or nobody to tell
      }
    };
    this.#replicache.onSync = tell;
    this.subscribe(tell);
  }

  /** Calls `onChange` with who has the room open, now and when that changes. */
  watchPresent(onChange) {
    this.#onPresent = onChange;
  }

  add(text, by) {
    const value = {text, done: false, at: Date.now(), by};
    return this.#replicache.mutate.put({key: this.#prefix + crypto.randomUUID(), value, ...this.#room});
  }

  setDone(key, done) {
    return this.#replicache.mutate.patch({key, merge: {done}, ...this.#room});
  }

  remove(key) {
    return this.#replicache.mutate.del({key, ...this.#room});
  }

  get isOffline() {
    return this.#isOffline;
  }

  /** Offline there is no stream, no push and no pull; changes wait for the way back. */
  setOffline(isOffline) {
    this.#isOffline = isOffline;
    this.#replicache.pushURL = isOffline ? '' : PUSH;
    this.#replicache.pullURL = isOffline ? '' : PULL;
    if (isOffline) {
      this.stream.disconnect();
    } else {
      this.stream.connect(); // which pulls
      this.#replicache.push({now: true}).catch(() => {}); // it tries again by itself
    }
  }
}
