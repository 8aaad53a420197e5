import {after} from 'node:test';
import {fileURLToPath} from 'node:url';

import {Server} from './server.mjs';
import {todoScenarios} from './todo.mjs';

const file = fileURLToPath(new URL('../../main/resources/web/demo/mutators.mjs', import.meta.url));
const rules = {REPLISTREAM_MUTATORS_FILE: file, REPLISTREAM_MUTATORS_BUILT_IN: undefined, REPLISTREAM_ROOMS_MEMBERSHIP: undefined};
const server = await Server.start(rules, '');
after(() => server.stop());

todoScenarios(server);
