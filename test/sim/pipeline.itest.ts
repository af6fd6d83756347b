import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { detectConfigSchema } from '../../src/detect/config.ts';
import { createDetector } from '../../src/detect/engine.ts';
import { createIngestHandler } from '../../src/ingest/handler.ts';
import { isoTime, ManualClock } from '../../src/lib/clock.ts';
import { HeliosError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { silentMetrics } from '../../src/lib/metrics.ts';
import { createPrng } from '../../src/lib/prng.ts';
import type { Prng } from '../../src/lib/prng.ts';
import { logConfigSchema } from '../../src/log/config.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { openEventSource } from '../../src/log/embedded/event-source.ts';
import { openLogReader } from '../../src/log/embedded/segment-reader.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { createFaultyLog } from '../../src/log/faulty.ts';
import { createNames } from '../../src/model/event-batch.ts';
import { createJsonScanner } from '../../src/model/json-scanner.ts';
import { Pipeline } from '../../src/roles/pipeline.ts';
import { storeConfigSchema } from '../../src/store/config.ts';
import { openEmbeddedStore } from '../../src/store/embedded/embedded-store.ts';
import { openStoreWriter } from '../../src/store/embedded/store-writer.ts';

const START_MS = Date.parse('2026-02-02T08:00:00Z');
const REQUESTS = 400;
const FAULTS = { fail: 0.06, loseAnswer: 0.06, delay: 0.2, maxDelayMs: 0 };

/** One request that a client sends until it is acknowledged. */
interface Request {
  key: string;
  body: string;
  ids: string[];
}

function requestOf(index: number, prng: Prng): Request {
  const ids = Array.from({ length: 1 + prng.below(20) }, (_, i) => `r${index}-${i}`);
  const lines = ids.map((id) =>
    JSON.stringify({
      timestamp: isoTime(START_MS + index * 250 + prng.below(2000)),
      service: `service-${prng.below(4)}`,
      level: prng.next() < 0.1 ? 'ERROR' : 'INFO',
      message: `handled ${id}`,
      metadata: { request_id: id, latency_ms: prng.below(100) },
    }),
  );
  return { key: `key-${index}`, body: lines.join('\n'), ids };
}

/** Everything of one process: it can be thrown away at any moment, as kill -9 does. */
async function startProcess(dir: string, clock: ManualClock, prng: Prng) {
  const config = logConfigSchema.parse({ segment_size: '32KiB' });
  const idempotency = { windowMs: 86_400_000, maxKeys: 10_000 };
  const inner = await openEmbeddedLog({ dir, config, clock, logger: silentLogger, metrics: silentMetrics, idempotency });
  const log: EventLog = createFaultyLog(inner, prng, clock, FAULTS);
  const scanner = createJsonScanner(createNames());
  const handler = createIngestHandler({
    log,
    scanner,
    clock,
    metrics: silentMetrics,
    futureToleranceMs: Infinity,
    retentionMs: Infinity,
  });
  const writer = await openStoreWriter({
    dir,
    config: storeConfigSchema.parse({}),
    clock,
    logger: silentLogger,
    metrics: silentMetrics,
  });
  const pipeline = new Pipeline({
    reader: openLogReader({ dir }),
    writer,
    detector: createDetector({ config: detectConfigSchema.parse({}), clock: 'events', seed: 1 }),
    scanner: createJsonScanner(createNames()),
    clock,
    clockMode: 'events',
    committedOffset: () => inner.committedOffset(),
    commitIntervalMs: 1000,
    checkpointIntervalMs: 4000,
    logger: silentLogger,
    metrics: silentMetrics,
    publish: () => {},
    onProgress: ({ nextOffset, safeOffset }) => {
      assert.ok(safeOffset <= nextOffset);
      assert.ok(nextOffset <= inner.committedOffset(), 'nothing is derived from what is not durable');
    },
  });
  const kill = async (): Promise<void> => {
    await writer[Symbol.asyncDispose]();
    await inner[Symbol.asyncDispose]();
  };
  return { inner, handler, pipeline, kill };
}

/** Sends until acknowledged or until the process is to die. Returns whether it was acknowledged. */
async function send(
  handler: Awaited<ReturnType<typeof startProcess>>['handler'],
  request: Request,
  attempts: number,
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      const body = Buffer.from(request.body);
      const answer = await handler.acceptEvents({
        door: 'sim',
        body,
        sender: { client: 'c', principal: { id: 'c', services: null } },
        idempotencyKey: request.key,
      });
      assert.equal(answer.accepted, request.ids.length);
      return true;
    } catch (error) {
      assert.ok(error instanceof HeliosError && error.retryable, String(error));
    }
  }
  return false;
}

async function checkEnd(dir: string, inner: EventLog, sent: Request[]): Promise<void> {
  const clock = new ManualClock(START_MS);
  const source = openEventSource({ dir });
  const committedOffset = (): number => inner.committedOffset();
  const store = await openEmbeddedStore({ dir, source, committedOffset, clock, logger: silentLogger });
  const expected = sent.flatMap(({ ids }) => ids).toSorted();
  const found: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await store.events({ levels: [], limit: 500, ...(cursor !== '' && { cursor }) });
    found.push(...page.items.map(({ metadata }) => String(metadata['request_id'])));
    cursor = page.nextCursor;
  }
  assert.deepEqual(found.toSorted(), expected, 'every acknowledged event once');
  const { series } = await store.metrics({
    fromMs: START_MS - 60_000,
    toMs: START_MS + 3_600_000,
    names: ['event_count'],
    stepMs: 60_000,
  });
  const counted = series.flatMap(({ points }) => points).reduce((sum, [, value]) => sum + (value ?? 0), 0);
  assert.equal(counted, expected.length, 'rollups count every event once');
  await store[Symbol.asyncDispose]();
  source.close();
}

async function simulate(seed: number): Promise<void> {
  const prng = createPrng(seed);
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-sim-'));
  const clock = new ManualClock(START_MS);
  let running = await startProcess(dir, clock, prng);
  const sent: Request[] = [];
  try {
    for (let index = 0; index < REQUESTS; index++) {
      const request = requestOf(index, prng);
      sent.push(request);
      while (!(await send(running.handler, request, 1 + prng.below(3)))) {
        await running.kill();
        running = await startProcess(dir, clock, prng);
      }
      clock.advance(prng.below(300));
      if (prng.next() < 0.3) await running.pipeline.step();
      if (prng.next() < 0.05) await running.pipeline.commit(prng.next() < 0.5);
      if (prng.next() < 0.03) {
        await running.kill();
        running = await startProcess(dir, clock, prng);
      }
    }
    while (await running.pipeline.step());
    await running.pipeline.commit(true);
    await checkEnd(dir, running.inner, sent);
  } finally {
    await running.kill();
    rmSync(dir, { recursive: true, force: true });
  }
}

const firstSeed = Number(process.env['HELIOS_TEST_SEED'] ?? 1);
for (const seed of [firstSeed, firstSeed + 1, firstSeed + 2, firstSeed + 3]) {
  test(`seed ${seed}: a log that fails, loses answers and a process that dies lose nothing acknowledged and double nothing`, async () => {
    await simulate(seed);
  });
}
