import assert from 'node:assert/strict';
import fc from 'fast-check';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { createNames } from '../../model/event-batch.ts';
import { judgeEvent, mergedMetadata } from '../../model/event-rules.ts';
import type { Event } from '../../model/event.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { storeConfigSchema } from '../config.ts';
import { eventAnswer } from '../event-answer.ts';
import { eventLine } from './event-rows.fixture.ts';
import { storableJson, storableText } from './storable-text.ts';
import { openTestWriter } from './partition-writer.fixture.ts';
import { withDatabase } from './test-database.fixture.ts';
import { openTimescaleStore } from './timescale-store.ts';

const LINES = 600;
const SEED = 20_251_008;

/** What any store answers for the line, as JSON; null where it is no event. */
function answerOf(line: string, place: number): { micros: number; place: number; event: unknown } | null {
  const value = JSON.parse(line) as Record<string, unknown>;
  const row = judgeEvent(value, NO_LIMITS);
  if (!('timestamp' in row)) return null;
  const event = eventAnswer({
    ...row,
    service: storableText(value['service'] as string),
    message: storableText(value['message'] as string),
    metadata: JSON.parse(storableJson(mergedMetadata(value))) as Record<string, unknown>,
    traceId: storableText(row.traceId),
    spanId: storableText(row.spanId),
    parentSpanId: storableText(row.parentSpanId),
  });
  return { micros: Math.round(row.timestamp * 1000), place, event: JSON.parse(JSON.stringify(event)) };
}

withDatabase('an event is read back as it came, whatever its spelling', async (test) => {
  const { writer, commit, letters } = await openTestWriter(test);
  const scanner = createJsonScanner(createNames());
  const lines = fc.sample(eventLine, { numRuns: LINES, seed: SEED });
  const expected = lines.flatMap((line, place) => answerOf(line, place) ?? []);
  for (let offset = 0; offset * 50 < LINES; offset++) {
    const body = lines.slice(offset * 50, (offset + 1) * 50).join('\n');
    writer.observe(scanner.scan(Buffer.from(`${body}\n`), NO_LIMITS).batch, offset);
  }
  await commit(LINES / 50);
  assert.deepEqual(letters, []);
  const parts = { database: test.database, clock: systemClock, logger: silentLogger };
  await using store = await openTimescaleStore({ ...parts, storeConfig: storeConfigSchema.parse({}) });
  const found: Event[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.events({ levels: [], limit: 1000, ...(cursor !== null && { cursor }) });
    found.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  expected.sort((a, b) => b.micros - a.micros || b.place - a.place);
  assert.equal(found.length, expected.length);
  assert.deepEqual(
    found.map((event) => JSON.parse(JSON.stringify(event)) as unknown),
    expected.map(({ event }) => event),
  );
});
