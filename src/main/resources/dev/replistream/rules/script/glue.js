// The server's side of Replicache's WriteTransaction. It is evaluated once in each context, before the application's module.
//
// `host` is the one function of the server that the module can reach, and only by what stands here: it is called with an
// operation and texts, gives back a text or null, and where the server refuses an operation gives back `!code message`.
(function (host, maxLogged) {
  'use strict';
  const {parse, stringify} = JSON;
  const {freeze, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, keys} = Object;
  const {ownKeys} = Reflect;
  const call = Function.prototype.call;
  const resolved = Promise.resolve.bind(Promise);
  const then = call.bind(Promise.prototype.then);
  const slice = call.bind(String.prototype.slice);
  const indexOf = call.bind(String.prototype.indexOf);
  const startsWith = call.bind(String.prototype.startsWith);
  const codeAt = call.bind(String.prototype.charCodeAt);
  const {isFinite} = Number;

  // the engine's own, and what could make a mutation wait without using the CPU
  for (const name of ['Polyglot', 'Graal', 'Java', 'JavaImporter', 'Packages', 'java', 'javafx', 'javax', 'com', 'org', 'edu', 'load', 'loadWithNewGlobal', 'print', 'printErr', 'read', 'readbuffer', 'readline', 'quit', 'exit', 'Atomics', 'SharedArrayBuffer']) {
    delete globalThis[name];
  }

  let current; // the run whose transaction is open
  let exported;

  class RejectedError extends Error {
    constructor(code, message) {
      super(message);
      defineProperty(this, 'name', {value: 'RejectedError', configurable: true, writable: true});
      defineProperty(this, 'code', {value: code, configurable: true, writable: true, enumerable: true});
    }
  }

  function answer(text) {
    if (text !== null && text[0] === '!') {
      const at = indexOf(text, ' ');
      throw new RejectedError(slice(text, 1, at), slice(text, at + 1));
    }
    return text;
  }

  function asText(value, what) {
    if (typeof value !== 'string') {
      throw new TypeError(`${what} has to be a string`);
    }
    return value;
  }

  function asJson(value) {
    const text = stringify(value);
    if (text === undefined) {
      throw new TypeError('the value is not JSON');
    }
    if (indexOf(text, 'null') >= 0) {
      stringify(value, (_, each) => {
        if (typeof each === 'number' && !isFinite(each)) {
          throw new TypeError(`${each} is not JSON`);
        }
        return each;
      });
    }
    return text;
  }

  const asOptional = text => (text === null ? undefined : parse(text));

  /** Which comes first as UTF-8 bytes. */
  function isBefore(one, other) {
    const length = one.length < other.length ? one.length : other.length;
    for (let i = 0; i < length; i++) {
      const [a, b] = [codeAt(one, i), codeAt(other, i)];
      if (a !== b) {
        return rank(a) < rank(b);
      }
    }
    return one.length < other.length;
  }

  /** Surrogates are of characters beyond all others. */
  const rank = unit => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);

  const FIRST_PAGE = 8;
  const LONGEST_PAGE = 256;
  const LARGE_PAGE_LENGTH = 65_536;

  /** Reads entries a page at a time; what is written meanwhile ahead of it is seen. */
  class Cursor {
    #run;
    #rights;
    #room;
    #prefix;
    #start;
    #isExclusive;
    #left;
    #page = [];
    #at = 0;
    #size = FIRST_PAGE;
    #isLast = false;

    constructor(run, rights, {room, prefix = '', start, limit, indexName} = {}) {
      if (indexName !== undefined) {
        throw new TypeError('the server has no indexes');
      }
      this.#run = run;
      this.#rights = rights;
      this.#room = roomOf(room);
      this.#prefix = asText(prefix, 'a prefix');
      this.#start = start?.key === undefined ? null : asText(start.key, 'the key of a start');
      this.#isExclusive = Boolean(start?.exclusive);
      // as in the browser, where whatever does not count down to zero is no limit
      const count = typeof limit === 'bigint' ? NaN : Number(limit);
      this.#left = count > 0 && count % 1 === 0 ? count : Infinity;
    }

    next() {
      if (this.#left === 0) {
        return undefined;
      }
      if (this.#at === this.#page.length) {
        this.#read();
      }
      if (this.#at === this.#page.length) {
        this.#end();
        return undefined;
      }
      const entry = this.#page[this.#at++];
      this.#left--;
      this.#start = entry[0];
      this.#isExclusive = true;
      if (this.#left === 0) {
        this.#end();
      }
      return entry;
    }

    #read() {
      if (this.#isLast) {
        return;
      }
      const size = this.#left < this.#size ? this.#left : this.#size;
      const text = operate(this.#run, 'scan', this.#rights, this.#room, this.#prefix, this.#start, this.#isExclusive ? 'after' : 'from', `${size}`);
      this.#page = parse(text);
      this.#at = 0;
      this.#isLast = this.#page.length < size;
      const next = text.length > LARGE_PAGE_LENGTH ? this.#size / 4 : this.#size * 4;
      this.#size = next < 1 ? 1 : next > LONGEST_PAGE ? LONGEST_PAGE : next;
      (this.#run.cursors ??= new Set()).add(this);
    }

    /** A key was written: what was read ahead may not be true any more. */
    written(key) {
      const isAhead = this.#start === null || isBefore(this.#start, key);
      const isRead = !this.#isLast && this.#page.length > 0 && isBefore(this.#page[this.#page.length - 1][0], key);
      if (isAhead && !isRead) {
        this.#page = [];
        this.#at = 0;
        this.#isLast = false;
      }
    }

    #end() {
      this.#left = 0;
      this.#page = [];
      this.#at = 0;
      this.#run.cursors?.delete(this);
    }

    close() {
      this.#end();
    }
  }

  class ScanIterator {
    #cursor;
    #pick;

    constructor(cursor, pick) {
      this.#cursor = cursor;
      this.#pick = pick;
    }

    async next() {
      const entry = this.#cursor.next();
      return entry === undefined ? {value: undefined, done: true} : {value: this.#pick(entry), done: false};
    }

    async return(value) {
      this.#cursor.close();
      return {value, done: true};
    }

    async throw(error) {
      this.#cursor.close();
      throw error;
    }

    async toArray() {
      const all = [];
      for (let entry = this.#cursor.next(); entry !== undefined; entry = this.#cursor.next()) {
        all[all.length] = this.#pick(entry);
      }
      return all;
    }

    [Symbol.asyncIterator]() {
      return this;
    }
  }

  class ScanResult {
    #open;

    constructor(open) {
      this.#open = open;
    }

    values() {
      return new ScanIterator(this.#open(), entry => entry[1]);
    }

    keys() {
      return new ScanIterator(this.#open(), entry => entry[0]);
    }

    entries() {
      return new ScanIterator(this.#open(), entry => entry);
    }

    toArray() {
      return this.values().toArray();
    }

    [Symbol.asyncIterator]() {
      return this.values();
    }
  }

  function operate(run, operation, rights, ...texts) {
    if (run !== current) {
      throw new Error('Transaction is closed');
    }
    return answer(host(operation, rights, ...texts));
  }

  const roomOf = room => (room === undefined ? null : asText(room, 'a room'));

  class Rooms {
    #run;
    #rights;

    constructor(run, rights) {
      this.#run = run;
      this.#rights = rights;
    }

    async create(id) {
      operate(this.#run, 'createRoom', this.#rights, asText(id, 'a room'));
    }

    async delete(id) {
      operate(this.#run, 'deleteRoom', this.#rights, asText(id, 'a room'));
    }

    async list() {
      return parse(operate(this.#run, 'rooms', this.#rights));
    }

    async members(id) {
      return parse(operate(this.#run, 'members', this.#rights, asText(id, 'a room')));
    }

    async put(id, userId, role) {
      operate(this.#run, 'putMember', this.#rights, asText(id, 'a room'), asText(userId, 'a user'), asText(role, 'a role'));
    }

    async invite(id, userId, role) {
      operate(this.#run, 'invite', this.#rights, asText(id, 'a room'), asText(userId, 'a user'), asText(role, 'a role'));
    }

    async createLink(id, role, {expiresIn, uses} = {}) {
      const limits = [expiresIn, uses].map(each => (each === undefined ? null : `${asWhole(each)}`));
      return parse(operate(this.#run, 'createLink', this.#rights, asText(id, 'a room'), asText(role, 'a role'), limits[0], limits[1]));
    }

    async remove(id, userId) {
      return parse(operate(this.#run, 'removeMember', this.#rights, asText(id, 'a room'), asText(userId, 'a user')));
    }
  }

  function asWhole(value) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new TypeError('expiresIn (seconds) and uses have to be whole numbers from 1 on');
    }
    return value;
  }

  class Transaction {
    #run;
    #rights;
    #rooms;
    #unrestricted;
    #claims;

    constructor(run, rights) {
      this.#run = run;
      this.#rights = rights;
    }

    get clientID() {
      return this.#run.clientID;
    }

    get mutationID() {
      return this.#run.mutationID;
    }

    get reason() {
      return 'authoritative';
    }

    get location() {
      return 'server';
    }

    get environment() {
      return 'server';
    }

    get user() {
      return this.#run.user;
    }

    get claims() {
      return (this.#claims ??= parse(operate(this.#run, 'claims', this.#rights)));
    }

    get rooms() {
      return (this.#rooms ??= new Rooms(this.#run, this.#rights));
    }

    get unrestricted() {
      return (this.#unrestricted ??= this.#rights === 'all' ? this : new Transaction(this.#run, 'all'));
    }

    async get(key, options) {
      return asOptional(operate(this.#run, 'get', this.#rights, roomOf(options?.room), asText(key, 'a key')));
    }

    async has(key, options) {
      return parse(operate(this.#run, 'has', this.#rights, roomOf(options?.room), asText(key, 'a key')));
    }

    async isEmpty(options) {
      return parse(operate(this.#run, 'isEmpty', this.#rights, roomOf(options?.room)));
    }

    async set(key, value, options) {
      operate(this.#run, 'set', this.#rights, roomOf(options?.room), asText(key, 'a key'), asJson(value));
      this.#run.cursors?.forEach(cursor => cursor.written(key));
    }

    async put(key, value, options) {
      return this.set(key, value, options);
    }

    async del(key, options) {
      const was = parse(operate(this.#run, 'del', this.#rights, roomOf(options?.room), asText(key, 'a key')));
      this.#run.cursors?.forEach(cursor => cursor.written(key));
      return was;
    }

    scan(options) {
      const [run, rights] = [this.#run, this.#rights];
      const copy = {...options};
      new Cursor(run, rights, copy); // what is wrong with the options is said here
      return new ScanResult(() => new Cursor(run, rights, copy));
    }
  }

  function shown(value) {
    try {
      if (typeof value === 'string') {
        return value;
      }
      if (value instanceof Error) {
        return `${value.stack}`;
      }
      return stringify(value) ?? String(value);
    } catch {
      return typeof value;
    }
  }

  const console = {};
  for (const level of ['debug', 'log', 'info', 'warn', 'error', 'trace']) {
    console[level] = (...values) => {
      let line = '';
      for (let i = 0; i < values.length && line.length < maxLogged; i++) {
        line += (i === 0 ? '' : ' ') + shown(values[i]);
      }
      host('console', level, slice(line, 0, maxLogged));
    };
  }

  const MAX_RANDOM = 65_536;
  const {Uint8Array: Bytes} = globalThis;
  const isView = ArrayBuffer.isView;
  const crypto = {
    randomUUID: () => host('uuid', null),
    getRandomValues(array) {
      if (!isView(array) || array instanceof DataView || array instanceof Float32Array || array instanceof Float64Array) {
        throw new TypeError('getRandomValues takes a typed array of integers');
      }
      if (array.byteLength > MAX_RANDOM) {
        throw new RangeError(`getRandomValues fills ${MAX_RANDOM} bytes at most`);
      }
      const bytes = new Bytes(array.buffer, array.byteOffset, array.byteLength);
      const text = host('random', `${bytes.length}`);
      for (let i = 0; i < bytes.length; i++) {
        bytes[i] = codeAt(text, i);
      }
      return array;
    },
  };
  for (const [name, value] of Object.entries({console: freeze(console), crypto: freeze(crypto)})) {
    defineProperty(globalThis, name, {value, writable: false, enumerable: false, configurable: false});
  }

  /**
   * Freezes what all modules share, so that nothing leaks from one mutation to the next. To give an object of one's own
   * a property that its prototype has (`error.name = …`) must go on to work: such properties become accessors.
   */
  function freezeAll() {
    const seen = new Set();
    const waiting = [globalThis, RejectedError, Cursor, ScanIterator, ScanResult, Rooms, Transaction];
    const found = value => {
      if (((typeof value === 'object' && value !== null) || typeof value === 'function') && !seen.has(value)) {
        seen.add(value);
        waiting.push(value);
      }
    };
    const segments = new Intl.Segmenter().segment('');
    for (const hidden of [segments, segments[Symbol.iterator](), function* () {}, async function () {}, async function* () {}, [][Symbol.iterator](), new Map().entries(), new Set().values(), ''[Symbol.iterator](), ''.matchAll(/./g), [].values().map(each => each), Iterator.from({next() {}})]) {
      found(getPrototypeOf(hidden));
    }
    while (waiting.length > 0) {
      const object = waiting.pop();
      found(getPrototypeOf(object));
      for (const key of ownKeys(object)) {
        const descriptor = getOwnPropertyDescriptor(object, key);
        if ('value' in descriptor) {
          found(descriptor.value);
        } else {
          found(descriptor.get);
          found(descriptor.set);
        }
      }
    }
    for (const object of seen) {
      if (object !== globalThis && isPrototype(object)) {
        for (const key of ownKeys(object)) {
          if (object === Object.prototype || object instanceof Error || object === Error.prototype || OFTEN_REPLACED.has(key)) {
            letBeReplaced(object, key);
          }
        }
      }
    }
    seen.forEach(object => {
      if (!isView(object)) {
        freeze(object);
      }
    });
    freeze(globalThis);
  }

  const OFTEN_REPLACED = new Set(['constructor', 'toString', 'valueOf', 'toJSON', 'toLocaleString', 'name', 'message', 'next', 'return', 'throw', Symbol.iterator, Symbol.asyncIterator, Symbol.toStringTag]);

  function isPrototype(object) {
    const descriptor = getOwnPropertyDescriptor(object, 'constructor');
    return descriptor !== undefined && 'value' in descriptor && typeof object !== 'function';
  }

  function letBeReplaced(object, key) {
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (!('value' in descriptor) || !descriptor.configurable) {
      return;
    }
    const {value, enumerable} = descriptor;
    // methods, which have no prototype that would have to be frozen too
    const {get, set} = {
      get() {
        return value;
      },
      set(replacement) {
        if (this === object) {
          throw new TypeError(`${String(key)} is frozen`);
        }
        defineProperty(this, key, {value: replacement, writable: true, enumerable: true, configurable: true});
      },
    };
    defineProperty(object, key, {get: freeze(get), set: freeze(set), enumerable, configurable: false});
  }

  /** What an error says is read once, as each look may give something else, and not more of it than anybody reads. */
  function describe(run, error) {
    run.state = 'failed';
    run.code = null;
    run.stack = '';
    run.name = 'Error';
    try {
      if (typeof error === 'object' && error !== null) {
        const {code} = error;
        run.code = typeof code === 'string' ? slice(code, 0, MAX_CODE) : null;
      }
      if (error instanceof Error) {
        run.name = slice(`${error.name}`, 0, maxLogged);
        run.stack = slice(`${error.stack}`, 0, MAX_STACK);
        run.message = slice(`${error.message}`, 0, maxLogged);
      } else {
        run.message = slice(run.code === null ? shown(error) : `${error.message ?? ''}`, 0, maxLogged);
      }
    } catch {
      run.code = null;
      run.message = 'what was thrown can not be read';
    }
  }

  const MAX_CODE = 200;
  const MAX_STACK = 10_000;

  return {
    /** Takes what the module exports, and freezes the rest. Gives back the names of the mutators. */
    bind(module) {
      exported = freeze({...module});
      const names = [];
      for (const name of keys(exported)) {
        if (typeof exported[name] === 'function') {
          names.push(name);
        }
      }
      freezeAll();
      return names;
    },

    /**
     * Begins a mutation. How it ended is read when this has returned to the host, after which all that was left to do has
     * been done. There is no `try` here: it would catch what ends a mutation that takes too long, and its position with it.
     */
    run(name, args, user, clientID, mutationID) {
      const run = (current = {state: 'pending', name: '', message: '', stack: '', code: null, user, clientID, mutationID, cursors: undefined});
      const end = () => {
        if (current === run) {
          current = undefined;
        }
      };
      const result = exported[name](new Transaction(run, 'own'), args === null ? undefined : parse(args));
      then(
        resolved(result),
        () => {
          end();
          run.state = 'done';
        },
        error => {
          end();
          describe(run, error);
        },
      );
      return run;
    },

    /** What was thrown by a mutator that is no promise. */
    thrown(error) {
      const run = {};
      describe(run, error);
      return run;
    },
  };
});
