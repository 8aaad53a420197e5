import {after} from 'node:test';

import {converge} from './convergence.mjs';
import {Server} from './server.mjs';

const server = await Server.start();
after(() => server.stop());

converge('one server', server, [server]);
