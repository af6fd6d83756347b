import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createNames } from '../../model/event-batch.ts';
import { parseEntityId } from '../../model/entity.ts';
import { judgeEvent, mergedMetadata } from '../../model/event-rules.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { RowBytes } from './binary-copy.ts';
import { decodeRows, eventLine } from './event-rows.fixture.ts';
import type { DecodedRow } from './event-rows.fixture.ts';
import { EventRowEncoder } from './event-rows.ts';
import { storableJson, storableText } from './storable-text.ts';
import { ENDPOINT_MEMBER, LATENCY_MEMBER, withoutColumns } from './metadata-members.ts';

const OFFSET = 3_000_000_000;

function encode(lines: string, names = createNames()): DecodedRow[] {
  const { batch } = createJsonScanner(names).scan(Buffer.from(lines), NO_LIMITS);
  const out = new RowBytes();
  const encoder = new EventRowEncoder(out, 7);
  for (let i = 0; i < batch.count; i++) encoder.encode(batch, i, OFFSET, 1 + i);
  return decodeRows(out.subarray(0, out.length));
}

/** What a row must hold, by JSON.parse and the rules alone. */
function expectedRow(line: string, i: number): DecodedRow | null {
  const value = JSON.parse(line) as Record<string, unknown>;
  const row = judgeEvent(value, NO_LIMITS);
  if (!('timestamp' in row)) return null;
  const { service, environment, namespace } = parseEntityId(row.entity);
  const textOrNull = (text: string): string | null => (text === '' ? null : storableText(text));
  const columns = (row.latency >= 0 ? LATENCY_MEMBER : 0) + (row.endpoint === '' ? 0 : ENDPOINT_MEMBER);
  const metadata = JSON.parse(storableJson(withoutColumns(mergedMetadata(value), columns))) as object;
  return {
    time: Math.round(row.timestamp * 1000) / 1000,
    log_position: BigInt(OFFSET) * 2n ** 20n + BigInt(i),
    log_partition: 7,
    kind: row.kind,
    level: row.level,
    weight: 1 + i,
    latency_ms: Number.isNaN(row.latency) ? null : row.latency,
    service: storableText(service),
    environment: storableText(environment),
    namespace: storableText(namespace),
    service_version: storableText(row.version),
    endpoint: textOrNull(row.endpoint),
    message: storableText(value['message'] as string),
    trace_id: textOrNull(row.traceId),
    span_id: textOrNull(row.spanId),
    parent_span_id: textOrNull(row.parentSpanId),
    metadata: Object.keys(metadata).length === 0 ? null : metadata,
  };
}

test('rows are what JSON.parse and the event rules say of the events', () => {
  let rows = 0;
  fc.assert(
    fc.property(fc.array(eventLine, { minLength: 1, maxLength: 4 }), (lines) => {
      const accepted = lines.filter((line) => expectedRow(line, 0) !== null);
      assert.deepEqual(
        encode(`${lines.join('\n')}\n`),
        accepted.map((line, i) => expectedRow(line, i)),
      );
      rows += accepted.length;
    }),
    { numRuns: 600 },
  );
  assert.ok(rows > 400);
});

test('an event whose names no longer fit the name tables keeps them all the same', () => {
  const line = (n: number): string =>
    `{"timestamp":"2025-10-08T10:30:45Z","service":"s${n}","level":"INFO","message":"m","metadata":{"endpoint":"/${n}","version":"v${n}"}}\n`;
  const rows = encode([0, 1, 2].map(line).join(''), createNames({ entities: 1, endpoints: 1, versions: 1 }));
  assert.deepEqual(
    rows.map(({ service, endpoint, service_version }) => [service, endpoint, service_version]),
    [0, 1, 2].map((n) => [`s${n}`, `/${n}`, `v${n}`]),
  );
});

test('a long message and much metadata are stored whole', () => {
  const message = 'größe '.repeat(7000);
  const metadata = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`key ${i}`, `${i}\n"quoted"`]));
  const line = JSON.stringify({ timestamp: '2025-10-08T10:30:45Z', service: 's', level: 'INFO', message, metadata });
  const [row] = encode(`${line}\n`);
  assert.equal(row?.message, message);
  assert.deepEqual(row?.metadata, metadata);
});
