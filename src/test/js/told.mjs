import {WebSocket} from 'ws';

import {ReplicacheSSE} from '../../main/js/replistream.js';
import {realFetch} from './network.mjs';
import {token} from './server.mjs';
import {eventually} from './waiting.mjs';

/** What the client module tells a user of rejections, with the module itself to be closed. */
export function listener(server, user, options = {}) {
  const told = [];
  const sse = new ReplicacheSSE({
    url: server.url,
    auth: () => token(user),
    onRejected: rejection => told.push(rejection),
    ...options,
    environment: {fetch: realFetch, WebSocket, BroadcastChannel: undefined, ...options.environment},
  });
  const connected = new Promise(resolve => sse.addEventListener('connected', resolve));
  sse.connect();
  return {told, connected, close: () => sse.disconnect()};
}

/** Waits till each of the listeners has been told so often, and closes them. */
export async function areTold(count, ...listeners) {
  try {
    for (const {told} of listeners) {
      await eventually(() => `${count} of ${JSON.stringify(told)}`, () => told.length >= count);
    }
  } finally {
    listeners.forEach(each => each.close());
  }
}
