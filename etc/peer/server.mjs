// A backend for Replicache as its documentation builds one ("Build your own backend", a version per
// space: doc.replicache.dev/byob/intro), for `etc/bench sync --peer` to measure beside the service.
//
// A space a user. A push runs each mutation in a transaction of its own, which takes the space's next
// version; a pull reads what has a later version than the cookie. SQLite by better-sqlite3, with a
// write-ahead log and each commit on the disk. Tokens are read, not verified.
import {createServer} from 'node:http';
import Database from 'better-sqlite3';

const API = '/api/v1/replicache';
const db = new Database(`${process.env.REPLISTREAM_DATA_DIR}/peer.db`);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`
  CREATE TABLE IF NOT EXISTS space (id TEXT PRIMARY KEY, version INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS entry (
    space TEXT NOT NULL, key TEXT NOT NULL, value TEXT, deleted INTEGER NOT NULL, version INTEGER NOT NULL,
    PRIMARY KEY (space, key));
  CREATE INDEX IF NOT EXISTS entry_by_version ON entry (space, version);
  CREATE TABLE IF NOT EXISTS client_group (id TEXT PRIMARY KEY, user_id TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS client (
    id TEXT PRIMARY KEY, group_id TEXT NOT NULL, last_mutation_id INTEGER NOT NULL, version INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS client_by_group ON client (group_id, version);
`);

const sql = {
  version: db.prepare('SELECT version FROM space WHERE id = ?').pluck(),
  setVersion: db.prepare(
    'INSERT INTO space VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version'),
  group: db.prepare('SELECT user_id FROM client_group WHERE id = ?').pluck(),
  addGroup: db.prepare('INSERT INTO client_group VALUES (?, ?)'),
  client: db.prepare('SELECT group_id, last_mutation_id FROM client WHERE id = ?'),
  setClient: db.prepare(`INSERT INTO client VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
    SET last_mutation_id = excluded.last_mutation_id, version = excluded.version`),
  setEntry: db.prepare(`INSERT INTO entry VALUES (?, ?, ?, ?, ?) ON CONFLICT (space, key) DO UPDATE
    SET value = excluded.value, deleted = excluded.deleted, version = excluded.version`),
  changes: db.prepare('SELECT key, value, deleted FROM entry WHERE space = ? AND version > ?'),
  clients: db.prepare('SELECT id, last_mutation_id FROM client WHERE group_id = ? AND version > ?'),
};

const mutators = {
  put: (space, {key, value}, version) =>
    sql.setEntry.run(space, key, JSON.stringify(value), 0, version),
  del: (space, {key}, version) => sql.setEntry.run(space, key, null, 1, version),
};

function requireOwner(groupID, user, create) {
  const owner = sql.group.get(groupID);
  if (owner === undefined && create) sql.addGroup.run(groupID, user);
  else if (owner !== undefined && owner !== user) throw new Error('the client group is not the user\'s');
}

const mutate = db.transaction((user, groupID, mutation) => {
  requireOwner(groupID, user, true);
  const version = (sql.version.get(user) ?? 0) + 1;
  const client = sql.client.get(mutation.clientID);
  if (client && client.group_id !== groupID) throw new Error('the client is of another group');
  const expected = (client?.last_mutation_id ?? 0) + 1;
  if (mutation.id < expected) return;
  if (mutation.id > expected) throw new Error('a mutation is missing');
  mutators[mutation.name](user, mutation.args, version);
  sql.setClient.run(mutation.clientID, groupID, mutation.id, version);
  sql.setVersion.run(user, version);
}).immediate;

function push(user, {clientGroupID, mutations}) {
  for (const mutation of mutations) mutate(user, clientGroupID, mutation);
  return '{}';
}

const pull = db.transaction((user, {clientGroupID, cookie}) => {
  requireOwner(clientGroupID, user, false);
  const since = cookie?.order ?? 0;
  const patch = sql.changes.all(user, since).map(({key, value, deleted}) =>
    deleted ? {op: 'del', key} : {op: 'put', key, value: JSON.parse(value)});
  return JSON.stringify({
    cookie: {order: sql.version.get(user) ?? 0},
    lastMutationIDChanges: Object.fromEntries(
      sql.clients.all(clientGroupID, since).map(client => [client.id, client.last_mutation_id])),
    patch: cookie === null ? [{op: 'clear'}, ...patch] : patch,
  });
});

function userOf(request) {
  const token = /^Bearer [^.]+\.([^.]+)\./.exec(request.headers.authorization ?? '');
  return token && JSON.parse(Buffer.from(token[1], 'base64url')).sub;
}

const server = createServer(async (request, response) => {
  const user = userOf(request);
  const route = {[`${API}/push`]: push, [`${API}/pull`]: pull}[request.url];
  if (!user || !route) {
    response.writeHead(user ? 404 : 401).end();
    return;
  }
  try {
    const body = [];
    for await (const part of request) body.push(part);
    const answer = Buffer.from(route(user, JSON.parse(Buffer.concat(body))));
    response
      .writeHead(200, {'Content-Type': 'application/json', 'Content-Length': answer.length})
      .end(answer);
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
});
server.keepAliveTimeout = 120_000; // a client of the measurement waits for others
server.listen(Number(process.env.REPLISTREAM_PORT), process.env.REPLISTREAM_HOST);

process.on('SIGTERM', () => process.exit());
