import {execFile, spawn} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {cp, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {promisify} from 'node:util';

import {realFetch} from './network.mjs';
import {eventually} from './waiting.mjs';

const SECRET = 'the secret of the tests with the real client';
const API = '/api/v1/replicache';

/** How long a start of the server may take on a busy machine. */
const START_MS = 60_000;

/**
 * The command that runs a server: a JSON array of a program and its arguments. Java finds the
 * classes by the variable CLASSPATH.
 */
const COMMAND = process.env.SERVER_COMMAND;

/** The JDBC URL of the database of every server; without it each has a file of its own. */
const DATABASE_URL = process.env.SERVER_DATABASE_URL;

/** The URL of the Redis in which all servers meet, which then are nodes of one database; without it each is alone. */
const REDIS_URL = process.env.SERVER_REDIS_URL;

const running = new Set();
process.on('exit', () => running.forEach(child => child.kill('SIGKILL')));

/** A server in a process of its own, on one port and one data directory for all its lives. */
export class Server {
  #port;
  #home;
  #settings;
  #child;
  #output = '';

  constructor(port, home, settings) {
    this.#port = port;
    this.#home = home;
    this.#settings = settings;
  }

  /**
   * Starts a server and waits till it answers.
   *
   * @param settings what its environment holds besides, such as `REPLISTREAM_SYNC_MAX_VALUE`; what is
   *   `undefined` it does not hold
   * @param mutators the Java class of those that it has besides the built-in ones
   */
  static async start(settings = {}, mutators = 'dev.replistream.client.ScenarioMutators') {
    const home = await mkdtemp(join(tmpdir(), 'replistream-client-'));
    await mkdir(join(home, 'META-INF', 'services'), {recursive: true});
    await writeFile(join(home, 'META-INF', 'services', 'dev.replistream.api.Mutators'), mutators);
    const server = new Server(await freePort(), home, settings);
    await server.restart();
    return server;
  }

  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The address of the API. */
  get url() {
    return this.origin + API;
  }

  /** What it printed, in all its lives. */
  get output() {
    return this.#output;
  }

  /** Starts it again after {@link kill} or {@link drain}, where it was and with what it held. */
  async restart() {
    if (!COMMAND) {
      throw new Error('SERVER_COMMAND must say how to start a server: run etc/test');
    }
    const [program, ...args] = JSON.parse(COMMAND);
    const child = spawn(program, args, {env: this.#environment(), cwd: this.#home});
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => (this.#output += text));
    }
    await eventually('the server answers', () => this.#answers(), START_MS);
  }

  #environment() {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('REPLISTREAM_'));
    return {
      ...Object.fromEntries(inherited),
      CLASSPATH: [process.env.CLASSPATH, this.#home].join(delimiter),
      REPLISTREAM_HOST: '127.0.0.1',
      REPLISTREAM_PORT: String(this.#port),
      REPLISTREAM_ADMIN_PORT: '0',
      REPLISTREAM_AUTH_SECRET: SECRET,
      REPLISTREAM_DATA_DIR: join(this.#home, 'data'),
      REPLISTREAM_DB_URL: DATABASE_URL ?? `jdbc:sqlite:${join(this.#home, 'data', 'replistream.db')}`,
      // the scenarios use the built-in mutators too, and theirs add members as they please
      REPLISTREAM_MUTATORS_BUILT_IN: 'true',
      REPLISTREAM_ROOMS_MEMBERSHIP: 'direct',
      ...(REDIS_URL && {REPLISTREAM_REDIS_URL: REDIS_URL}),
      ...this.#settings,
    };
  }

  async #answers() {
    if (this.#child.exitCode !== null) {
      throw new Error(`the server did not start; it says:\n${this.#output}`);
    }
    try {
      return (await realFetch(`${this.origin}/replistream.js`)).ok;
    } catch {
      return false;
    }
  }

  /** Ends it with SIGKILL. */
  kill() {
    return this.#end('SIGKILL');
  }

  /** Ends it with SIGTERM, and waits till all of its streams have ended. */
  drain() {
    return this.#end('SIGTERM');
  }

  async #end(signal) {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = new Promise(resolve => this.#child.once('exit', resolve));
      this.#child.kill(signal);
      await exit;
    }
  }

  /** Kills it, deletes all that it held in its directory, and starts it again. */
  async wipe() {
    await this.kill();
    await rm(join(this.#home, 'data'), {recursive: true});
    await this.restart();
  }

  /** Kills it, keeps a copy of all that it held in its directory, and starts it again. */
  async backUp() {
    await this.kill();
    await cp(join(this.#home, 'data'), join(this.#home, 'backup'), {recursive: true});
    await this.restart();
  }

  /** Kills it, goes back to the copy of {@link backUp} as the documentation says, and starts it again. */
  async restore() {
    await this.kill();
    await rm(join(this.#home, 'data'), {recursive: true});
    await cp(join(this.#home, 'backup'), join(this.#home, 'data'), {recursive: true});
    const [program, ...args] = JSON.parse(COMMAND);
    const command = args.map(each => (each === 'serve' ? 'restored' : each));
    const {stdout} = await promisify(execFile)(program, command, {env: this.#environment(), cwd: this.#home});
    this.#output += stdout;
    await this.restart();
  }

  /** Kills it for good. */
  async stop() {
    await this.kill();
    await rm(this.#home, {recursive: true});
  }
}

/** A port for a server to come. The system gives none of these to whoever connects or listens meanwhile. */
function freePort() {
  return new Promise((resolve, reject) => {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer().once('error', ({code}) => (code === 'EADDRINUSE' ? resolve(freePort()) : reject(code)));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
}

/**
 * A token that the server accepts.
 *
 * @param claims what it says besides
 */
export function token(userID, ttlSeconds = 3600, claims = {}) {
  const exp = Math.floor(Date.now() / 1000) + ttlSeconds;
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({alg: 'HS256', typ: 'JWT'})}.${part({sub: userID, exp, ...claims})}`;
  return `${input}.${createHmac('sha256', SECRET).update(input).digest('base64url')}`;
}
