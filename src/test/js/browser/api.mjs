import {realFetch} from '../network.mjs';
import {token} from '../server.mjs';
import {eventually} from '../waiting.mjs';

/** Calls the API of a server as a user, from outside the browser; rejects unless it succeeds. */
export async function call(server, user, method, route, body) {
  const response = await realFetch(`${server.url}/${route}`, {
    method,
    headers: {Authorization: `Bearer ${token(user)}`, ...(body && {'Content-Type': 'application/json'})},
    body: body && JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
  }
  return response.json();
}

/** How many streams a user has. */
export async function streams(server, user) {
  return (await call(server, user, 'GET', 'stats')).userConnections;
}

/** Waits till a user has that many streams. */
export function haveStreams(server, user, count) {
  return eventually(
    async () => `${count} streams of ${user}, who has ${await streams(server, user)}`,
    async () => (await streams(server, user)) === count,
    30_000,
  );
}
