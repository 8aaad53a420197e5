import {createServer, request as send} from 'node:http';
import {connect} from 'node:net';

/** A proxy between clients and one server, which does to streams what a test wants. */
export class Proxy {
  /** What it does to streams: `pass`, `refuse` (502), or `hold`: it reads an answer to its end before it passes it on. */
  streams = 'hold';

  /** Whether it lets WebSockets through; else they get 400, as from a proxy that knows none. */
  webSockets = true;

  /** The requests, in their order: `{path, query, authorization}`. */
  requests = [];

  #target;
  #server;
  #sockets = new Set();

  static async start(server) {
    const proxy = new Proxy();
    proxy.#target = new URL(server.origin);
    proxy.#server = createServer((request, response) => proxy.#handle(request, response));
    proxy.#server.on('upgrade', (request, socket, head) => proxy.#upgrade(request, socket, head));
    await new Promise(resolve => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.#server.unref();
    return proxy;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  get url() {
    return `${this.origin}/api/v1/replicache`;
  }

  /** The requests of a route. */
  requestsFor(route) {
    return this.requests.filter(({path}) => path.endsWith(`/replicache/${route}`));
  }

  /** Cuts all WebSockets off, with no word to either side. */
  cut() {
    this.#sockets.forEach(socket => socket.destroy());
  }

  stop() {
    this.cut();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #note(request) {
    const {pathname: path, searchParams: query} = new URL(request.url, this.origin);
    this.requests.push({path, query: Object.fromEntries(query), authorization: request.headers.authorization});
    return path.endsWith('/stream') ? this.streams : 'pass';
  }

  #handle(request, response) {
    const treatment = this.#note(request);
    if (treatment === 'refuse') {
      response.writeHead(502).end();
      return;
    }
    const {hostname, port} = this.#target;
    const options = {hostname, port, path: request.url, method: request.method, headers: request.headers};
    const upstream = send(options, answer => {
      if (treatment === 'hold') {
        answer.toArray().then(
          pieces => response.writeHead(answer.statusCode, answer.headers).end(Buffer.concat(pieces)),
          () => response.destroy(),
        );
      } else {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      }
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  }

  #upgrade(request, socket, head) {
    this.#note(request);
    if (!this.webSockets) {
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const upstream = connect(this.#target.port, this.#target.hostname, () => {
      const headers = request.rawHeaders.map((part, i) => (i % 2 === 0 ? `${part}: ` : `${part}\r\n`)).join('');
      upstream.write(`${request.method} ${request.url} HTTP/1.1\r\n${headers}\r\n`);
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    for (const [one, other] of [[socket, upstream], [upstream, socket]]) {
      this.#sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
