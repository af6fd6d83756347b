import assert from 'node:assert/strict';
import test from 'node:test';
import { createNames } from '../../model/event-batch.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { RowBytes } from './binary-copy.ts';
import { decodeRows } from './event-rows.fixture.ts';
import { EventRowEncoder } from './event-rows.ts';
import { withColumns } from './metadata-members.ts';

/** Metadata as stored for an event with this text of metadata, and as read back. */
function stored(metadata: string): { left: unknown; back: unknown } {
  const line = `{"timestamp":"2025-10-08T10:30:45Z","service":"s","level":"INFO","message":"m","metadata":${metadata}}\n`;
  const { batch } = createJsonScanner(createNames()).scan(Buffer.from(line), NO_LIMITS);
  assert.equal(batch.count, 1);
  const out = new RowBytes();
  new EventRowEncoder(out, 0).encode(batch, 0, 0, 1);
  const [row] = decodeRows(out.subarray(0, out.length));
  const left = row?.metadata as Record<string, unknown> | null;
  return { left, back: withColumns(left ?? {}, row?.latency_ms as number | null, row?.endpoint as string | null) };
}

test('what columns hold is not stored twice, and comes back', () => {
  const cases: [metadata: string, left: unknown][] = [
    ['{"latency_ms":12.5,"endpoint":"/a","request_id":"r"}', { request_id: 'r' }],
    ['{"request_id":"r","latency_ms":12.5,"host":"h","endpoint":"/a","zone":"z"}', { request_id: 'r', host: 'h', zone: 'z' }],
    [' { "a" : [1, {"latency_ms": 3}] , "latency_ms" : 0 } ', { a: [1, { latency_ms: 3 }] }],
    ['{"latency_ms":12.5,"endpoint":"/a"}', null],
    ['{"latency_ms":null,"endpoint":""}', { latency_ms: null, endpoint: '' }],
    [String.raw`{"endpoint":"/\u00e9\n","b":1}`, { b: 1 }],
    [String.raw`{"latency\u005fms":4,"b\n":"}{,"}`, { 'b\n': '}{,' }],
    ['{}', null],
  ];
  for (const [metadata, left] of cases) {
    const result = stored(metadata);
    assert.deepEqual(result.left, left, metadata);
    assert.deepEqual(result.back, JSON.parse(metadata), metadata);
  }
});
