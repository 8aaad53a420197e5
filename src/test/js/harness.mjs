import assert from 'node:assert/strict';
import {test} from 'node:test';

import {calm, exchanges} from './network.mjs';
import {Tab} from './tab.mjs';

const SCENARIO_MS = 60_000;
const OUTPUT_SHOWN = 20_000;
const EXCHANGES_SHOWN = 10;

let scenarios = 0;

/**
 * One test.
 *
 * @param body is given `open`, which opens a {@link Tab}; users are this scenario's own. Whatever
 *   it opened is closed at the end, and must not have met an answer that breaks the protocol.
 */
export function scenario(name, server, body, timeout = SCENARIO_MS) {
  test(name, {timeout}, async () => {
    const number = ++scenarios;
    const tabs = [];
    const open = (user, options) => {
      const tab = new Tab(server, `${user}-${number}`, options);
      tabs.push(tab);
      return tab;
    };
    try {
      await body(open);
      for (const tab of tabs) {
        assert.deepEqual(tab.errors, [], `errors of ${tab.device}`);
      }
    } catch (error) {
      console.error(`The server's output:\n${server.output.slice(-OUTPUT_SHOWN)}`);
      console.error(`The last exchanges:\n${exchanges.slice(-EXCHANGES_SHOWN).map(shown).join('\n')}`);
      throw error;
    } finally {
      await Promise.all(tabs.map(tab => tab.close()));
      calm();
    }
  });
}

function shown({device, kind, request, status, response}) {
  const brief = text => String(text).slice(0, 500);
  return `${device} ${kind} ${brief(JSON.stringify(request))}\n  -> ${status} ${brief(response)}`;
}
