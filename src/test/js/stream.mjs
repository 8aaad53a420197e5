import {pause} from './waiting.mjs';

const LONGEST_RETRY_MS = 100;

/**
 * Reads the server's stream as an application does that can send headers: connects again and again
 * until `signal` aborts, and calls `onEvent` with the data of each event.
 *
 * @param headers gives the headers of a new connection
 */
export async function listen(url, headers, onEvent, signal) {
  let lastEventID;
  while (!signal.aborted) {
    try {
      const resume = lastEventID === undefined ? {} : {'Last-Event-ID': lastEventID};
      const answer = await fetch(url, {headers: {...headers(), ...resume}, signal});
      for await (const fields of answer.status === 200 ? events(answer.body) : []) {
        lastEventID = fields.id ?? lastEventID;
        if (fields.data !== undefined) {
          onEvent(fields.data);
        }
      }
    } catch {
      // the connection is gone: the next one tells what it missed
    }
    await pause(Math.random() * LONGEST_RETRY_MS);
  }
}

/** The events of a stream, each as its fields by name. */
async function* events(body) {
  let text = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      yield Object.fromEntries(lines.map(line => line.split(': ', 2)));
    }
  }
}
