import assert from 'node:assert/strict';

import {startDevelopmentServer} from './demo.mjs';
import {scenario, startBrowser} from './harness.mjs';
import {Site} from './site.mjs';

const REFUSED = /blocked by CORS policy|^Failed to load resource: (net::ERR_FAILED|net::ERR_BLOCKED_BY_RESPONSE\.NotSameOrigin|the server responded with a status of 403 \(Forbidden\))$/;

const [allowed, foreign] = await Promise.all([Site.start(), Site.start(), startBrowser()]);
const server = await startDevelopmentServer({REPLISTREAM_CORS_ALLOW_ORIGINS: allowed.origin});
await Promise.all([allowed, foreign].map(site => site.addPage('page', PAGE())));

/** What a page tries: each gives what it got to see, or the name of the error. */
function PAGE() {
  return `
    const api = '${server.url}';
    const get = async (url, options) => {
      try {
        const response = await fetch(url, options);
        return response.type === 'opaque' ? 'opaque' : response.status + ' ' + await response.text();
      } catch (error) {
        return error.name;
      }
    };
    const json = {'Content-Type': 'application/json'};
    const body = '{"user":"victim"}';
    window.attempts = {
      token: () => get('${server.origin}/development/token', {method: 'POST', headers: json, body}),
      blindToken: () => get('${server.origin}/development/token', {method: 'POST', mode: 'no-cors', body}),
      console: () => get('${server.origin}/'),
      stats: () => get(api + '/stats', {credentials: 'include'}),
      statsWithToken: token => get(api + '/stats', {headers: {Authorization: 'Bearer ' + token}}),
      poke: () => get(api + '/poke-user', {method: 'POST', credentials: 'include'}),
      blindPoke: () => get(api + '/poke-user', {method: 'POST', mode: 'no-cors', credentials: 'include'}),
      module: () => import('${server.origin}/replistream.js').then(module => Object.keys(module).join(), error => error.name),
      stream: () => new Promise(resolve => {
        const source = new EventSource(api + '/stream', {withCredentials: true});
        source.onmessage = ({data}) => {
          source.close();
          resolve(data);
        };
        source.onerror = () => {
          const state = source.readyState;
          source.close();
          resolve(state === EventSource.CLOSED ? 'closed' : 'connecting');
        };
      }),
    };`;
}

/** A browser whose user is signed in by the cookie, with a page of the server that hears his pokes. */
async function signedIn(device) {
  const context = await device();
  const own = await context.newPage();
  await own.goto(server.origin);
  const token = await own.evaluate(async () => {
    const options = {method: 'POST', headers: {'Content-Type': 'application/json'}, body: '{"user":"victim"}'};
    return (await (await fetch('/development/token', options)).json()).token;
  });
  const cookie = {name: 'replistream_token', value: token, url: server.origin, httpOnly: true, sameSite: 'Lax'};
  await context.addCookies([cookie]);
  await own.evaluate(() => {
    window.heard = {};
    new EventSource('/api/v1/replicache/stream').onmessage = ({data, lastEventId}) => {
      heard[data] = Number(lastEventId.split('-').at(-1)); // which counts the pokes
    };
  });
  await own.waitForFunction(() => heard.connected !== undefined);
  return {context, own, token};
}

const pageOf = async (context, site) => {
  const page = await context.newPage();
  await page.goto(`${site.origin}/page`);
  await page.waitForFunction(() => window.attempts);
  return (attempt, ...args) => page.evaluate(([attempt, args]) => attempts[attempt](...args), [attempt, args]);
};

scenario('a page of a foreign origin gets nothing, whoever is signed in', async ({device, log}) => {
  const {context, own, token} = await signedIn(device);
  await log.expecting(REFUSED, async () => {
    const attempt = await pageOf(context, foreign);
    assert.equal(await attempt('token'), 'TypeError');
    assert.equal(await attempt('console'), 'TypeError');
    assert.equal(await attempt('stats'), 'TypeError');
    assert.equal(await attempt('statsWithToken', token), 'TypeError');
    assert.equal(await attempt('poke'), 'TypeError');
    assert.equal(await attempt('module'), 'TypeError');
    assert.equal(await attempt('stream'), 'closed');
    for (const blind of ['blindToken', 'blindPoke']) {
      assert.ok(['opaque', 'TypeError'].includes(await attempt(blind)));
    }
  });

  // none of these pokes came through: its own is the first
  await own.evaluate(() => fetch('/api/v1/replicache/poke-user', {method: 'POST'}));
  await own.waitForFunction(() => heard.sync !== undefined);
  assert.equal(await own.evaluate(() => heard.sync - heard.connected), 1);
});

scenario('a page of an allowed origin may call, with the cookie or a token, and gets no page of the server', async ({device, log}) => {
  const {context, own, token} = await signedIn(device);
  const attempt = await pageOf(context, allowed);
  assert.match(await attempt('stats'), /^200 .*"userConnections":1/);
  assert.match(await attempt('statsWithToken', token), /^200 .*"userConnections":1/);
  assert.match(await attempt('module'), /ReplicacheSSE/);
  assert.equal(await attempt('stream'), 'connected');
  assert.match(await attempt('poke'), /^200 /);
  await own.waitForFunction(() => heard.sync !== undefined);

  await log.expecting(REFUSED, async () => {
    assert.equal(await attempt('token'), 'TypeError');
    assert.equal(await attempt('console'), 'TypeError');
  });
});
