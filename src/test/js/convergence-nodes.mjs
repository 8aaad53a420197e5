import {after} from 'node:test';

import {Balancer} from './balancer.mjs';
import {converge} from './convergence.mjs';
import {Server} from './server.mjs';

// the first one makes the tables
const nodes = [await Server.start()];
nodes.push(...(await Promise.all([Server.start(), Server.start()])));
const balancer = await Balancer.start(nodes);
after(async () => {
  balancer.stop();
  await Promise.all(nodes.map(node => node.stop()));
});

converge('three nodes', balancer, nodes);
