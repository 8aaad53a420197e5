import './process.js'; // before the next one
import {Replicache} from 'replicache';
import {ReplicacheSSE, builtInMutators} from '/replistream.js';
import {API} from '/console/credentials.js';
import {mutators as rules} from './mutators.mjs';

const PUSH = `${API}/push`;
const PULL = `${API}/pull`;
const RETRY_MS = 1_000;

/** Whether the server runs the same rules as this page. */
const hasRules = document.documentElement.dataset.rules === 'true';

/** A list of things to do, of one user or of a room, on the Replicache client. */
export class SharedList {
  #replicache;
  #list;
  #isOffline = false;
  #onPresent = () => {};
  #done; // what was asked for before

  /**
   * @param {import('/console/credentials.js').Credentials} credentials
   * @param {string | undefined} room
   * @param {string[] | undefined} transports how it may read its stream; who is present needs one by HTTP
   * @param {(why: string) => void} onRefused told what the server did not do, and why
   */
  constructor(credentials, token, room, transports, onRefused) {
    this.#list = {id: room ?? 'mine', name: room ?? 'mine', ownerID: credentials.user, room: room ?? null};
    this.#replicache = new Replicache({
      name: credentials.user, // so that two users of one browser keep apart
      auth: `Bearer ${token}`,
      pushURL: PUSH,
      pullURL: PULL,
      mutators: {...(hasRules ? rules : builtInMutators)},
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
      onRejected: async ({clientID, name, message}) =>
        clientID === (await this.#replicache.clientID) && onRefused(`The server did not do ${name}: ${message}`),
    });
    this.stream.connect();
    this.#done = this.#begin();
  }

  /** Makes the list, unless it is there. */
  async #begin() {
    const isThere = () => this.#replicache.query(tx => tx.has(`list/${this.#list.id}`));
    while (!(await isThere())) {
      try {
        await this.#replicache.pull({now: true});
      } catch {
        await new Promise(resolve => setTimeout(resolve, RETRY_MS));
        continue;
      }
      if (!(await isThere())) {
        await this.#mutate('createList', this.#list);
      }
    }
  }

  /** Runs a rule after those that were asked for before. */
  #run(name, args) {
    this.#done = this.#done.then(() => this.#mutate(name, args));
    return this.#done;
  }

  /** Where the server has not the rules, what a rule writes is pushed as what is built in there. */
  async #mutate(name, args) {
    const {mutate} = this.#replicache;
    if (hasRules) {
      await mutate[name](args);
      return;
    }
    const {room} = this.#list;
    for (const write of await this.#replicache.query(tx => writesOf(tx, rules[name], args))) {
      await mutate[write.name]({...write.args, ...(room !== null && {room})});
    }
  }

  /** Calls `onChange` with the things to do, in their order, now and after each change. */
  subscribe(onChange) {
    const {id} = this.#list;
    this.#replicache.subscribe(
      async tx => (await tx.scan({prefix: 'todo/'}).toArray()).filter(({listID}) => listID === id),
      todos => onChange(todos.toSorted((a, b) => a.sort - b.sort)),
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

  add(text) {
    return this.#run('createTodo', {id: crypto.randomUUID(), listID: this.#list.id, text, completed: false});
  }

  setCompleted(id, completed) {
    return this.#run('updateTodo', {id, completed});
  }

  remove(id) {
    return this.#run('deleteTodo', id);
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

/** What a rule writes, as mutations that are built in. */
async function writesOf(tx, rule, args) {
  const writes = [];
  const recorder = {
    get: key => tx.get(key),
    has: key => tx.has(key),
    scan: options => tx.scan(options),
    set: (key, value) => writes.push({name: 'put', args: {key, value}}),
    del: key => writes.push({name: 'del', args: {key}}),
  };
  await rule(recorder, args);
  return writes;
}
