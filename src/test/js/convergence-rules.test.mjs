import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after} from 'node:test';
import {fileURLToPath} from 'node:url';

import {build} from 'esbuild';

import {converge} from './convergence.mjs';
import {Server} from './server.mjs';

const path = relative => fileURLToPath(new URL(relative, import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'replistream-rules-'));
const file = join(folder, 'mutators.js');
const alias = {replistream: path('../../main/js/replistream.js')};
await build({entryPoints: [path('rules/scenario.mjs')], bundle: true, format: 'esm', alias, outfile: file});
const server = await Server.start({REPLISTREAM_MUTATORS_FILE: file, REPLISTREAM_MUTATORS_BUILT_IN: undefined}, '');
after(async () => {
  await server.stop();
  await rm(folder, {recursive: true});
});

converge('one server with rules in JavaScript', server, [server]);
