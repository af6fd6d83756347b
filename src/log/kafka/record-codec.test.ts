import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { keyOf } from '../record.fixture.ts';
import { decodeRecord, encodePartialHeaders, encodeRecordHeaders, type ReceivedRecord, type RecordHead } from './record-codec.ts';

const BYTES = Buffer.from('{"a":1}\n{"a":2}\n');
const HEAD: RecordHead = { clientId: 'key-ü', receivedAtMs: 1234.5, count: 2, minTimestampMs: 10, maxTimestampMs: 20.25 };

function received(
  head: RecordHead,
  value: Uint8Array | null = BYTES,
  changed: Record<string, string | undefined> = {},
): ReceivedRecord {
  const headers = new Map<string | Uint8Array, Buffer>(
    [...encodeRecordHeaders(head)].map(([key, text]) => [key.toString(), text]),
  );
  for (const [key, text] of Object.entries(changed)) {
    if (text === undefined) headers.delete(key);
    else headers.set(key, Buffer.from(text, 'latin1'));
  }
  return { partition: 3, offset: 77n, value, headers };
}

test('a record comes back with what its headers say', () => {
  const parts = [
    { keyHash: '', chunk: 0, events: 1, bytes: 8 },
    { keyHash: keyOf(0xabc), chunk: 1023, events: 1, bytes: 8 },
  ];
  for (const head of [HEAD, { ...HEAD, parts }]) {
    assert.deepEqual(decodeRecord(received(head)), { ...head, bytes: BYTES, position: { partition: 3, offset: 77 } });
  }
});

test('keys of headers may be bytes', () => {
  const decoded = decodeRecord({ ...received(HEAD), headers: encodeRecordHeaders(HEAD) });
  assert.ok('count' in decoded && decoded.count === 2);
});

test('a record without events is a heartbeat', () => {
  const decoded = decodeRecord(received({ ...HEAD, count: 0 }, null));
  assert.ok('count' in decoded && decoded.count === 0 && decoded.bytes.length === 0 && decoded.maxTimestampMs === 20.25);
});

test('what cannot be read is named', () => {
  const cases: [RegExp, ReceivedRecord][] = [
    [/no header v/, received(HEAD, BYTES, { v: undefined })],
    [/version 2/, received(HEAD, BYTES, { v: '2' })],
    [/count is not/, received(HEAD, BYTES, { count: 'many' })],
    [/count is not/, received(HEAD, BYTES, { count: '-1' })],
    [/count is not/, received(HEAD, BYTES, { count: '' })],
    [/received-at/, received(HEAD, BYTES, { 'received-at': 'x' })],
    [/min-ts/, received(HEAD, BYTES, { 'min-ts': undefined })],
    [/max-ts/, received(HEAD, BYTES, { 'max-ts': 'NaN' })],
    [/it has no value/, received(HEAD, null)],
    [/count is 0, but/, received({ ...HEAD, count: 0 })],
    [/last line has no end/, received(HEAD, Buffer.from('{"a":1}\n{"a":2}'))],
    [/parts has 25 bytes/, received(HEAD, BYTES, { parts: 'x'.repeat(25) })],
    [/parts hold 0 events/, received(HEAD, BYTES, { parts: '' })],
    [/parts hold 3 bytes/, received({ ...HEAD, parts: [{ keyHash: '', chunk: 0, events: 2, bytes: 3 }] })],
  ];
  for (const [reason, record] of cases) {
    const decoded = decodeRecord(record);
    assert.ok('reason' in decoded, String(reason));
    assert.match(decoded.reason, reason);
  }
});

test('no header makes the decoder throw', () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  const names = fc.oneof(fc.constantFrom('v', 'received-at', 'client', 'count', 'min-ts', 'max-ts', 'parts'), bytes);
  const values = fc.oneof(
    fc.constantFrom('1', '0', '', '2').map((text) => Buffer.from(text)),
    bytes,
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(names, values)), fc.oneof(bytes, fc.constant(null)), (headers, value) => {
      const decoded = decodeRecord({ partition: 0, offset: 0n, value, headers });
      assert.ok('reason' in decoded || decoded.count >= 0);
    }),
  );
});

test('what detectors tell each other is no event, no heartbeat and no letter', () => {
  const value = Buffer.from('{"source":2}');
  const headers = new Map(Object.entries(encodePartialHeaders(5)).map(([name, text]) => [name, Buffer.from(text)]));
  const record = decodeRecord({ partition: 1, offset: 9n, value, headers });
  assert.ok('count' in record);
  assert.deepEqual([record.count, record.bytes.length, record.partial, record.parts], [0, 0, value, undefined]);
  headers.set('partial', Buffer.from('2'));
  const other = decodeRecord({ partition: 1, offset: 9n, value, headers });
  assert.ok('reason' in other);
  assert.match(other.reason, /version 2/);
});
