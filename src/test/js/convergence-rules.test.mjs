import {after} from 'node:test';
import {fileURLToPath} from 'node:url';

import {converge} from './convergence.mjs';
import {Server} from './server.mjs';

const file = fileURLToPath(new URL('rules/scenario.mjs', import.meta.url));
const server = await Server.start({REPLISTREAM_MUTATORS_FILE: file, REPLISTREAM_MUTATORS_BUILT_IN: undefined}, '');
after(() => server.stop());

converge('one server with rules in JavaScript', server, [server]);
