/**
 * Figures of the embedded store: `node bench/store.ts`. Takes under a minute and a few hundred megabytes in the
 * temporary directory. Prints one line of JSON.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { silentMetrics } from '../src/lib/metrics.ts';
import type { Prng } from '../src/lib/prng.ts';
import { createPrng } from '../src/lib/prng.ts';
import type { EventBatch } from '../src/model/event-batch.ts';
import { createEventBatch, createNames } from '../src/model/event-batch.ts';
import { storeConfigSchema } from '../src/store/config.ts';
import { openEmbeddedStore } from '../src/store/embedded/embedded-store.ts';
import { openStoreWriter } from '../src/store/embedded/store-writer.ts';
import { MemoryEventSource } from '../src/store/contract/event-fixture.ts';
import type { Store, StoreUpdate, StoreWriter } from '../src/store/store.ts';

const SERVICES = 50;
const HOURS = 24;
const EVENTS_PER_SERVICE_MINUTE = 140;
const COMMITS_PER_MINUTE = 6;
const ENDPOINTS = 10;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2025, 9, 8);
const NOTHING: StoreUpdate = { anomalies: [], incidents: [], changes: [], templates: [], models: [], checkpoint: null };

/** One batch, refilled: `count` events of random services and endpoints spread over `spanMs` from `fromMs` on. */
function refill(batch: EventBatch, prng: Prng, fromMs: number, spanMs: number): EventBatch {
  for (let i = 0; i < batch.count; i++) {
    batch.timestamp[i] = fromMs + prng.next() * spanMs;
    batch.latency[i] = Math.round(Math.exp(3.5 + 0.6 * prng.normal()) * 1000) / 1000;
    batch.level[i] = prng.next() < 0.01 ? 4 : 2;
    batch.entity[i] = 1 + prng.below(SERVICES);
    batch.endpoint[i] = 1 + prng.below(ENDPOINTS);
  }
  return batch;
}

function newBatch(count: number): EventBatch {
  const names = createNames();
  for (let i = 0; i < SERVICES; i++) names.entities.internString(`service-${i}`);
  for (let i = 0; i < ENDPOINTS; i++) names.endpoints.internString(`/endpoint/${i}`);
  const batch = createEventBatch(names, count);
  batch.count = count;
  return batch;
}

function secondsOf(startMs: number): number {
  return (systemClock.monotonicMs() - startMs) / 1000;
}

/** Events a second that `observe` alone takes, in batches of 100 as live traffic comes. */
function measureObserve(writer: StoreWriter, prng: Prng): number {
  const batches = Array.from({ length: 200 }, () => refill(newBatch(100), prng, START_MS, 1000));
  const names = batches[0]?.names;
  for (const batch of batches) Object.assign(batch, { names });
  const rounds = 200;
  const startMs = systemClock.monotonicMs();
  for (let round = 0; round < rounds; round++) for (const batch of batches) writer.observe(batch, 0);
  return (rounds * batches.length * 100) / secondsOf(startMs);
}

/** A day of traffic, a commit every ten seconds of it. */
async function fillDay(writer: StoreWriter, prng: Prng): Promise<number[]> {
  const batch = newBatch(Math.round((SERVICES * EVENTS_PER_SERVICE_MINUTE) / COMMITS_PER_MINUTE));
  const commitsMs: number[] = [];
  const spanMs = 60_000 / COMMITS_PER_MINUTE;
  for (let step = 0; step < HOURS * 60 * COMMITS_PER_MINUTE; step++) {
    writer.observe(refill(batch, prng, START_MS + step * spanMs, spanMs), step);
    const startMs = systemClock.monotonicMs();
    await writer.commit(NOTHING, step + 1);
    commitsMs.push(systemClock.monotonicMs() - startMs);
  }
  return commitsMs.sort((a, b) => a - b);
}

async function timeMetrics(store: Store, names: string[], stepMs: number): Promise<number> {
  const startMs = systemClock.monotonicMs();
  const answer = await store.metrics({ fromMs: START_MS, toMs: START_MS + HOURS * HOUR_MS, names, stepMs });
  if (answer.series.length !== SERVICES * names.length) throw new Error('bench: series are missing');
  return Math.round((systemClock.monotonicMs() - startMs) * 10) / 10;
}

async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'helios-bench-store-'));
  const prng = createPrng(1);
  const common = { dir, clock: systemClock, logger: silentLogger };
  try {
    const scratch = { ...common, dir: join(dir, 'scratch'), config: storeConfigSchema.parse({}), metrics: silentMetrics };
    const scratchWriter = await openStoreWriter(scratch);
    const observePerSecond = measureObserve(scratchWriter, prng);
    const liveStartMs = systemClock.monotonicMs();
    await scratchWriter.commit(NOTHING, 1);
    const liveCommitMs = systemClock.monotonicMs() - liveStartMs;
    await scratchWriter[Symbol.asyncDispose]();

    const writer = await openStoreWriter({ ...scratch, dir });
    const fillStartMs = systemClock.monotonicMs();
    const commitsMs = await fillDay(writer, prng);
    const fillSeconds = secondsOf(fillStartMs);
    await writer.retain(0);
    const store = await openEmbeddedStore({ ...common, source: new MemoryEventSource(), committedOffset: () => 0 });
    const events = SERVICES * HOURS * 60 * EVENTS_PER_SERVICE_MINUTE;
    const result = {
      events,
      observeEventsPerSecond: Math.round(observePerSecond),
      firstCommitMs: liveCommitMs,
      fillSeconds,
      commitP50Ms: commitsMs[Math.floor(commitsMs.length / 2)],
      commitP99Ms: commitsMs[Math.floor(commitsMs.length * 0.99)],
      bytesPerEvent: statSync(join(dir, 'store.db')).size / events,
      p95Step24hMs: await timeMetrics(store, ['p95_latency'], 24 * HOUR_MS),
      p95Step1hMs: await timeMetrics(store, ['p95_latency'], HOUR_MS),
      p95Step5mMs: await timeMetrics(store, ['p95_latency'], 300_000),
      allStep1mMs: await timeMetrics(store, ['event_count', 'p95_latency', 'unique_endpoints'], 60_000),
    };
    process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
    await store[Symbol.asyncDispose]();
    await writer[Symbol.asyncDispose]();
  } finally {
    rmSync(dir, { recursive: true });
  }
}

await main();
