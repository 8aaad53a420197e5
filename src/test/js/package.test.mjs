import assert from 'node:assert/strict';
import {execFile} from 'node:child_process';
import {cp, mkdtemp, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

import {Server} from './server.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const MODULE = new URL('../../main/js/', import.meta.url);
const NO_REGISTRY = 'http://127.0.0.1:9'; // the package needs no other
const run = promisify(execFile);

const server = await Server.start();
const home = await mkdtemp(join(tmpdir(), 'replistream-package-'));
after(() => Promise.all([server.stop(), rm(home, {recursive: true})]));

async function npm(cache, ...command) {
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  await run('npm', [...command, ...options, `--registry=${NO_REGISTRY}`, `--cache=${join(home, cache)}`], {cwd: home});
}

test('npm installs the client module from the server', async () => {
  await writeFile(join(home, 'package.json'), JSON.stringify({name: 'application', private: true, type: 'module'}));
  await npm('first', 'install', `${server.origin}/replistream.tgz`);

  const installed = join(home, 'node_modules', 'replistream');
  assert.deepEqual((await readdir(installed)).sort(), ['LICENSE', 'README.md', 'package.json', 'replistream.d.ts', 'replistream.js']);
  for (const file of ['README.md', 'package.json', 'replistream.d.ts', 'replistream.js']) {
    assert.equal(await readFile(join(installed, file), 'utf8'), await readFile(new URL(file, MODULE), 'utf8'), file);
  }
  const {name, version, license, exports, types} = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  assert.deepEqual([name, license, exports['.'].types, types], ['replistream', 'Apache-2.0', './replistream.d.ts', './replistream.d.ts']);
  assert.match(version, /^\d+\.\d+\.\d+$/);
});

test('Node imports what npm installed', async () => {
  const program = `import * as all from 'replistream'; console.log(Object.keys(all).sort().join());`;
  const {stdout} = await run(process.execPath, ['--input-type=module', '--eval', program], {cwd: home});

  assert.equal(stdout.trim(), Object.keys(await import(new URL('replistream.js', MODULE))).sort().join());
});

test('TypeScript checks an application with the types that npm installed', async () => {
  for (const file of ['rules.ts', 'usage.ts']) {
    const source = await readFile(join(HERE, 'types', file), 'utf8');
    assert.ok(source.includes("'../../../main/js/replistream.js'"));
    await writeFile(join(home, file), source.replace("'../../../main/js/replistream.js'", "'replistream'"));
  }
  await cp(join(HERE, 'types', 'tsconfig.json'), join(home, 'tsconfig.base.json'));
  for (const [module, moduleResolution] of [['esnext', 'bundler'], ['nodenext', 'nodenext']]) {
    const config = {
      extends: './tsconfig.base.json',
      compilerOptions: {module, moduleResolution, paths: {replicache: [join(HERE, 'node_modules/replicache/out/replicache.d.ts')]}},
      files: ['rules.ts', 'usage.ts'],
    };
    await writeFile(join(home, 'tsconfig.json'), JSON.stringify(config));
    await run(join(HERE, 'node_modules/.bin/tsc'), ['--project', home]).catch(({stdout}) => assert.fail(`${moduleResolution}: ${stdout}`));
  }
});

test('what a lock file remembers of the package is true after a restart of the server', async () => {
  await server.kill();
  await server.restart();
  await rm(join(home, 'node_modules'), {recursive: true});
  await npm('second', 'ci');

  const lock = JSON.parse(await readFile(join(home, 'package-lock.json'), 'utf8'));
  assert.match(lock.packages['node_modules/replistream'].integrity, /^sha512-/);
  assert.ok((await readdir(join(home, 'node_modules'))).includes('replistream'));
});
