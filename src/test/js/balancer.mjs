import {connect, createServer} from 'node:net';

/**
 * The way to several servers that are one: each connection goes to any of them that takes it. It
 * knows nothing of what goes through, and ends a connection when the server does.
 */
export class Balancer {
  #nodes;
  #server;
  #sockets = new Set();
  #next = 0;

  constructor(nodes) {
    this.#nodes = nodes;
  }

  static async start(nodes) {
    const balancer = new Balancer(nodes);
    balancer.#server = createServer(socket => balancer.#take(socket));
    await new Promise(resolve => balancer.#server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  /** The address of the API. */
  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/api/v1/replicache`;
  }

  /** What the servers printed. */
  get output() {
    return this.#nodes.map(({output}, i) => `node ${i}:\n${output.slice(-7_000)}`).join('\n');
  }

  stop() {
    this.#server.close();
    this.#sockets.forEach(socket => socket.destroy());
  }

  #take(socket) {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const first = this.#next++;
    this.#pass(socket, this.#nodes.map((_, i) => this.#nodes[(first + i) % this.#nodes.length]));
  }

  #pass(socket, [node, ...others]) {
    if (node === undefined) {
      socket.destroy();
      return;
    }
    const {port, hostname} = new URL(node.origin);
    const upstream = connect(port, hostname);
    const refused = () => this.#pass(socket, others);
    upstream.once('error', refused);
    upstream.once('connect', () => {
      upstream.off('error', refused);
      upstream.on('error', () => socket.destroy());
      upstream.on('close', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
      upstream.pipe(socket).pipe(upstream);
    });
  }
}
