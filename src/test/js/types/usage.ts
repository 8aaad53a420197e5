// An application in TypeScript, for `tsc` to check: all of replistream.d.ts that one may use.
import {Replicache} from 'replicache';
import {EventStreamParser, ReplicacheSSE, type ReplicacheSSEOptions} from '../../../main/js/replistream.js';

const replicache = new Replicache({name: 'alice', mutators: {}});

const options: ReplicacheSSEOptions = {
  url: new URL('https://host/api/v1/replicache'),
  auth: async () => (Math.random() < 0.5 ? 'token' : undefined),
  replicache,
  user: 'alice',
  onRejected: ({seq, clientID, id, name, code, message}) => console.log(seq.toFixed(), clientID, id.toFixed(), name + code + message),
  onPresence: ({room, count, users}) => console.log(room.length, count.toFixed(), users.map(({userId, since}) => userId + since)),
  mutations: Math.random() < 0.5 ? 'own' : undefined,
  pingInterval: 30_000,
  connectTimeout: 15_000,
  transports: ['fetch', 'websocket', 'eventsource'],
  environment: {fetch, EventSource, WebSocket, BroadcastChannel, locks: navigator.locks, window, document, location, storage: localStorage, random: Math.random},
};

const sse = new ReplicacheSSE(options);
sse.addEventListener('connected', ({detail}) => {
  const transport: 'fetch' | 'websocket' | 'eventsource' = detail.transport;
  const id: string | undefined = detail.id;
  const holder: boolean = detail.holder;
  console.log(transport, id, holder);
});
sse.addEventListener('offline', ({detail}) => console.log(detail.reason.length, detail.final, detail.delay?.toFixed()));
sse.addEventListener('expired', ({detail: {status}}) => console.log(status?.toFixed()), {once: true});
sse.addEventListener('sync', event => event.detail.holder);
sse.addEventListener('presence', ({detail}) => console.log(detail.users.length, detail.holder));
sse.addEventListener('rejected', ({detail}) => console.log(detail.code.length, detail.holder));
sse.addEventListener('mutation', ({detail}) => {
  if ('dropped' in detail) {
    console.log(detail.dropped.toFixed());
  } else if (detail.outcome === 'failed') {
    console.log(detail.position?.length, detail.message?.length, detail.millis.toFixed(), detail.args, detail.argsCut?.length);
  }
});
sse.addEventListener('anything', event => event.timeStamp);
sse.connect();
sse.handleSync();
sse.disconnect();

new ReplicacheSSE({url: '/api/v1/replicache', auth: 'token'});
new EventStreamParser(({type, data, lastEventId}) => console.log(type, data, lastEventId), ms => ms.toFixed()).push(new Uint8Array());

// @ts-expect-error: there is no stream without a token
new ReplicacheSSE({url: '/api/v1/replicache'});
// @ts-expect-error: no such transport
new ReplicacheSSE({url: '/api/v1/replicache', auth: 'token', transports: ['pigeon']});
// @ts-expect-error: what pulls has to pull
new ReplicacheSSE({url: '/api/v1/replicache', auth: 'token', replicache: {}});
// @ts-expect-error: a `sync` has no reason
sse.addEventListener('sync', ({detail}) => detail.reason);
