import assert from 'node:assert/strict';
import test from 'node:test';
import { kafkaConfigSchema } from './config.ts';
import { letterRecord } from './letter-record.ts';
import type { Letter, LetterRecord } from './letter-record.ts';
import { decodeRecord, encodeRecordHeaders } from './record-codec.ts';

const CONFIG = kafkaConfigSchema.parse({});
const NOW_MS = 5000;
const EVENT = '{"timestamp":"2025-10-08T10:30:45Z","service":"shop","level":"INFO","message":"hello"}';

function recordOf(letter: Partial<Letter> & { text: string }): LetterRecord {
  return letterRecord(
    { topic: 'events', id: '1-7-0a', partition: 1, value: Buffer.from(letter.text), ...letter },
    CONFIG,
    NOW_MS,
  );
}

function decoded({ value, headers }: LetterRecord): ReturnType<typeof decodeRecord> {
  return decodeRecord({ partition: 1, offset: 9n, value, headers: Object.entries(headers) });
}

test('one event of a record becomes a record of its own, with a key by which a repeat is known', () => {
  const record = decoded(recordOf({ text: EVENT }));
  assert.ok(!('reason' in record), JSON.stringify(record));
  const atMs = Date.UTC(2025, 9, 8, 10, 30, 45);
  assert.deepEqual([record.count, record.minTimestampMs, record.maxTimestampMs], [1, atMs, atMs]);
  assert.equal(record.receivedAtMs, NOW_MS);
  assert.equal(Buffer.from(record.bytes).toString(), `${EVENT}\n`);
  assert.match(record.parts?.[0]?.keyHash ?? '', /^[0-9a-f]{32}$/);
  assert.deepEqual(decoded(recordOf({ text: EVENT })), record);
  const other = decoded(recordOf({ text: EVENT, id: '1-8-0b' }));
  assert.notDeepEqual('parts' in other && other.parts, record.parts);
});

test('lines that something else wrote are taken when they are what the topic holds', () => {
  const two = decoded(recordOf({ text: `${EVENT}\n\n${EVENT}`, headers: [['from', Buffer.from('elsewhere')]] }));
  assert.equal('count' in two && two.count, 2);
  const points = '{"name":"m","service":"shop","points":[[1,2]]}';
  const metrics = recordOf({ topic: 'metrics', text: points });
  assert.equal('reason' in decoded(metrics), !Object.hasOwn(metrics.headers, 'v'));
  const alert = decoded(recordOf({ topic: 'anomaly-alerts', text: '{"type":"watermark"}' }));
  assert.equal('count' in alert && alert.count, 1);
});

test('what cannot be read goes back as it was, and so does what a later version wrote', () => {
  for (const text of ['', 'not JSON', `${EVENT}\nnot JSON\n`]) {
    assert.deepEqual(recordOf({ text }), { value: Buffer.from(text), headers: {} });
  }
  const headers = [['v', Buffer.from('2')]] as const;
  assert.deepEqual(recordOf({ text: EVENT, headers }), { value: Buffer.from(EVENT), headers: { v: Buffer.from('2') } });
});

test('a record that is readable keeps its head, and its requests where it has some', () => {
  const head = { clientId: 'key-1', receivedAtMs: 1, count: 1, minTimestampMs: 2, maxTimestampMs: 3 };
  const headersOf = (parts?: Parameters<typeof encodeRecordHeaders>[0]['parts']) =>
    [...encodeRecordHeaders({ ...head, ...(parts ? { parts } : {}) })].map(([name, value]) => [name.toString(), value] as const);
  const plain = decoded(recordOf({ text: `${EVENT}\n`, headers: headersOf() }));
  assert.ok(!('reason' in plain));
  assert.deepEqual([plain.clientId, plain.receivedAtMs, plain.parts?.length], ['key-1', 1, 1]);
  const parts = [{ keyHash: 'ab'.repeat(16), chunk: 0, events: 1, bytes: EVENT.length + 1 }];
  const keyed = decoded(recordOf({ text: `${EVENT}\n`, headers: headersOf(parts) }));
  assert.deepEqual('parts' in keyed && keyed.parts, parts);
});
