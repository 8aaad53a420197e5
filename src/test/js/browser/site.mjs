import {createServer} from 'node:http';
import {fileURLToPath} from 'node:url';

import {build} from 'esbuild';

import {token} from '../server.mjs';

const DIRECTORY = fileURLToPath(new URL('..', import.meta.url));
const MODULE = fileURLToPath(new URL('../../../main/js/replistream.js', import.meta.url));

/** What bundlers such as Vite 6 and before build for unless they are told: without top-level await. */
export const WITHOUT_AWAIT = 'es2020';

/** The server of an application, so of another origin than Replistream's: pages, scripts and tokens. */
export class Site {
  /** Gives a user a token, each time that a page asks for one. */
  mint = user => token(user);

  #files = new Map();
  #server;

  static async start() {
    const site = new Site();
    site.#server = createServer((request, response) => site.#answer(request, response));
    await new Promise(resolve => site.#server.listen(0, '127.0.0.1', resolve));
    site.#server.unref();
    return site;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** A page at `/name` whose script is this one, with what it imports from npm. */
  async addPage(name, script, {body = '', target} = {}) {
    this.#files.set(`/${name}.js`, ['text/javascript', await bundled(script, target)]);
    const html = `<!doctype html><html lang="en"><title>${name}</title><link rel="icon" href="data:,">${body}
      <script type="module" src="/${name}.js"></script>`;
    this.#files.set(`/${name}`, ['text/html', html]);
  }

  #answer(request, response) {
    const {pathname, searchParams} = new URL(request.url, this.origin);
    const [type, content] =
      pathname === '/token' ? ['text/plain', this.mint(searchParams.get('user'))] : this.#files.get(pathname) ?? [];
    response.writeHead(content === undefined ? 404 : 200, {'Content-Type': type ?? 'text/plain', 'Cache-Control': 'no-store'});
    response.end(content);
  }
}

/** What a bundler makes of a script that imports from npm; imports by address stay. */
async function bundled(script, target = 'es2022') {
  const {outputFiles} = await build({
    stdin: {contents: script, resolveDir: DIRECTORY, loader: 'jsx'},
    jsx: 'automatic',
    bundle: true,
    format: 'esm',
    alias: {replistream: MODULE}, // which is what the server's package has in it
    target,
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}
