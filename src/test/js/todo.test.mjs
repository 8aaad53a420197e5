import {after} from 'node:test';

import {Server} from './server.mjs';
import {todoScenarios} from './todo.mjs';

const server = await Server.start({}, 'dev.replistream.example.todo.TodoMutators');
after(() => server.stop());

todoScenarios(server);
