import assert from 'node:assert/strict';
import {test} from 'node:test';

import {EventStreamParser} from '../replistream.js';

const message = (data, lastEventId = '', type = 'message') => ({type, data, lastEventId});

/** What a stream says, and what it means: WHATWG HTML, sections 9.2.5 and 9.2.6. */
const CASES = {
  'one event': ['data: sync\n\n', [message('sync')]],
  'what the server writes': [
    'retry: 2000\nid: 7f3a-41\ndata: connected\n\ndata: ping\n\nid: 7f3a-42\ndata: sync\n\n',
    [message('connected', '7f3a-41'), message('ping', '7f3a-41'), message('sync', '7f3a-42')],
    [2000],
  ],
  'lines that end with CR': ['data: a\rdata: b\r\rdata: c\r\r', [message('a\nb'), message('c')]],
  'lines that end with CRLF': ['data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n', [message('a\nb'), message('c')]],
  'ends of all kinds': ['data: a\rdata: b\ndata: c\r\n\ndata: d\n\r\ndata: e\r\n\rdata: f\n\r', ['a\nb\nc', 'd', 'e', 'f'].map(data => message(data))],
  'an LF after a CRLF is an empty line': ['data: a\r\n\ndata: b\n\n', [message('a'), message('b')]],
  'a byte order mark at the beginning': ['\uFEFFdata: a\n\n', [message('a')]],
  'a second byte order mark belongs to the field': ['\uFEFF\uFEFFdata: a\n\ndata: b\n\n', [message('b')]],
  'a byte order mark within a value': ['data: \uFEFFa\n\n', [message('\uFEFFa')]],
  'comments': [': hello\ndata: a\n:\n:data: b\n\n:\n\n', [message('a')]],
  'one space after the colon is no part of the value': ['data:a\ndata: b\ndata:  c\ndata:\td\ndata: \n\n', [message('a\nb\n c\n\td\n')]],
  'colons in a value': ['data: a: b:c\n\n', [message('a: b:c')]],
  'a field without a colon has an empty value': ['data\n\ndata\ndata\n\ndata:\n\n', [message(''), message('\n'), message('')]],
  'no data is no event, and its type is forgotten': ['event: a\n\ndata: b\n\n', [message('b')]],
  'a type': ['event: a\ndata: b\n\nevent:\ndata: c\n\n', [message('b', '', 'a'), message('c')]],
  'the last type counts': ['event: a\nevent: b\ndata: c\n\n', [message('c', '', 'b')]],
  'an id stays': ['id: 1\ndata: a\n\ndata: b\n\n', [message('a', '1'), message('b', '1')]],
  'an id without data stays': ['id: 1\n\ndata: a\n\n', [message('a', '1')]],
  'an empty id takes it back': ['id: 1\ndata: a\n\nid\ndata: b\n\n', [message('a', '1'), message('b')]],
  'an id with NULL is ignored': ['id: 1\ndata: a\n\nid: 2\u00003\ndata: b\n\n', [message('a', '1'), message('b', '1')]],
  'spaces of an id belong to it': ['id:  1 \ndata: a\n\n', [message('a', ' 1 ')]],
  'NULL in data': ['data: a\u0000b\n\n', [message('a\u0000b')]],
  'retry is of digits only': ['retry: 1\nretry: 2x\nretry: -3\nretry: 4.5\nretry:\nretry\nretry: 0x6\nretry:  7\nretry:8\n\n', [], [1, 8]],
  'retry does not wait for the end of the event': ['retry: 10\n', [], [10]],
  'unknown fields, and names that only look known': ['Data: a\ndata : b\n data: c\nfoo: d\ndata: e\n\n', [message('e')]],
  'an event that is not finished': ['data: a\n\ndata: b\n', [message('a')]],
  'an event whose last line is not finished': ['data: a\n\nid: 2\ndata: b', [message('a')]],
  'a line of an event without its end': ['data: a', []],
  'characters of two, three and four bytes': ['data: é€𝄞\nid: ü\n\n', [message('é€𝄞', 'ü')]],
  'nothing': ['', []],
};

function parsed(pieces) {
  const events = [];
  const retries = [];
  const parser = new EventStreamParser(event => events.push(event), ms => retries.push(ms));
  pieces.forEach(piece => parser.push(piece));
  return {events, retries};
}

for (const [name, [text, events, retries = []]] of Object.entries(CASES)) {
  test(`${name}, however the stream is split`, () => {
    const bytes = new TextEncoder().encode(text);
    const expected = {events, retries};

    assert.deepEqual(parsed([bytes]), expected, 'whole');
    assert.deepEqual(parsed([...bytes].map(byte => Uint8Array.of(byte))), expected, 'byte by byte');
    for (let i = 0; i <= bytes.length; i++) {
      for (let j = i; j <= bytes.length; j++) {
        const pieces = [bytes.subarray(0, i), bytes.subarray(i, j), bytes.subarray(j)];
        assert.deepEqual(parsed(pieces), expected, `split at ${i} and ${j}`);
      }
    }
  });
}

test('bytes that are no UTF-8 become replacement characters', () => {
  const bytes = Uint8Array.of(...Buffer.from('data: a'), 0xff, ...Buffer.from('b\n\n'));

  assert.deepEqual(parsed([bytes]).events, [message('a\uFFFDb')]);
});

test('a parser without a listener for retry', () => {
  const events = [];
  new EventStreamParser(event => events.push(event)).push(Buffer.from('retry: 1\ndata: a\n\n'));

  assert.deepEqual(events, [message('a')]);
});
