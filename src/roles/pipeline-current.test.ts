import assert from 'node:assert/strict';
import test from 'node:test';
import { detectConfigSchema } from '../detect/config.ts';
import { createDetector } from '../detect/engine.ts';
import { isoTime, ManualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import type { LogReader, LogRecord } from '../log/event-log.ts';
import { createNames } from '../model/event-batch.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import type { StoreWriter } from '../store/store.ts';
import { Pipeline } from './pipeline.ts';

const START_MS = Date.parse('2026-01-05T10:00:00Z');

const writer: StoreWriter = {
  offset: () => 0,
  checkpoint: () => undefined,
  observe() {},
  commit: () => Promise.resolve(),
  retain: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** One event of one service, received as it happened. */
function recordAt(offset: number, atMs: number): LogRecord {
  const bytes = Buffer.from(`{"timestamp":"${isoTime(atMs)}","service":"shop","level":"INFO","message":"ok"}\n`);
  const times = { minTimestampMs: atMs, maxTimestampMs: atMs, receivedAtMs: atMs };
  return { bytes, count: 1, clientId: '', position: { partition: 0, offset }, ...times };
}

test('time passes by the clock only while everything that came has been read, not while records are on their way', async () => {
  const arrived: LogRecord[] = [];
  const reader: LogReader = {
    read: () => Promise.resolve(arrived.length > 0 ? arrived.splice(0) : null),
    seek: (offset) => offset,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const clock = new ManualClock(START_MS);
  const detector = createDetector({ config: detectConfigSchema.parse({}), clock: 'wall', seed: 1 });
  let isCurrent = false;
  const pipeline = new Pipeline({
    reader,
    writer,
    detector,
    scanner: createJsonScanner(createNames()),
    clock,
    clockMode: 'wall',
    committedOffset: () => 100,
    isCurrent: () => isCurrent,
    commitIntervalMs: 1000,
    checkpointIntervalMs: 60_000,
    logger: silentLogger,
    metrics: silentMetrics,
    onProgress: () => {},
  });
  const stepped = async (): Promise<number> => {
    if (!(await pipeline.step())) await pipeline.tick();
    return detector.status().watermarkMs;
  };
  for (let second = 0; second < 120; second++) arrived.push(recordAt(second, START_MS + second * 1000));
  clock.advance(130_000);
  const before = await stepped();
  assert.deepEqual([await stepped(), pipeline.isIdle], [before, false], 'a backlog is under way');
  isCurrent = true;
  assert.ok((await stepped()) > before, 'now silence is silence');
  isCurrent = false;
  clock.advance(20_000);
  const later = detector.status().watermarkMs;
  assert.equal(await stepped(), later, 'the log is away');
});
