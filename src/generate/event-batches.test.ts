import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventBatch } from '../model/event-batch.ts';
import { createNames } from '../model/event-batch.ts';
import { isErrorLevel } from '../model/event.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import { NO_LIMITS } from '../model/scanner.ts';
import { createGenerator } from './generator.ts';

const START_MS = Date.parse('2025-10-08T10:00:00Z');

/** What detection reads of a batch, as plain values. */
function rowsOf({ names, ...batch }: EventBatch): unknown[] {
  return Array.from({ length: batch.count }, (_, i) => ({
    timestamp: batch.timestamp[i],
    latency: batch.latency[i],
    weight: batch.weight[i],
    kind: batch.kind[i],
    level: batch.level[i],
    entity: names.entities.name(batch.entity[i] as number),
    endpoint: names.endpoints.name(batch.endpoint[i] as number),
    version: names.versions.name(batch.version[i] as number),
    ids: [batch.traceHash, batch.spanHash, batch.parentHash].map((hash) => [hash[2 * i], hash[2 * i + 1]]),
    message: isErrorLevel(batch.level[i] as number)
      ? Buffer.from(batch.bytes.subarray(batch.messageStart[i], batch.messageEnd[i])).toString()
      : '',
  }));
}

test('batches hold what the scanner reads in the text of the same events', () => {
  const generator = createGenerator({
    seed: 6,
    startMs: START_MS,
    durationMs: 120_000,
    rate: 80,
    warmUpMs: 10_000,
    benignGapMs: Infinity,
    faults: ['cascade'],
  });
  const scanner = createJsonScanner(createNames());
  const text = generator.cursor(START_MS);
  const direct = generator.batches(START_MS);
  let errors = 0;
  for (let toMs = START_MS + 1000; toMs <= generator.endMs; toMs += 1000) {
    const { batch } = scanner.scan(text(toMs).bytes, NO_LIMITS);
    const deliveries = direct(toMs);
    assert.deepEqual(
      deliveries.flatMap((delivery) => rowsOf(delivery.batch)),
      rowsOf(batch),
    );
    errors += rowsOf(batch).filter((row) => (row as { message: string }).message !== '').length;
  }
  assert.ok(errors > 50, `${errors} errors`);
});
