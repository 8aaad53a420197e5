/** Node's own `fetch`, which no test disturbs. */
export const realFetch = globalThis.fetch;

/**
 * Each push and pull that a client sent: `{device, kind, request, fate, status, response}`, the last
 * two absent while there is no answer. They are in the order in which they were sent.
 */
export const exchanges = [];

/** The devices without a network, as their tokens name them. */
export const offline = new Set();

let fault = () => undefined;

/**
 * Disturbs the network: `decide` is asked about each exchange, and its answer `refused` means that
 * the server never gets the request, `lost` that the client never gets the answer.
 */
export function disturb(decide) {
  fault = decide;
}

/** Ends all disturbance and forgets the exchanges. */
export function calm() {
  fault = () => undefined;
  offline.clear();
  exchanges.length = 0;
}

globalThis.fetch = async (resource, init) => {
  const request = new Request(resource, init);
  const kind = /\/(push|pull)$/.exec(request.url)?.[1];
  if (kind === undefined) {
    return realFetch(resource, init);
  }
  const device = deviceOf(request.headers.get('Authorization'));
  const exchange = {device, kind, request: await request.clone().json()};
  exchange.fate = offline.has(device) ? 'refused' : fault(exchange);
  exchanges.push(exchange);
  if (exchange.fate === 'refused') {
    throw new TypeError('no network');
  }
  const answer = await realFetch(request);
  const text = await answer.text();
  if (exchange.fate === 'lost') {
    throw new TypeError('the answer got lost');
  }
  exchange.status = answer.status;
  exchange.response = text;
  return new Response(text, {status: answer.status, headers: answer.headers});
};

function deviceOf(authorization) {
  const payload = authorization.split('.')[1];
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).device;
}
