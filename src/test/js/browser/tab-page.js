// The page of a tab: an application as small as it can be, which tells what happens to it.
import {Replicache} from 'replicache';

const parameters = new URLSearchParams(location.search);
const user = parameters.get('user');
const api = `${parameters.get('server')}/api/v1/replicache`;
const {ReplicacheSSE} = await import(`${parameters.get('server')}/replistream.js`);

const events = [];
let minted = 0;
let pulls = 0; // that replistream.js asked for and that have not ended
let isSyncing = false;

async function mint() {
  minted++;
  return (await fetch(`/token?user=${user}`)).text();
}

const rep = new Replicache({
  name: user,
  auth: `Bearer ${await mint()}`,
  pushURL: `${api}/push`,
  pullURL: `${api}/pull`,
  pullInterval: null,
  logLevel: 'error',
  mutators: {
    put: (tx, {key, value}) => tx.set(key, value),
  },
});

/** A fresh token for the stream is one for push and pull too. */
async function auth() {
  const token = await mint();
  rep.auth = `Bearer ${token}`;
  return token;
}

const replicache = {
  async pull(options) {
    pulls++;
    await rep.pull(options);
    pulls--;
  },
};

rep.onSync = syncing => (isSyncing = syncing);
rep.getAuth = async () => `Bearer ${await auth()}`;

const transport = parameters.get('transport');
const sse = new ReplicacheSSE({
  url: api,
  auth,
  replicache,
  ...(transport && {transports: [transport]}),
  ...JSON.parse(parameters.get('options') ?? '{}'),
});
for (const type of ['connected', 'sync', 'rejected', 'offline', 'expired']) {
  sse.addEventListener(type, ({detail}) => events.push({type, ...detail}));
}
sse.connect();

window.tab = {
  rep,
  sse,
  events,
  minted: () => minted,
  isQuiet: () => pulls === 0 && !isSyncing,
  get: key => rep.query(tx => tx.get(key)),
  pending: async () => (await rep.experimentalPendingMutations()).length,
};
