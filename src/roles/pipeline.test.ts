import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { detectConfigSchema } from '../detect/config.ts';
import type { Detector } from '../detect/detector.ts';
import { createDetector } from '../detect/engine.ts';
import { isoTime, ManualClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { createPrng } from '../lib/prng.ts';
import { logConfigSchema } from '../log/config.ts';
import { openEmbeddedLog } from '../log/embedded/embedded-log.ts';
import { openEventSource } from '../log/embedded/event-source.ts';
import { openLogReader } from '../log/embedded/segment-reader.ts';
import { createNames } from '../model/event-batch.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import { storeConfigSchema } from '../store/config.ts';
import { openEmbeddedStore } from '../store/embedded/embedded-store.ts';
import { openStoreWriter } from '../store/embedded/store-writer.ts';
import type { EventLog } from '../log/event-log.ts';
import type { StoreWriter } from '../store/store.ts';
import { Pipeline } from './pipeline.ts';
import type { PipelineOutput } from './pipeline.ts';

const START_MS = Date.parse('2026-01-05T10:00:00Z');
const MINUTES = 30;
const FAULT_MINUTE = 24;

/** One second of two services; one of them fails from the fault on. */
function second(at: number, prng: ReturnType<typeof createPrng>): { bytes: Buffer; count: number } {
  const isFault = at >= FAULT_MINUTE * 60;
  const lines: string[] = [];
  for (let i = 0; i < 40; i++) {
    const service = i % 2 === 0 ? 'shop' : 'bank';
    const fails = prng.next() < (service === 'shop' && isFault ? 0.4 : 0.01);
    const timestamp = isoTime(START_MS + at * 1000 + i * 20);
    const message = fails ? `cannot charge order ${prng.below(1e6)}` : 'ok';
    lines.push(
      JSON.stringify({
        timestamp,
        service,
        level: fails ? 'ERROR' : 'INFO',
        message,
        metadata: { latency_ms: 20 + prng.below(10) },
      }),
    );
  }
  return { bytes: Buffer.from(`${lines.join('\n')}\n`), count: lines.length };
}

async function fill(log: EventLog): Promise<void> {
  const prng = createPrng(3);
  const appends: Promise<unknown>[] = [];
  for (let at = 0; at < MINUTES * 60; at++) {
    const { bytes, count } = second(at, prng);
    const timestampMs = START_MS + at * 1000;
    appends.push(
      log.append({
        bytes,
        count,
        minTimestampMs: timestampMs,
        maxTimestampMs: timestampMs + 980,
        receivedAtMs: timestampMs + 1000,
        clientId: '',
      }),
    );
  }
  await Promise.all(appends);
}

interface Run {
  dir: string;
  log: EventLog;
  published: PipelineOutput[];
}

const openWriter = (dir: string) =>
  openStoreWriter({
    dir,
    config: storeConfigSchema.parse({}),
    clock: new ManualClock(),
    logger: silentLogger,
    metrics: silentMetrics,
  });

interface Wrappers {
  writer?: (plain: StoreWriter) => StoreWriter;
  detector?: (plain: Detector) => Detector;
}

/** A pipeline on the run's data; `commitEvery` commits between records at that many steps of the loop. */
async function openPipeline(run: Run, clock: ManualClock, wrap: Wrappers = {}) {
  const plainWriter = await openWriter(run.dir);
  const writer = wrap.writer?.(plainWriter) ?? plainWriter;
  const plainDetector = createDetector({ config: detectConfigSchema.parse({}), clock: 'events', seed: 1 });
  const pipeline = new Pipeline({
    reader: openLogReader({ dir: run.dir }),
    writer,
    detector: wrap.detector?.(plainDetector) ?? plainDetector,
    scanner: createJsonScanner(createNames()),
    clock,
    clockMode: 'events',
    committedOffset: () => run.log.committedOffset(),
    commitIntervalMs: 1000,
    checkpointIntervalMs: 5000,
    logger: silentLogger,
    metrics: silentMetrics,
    publish: (output) => run.published.push(output),
    onProgress: () => {},
  });
  return { pipeline, writer };
}

async function withRun(check: (run: Run) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-pipeline-'));
  const log = await openEmbeddedLog({
    dir,
    config: logConfigSchema.parse({}),
    clock: new ManualClock(START_MS),
    logger: silentLogger,
    metrics: silentMetrics,
    idempotency: { windowMs: 1000, maxKeys: 10 },
  });
  try {
    await check({ dir, log, published: [] });
  } finally {
    await log[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What the store knows once everything was processed. */
async function derived(run: Run) {
  const source = openEventSource({ dir: run.dir });
  const store = await openEmbeddedStore({
    dir: run.dir,
    source,
    committedOffset: () => run.log.committedOffset(),
    clock: new ManualClock(),
    logger: silentLogger,
  });
  const range = { fromMs: START_MS, toMs: START_MS + MINUTES * 60_000 };
  const metrics = await store.metrics({ ...range, names: ['event_count', 'error_rate'], stepMs: 60_000 });
  const templates = await store.templates({ ...range, limit: 100 });
  const anomalies = await store.list('anomaly', { limit: 100 });
  const incidents = await store.list('incident', { limit: 100 });
  await store[Symbol.asyncDispose]();
  source.close();
  return { metrics, templates, anomalies, incidents };
}

test('events become rollups, templates, one anomaly and one incident', async () => {
  await withRun(async (run) => {
    await fill(run.log);
    const { pipeline, writer } = await openPipeline(run, new ManualClock());
    while (await pipeline.step());
    await pipeline.commit(true);
    await writer[Symbol.asyncDispose]();
    const { metrics, templates, incidents, anomalies } = await derived(run);
    const total = metrics.series.filter(({ name }) => name === 'event_count').flatMap(({ points }) => points);
    assert.equal(
      total.reduce((sum, [, value]) => sum + (value ?? 0), 0),
      MINUTES * 60 * 40,
    );
    assert.equal(templates.length, 2, 'one template for each service');
    assert.equal(incidents.items.length, 1);
    assert.deepEqual(incidents.items[0]?.services, ['shop']);
    assert.ok(anomalies.items.some(({ signal }) => signal === 'error_rate'));
    const published = run.published.flatMap((output) => output.incidents);
    assert.equal(published.at(-1)?.id, incidents.items[0]?.id);
  });
});

test('a pipeline that is opened again knows how far time has come, before it has read anything', async () => {
  await withRun(async (run) => {
    await fill(run.log);
    const first = await openPipeline(run, new ManualClock());
    assert.equal(first.pipeline.progress().watermarkMs, -Infinity);
    while (await first.pipeline.step());
    await first.pipeline.commit(true);
    await first.writer[Symbol.asyncDispose]();
    const second = await openPipeline(run, new ManualClock());
    assert.ok(first.pipeline.progress().watermarkMs > START_MS);
    assert.equal(second.pipeline.progress().watermarkMs, first.pipeline.progress().watermarkMs);
    await second.writer[Symbol.asyncDispose]();
  });
});

test('a pipeline that crashes again and again derives the same as one that never did', async () => {
  let calm: Awaited<ReturnType<typeof derived>> | undefined;
  await withRun(async (run) => {
    await fill(run.log);
    const { pipeline, writer } = await openPipeline(run, new ManualClock());
    while (await pipeline.step());
    await pipeline.commit(true);
    await writer[Symbol.asyncDispose]();
    calm = await derived(run);
  });
  await withRun(async (run) => {
    await fill(run.log);
    const prng = createPrng(11);
    const clock = new ManualClock();
    for (let crash = 0; crash < 12; crash++) {
      const { pipeline, writer } = await openPipeline(run, clock);
      const visible = Math.floor(((crash + 1) / 12) * run.log.committedOffset());
      const until = { committed: visible };
      const limited = Object.assign(run, {
        log: Object.create(run.log, { committedOffset: { value: () => until.committed } }) as EventLog,
      });
      while (await pipeline.step()) clock.advance(prng.below(4000));
      if (prng.next() < 0.7) await pipeline.commit(prng.next() < 0.5);
      // What was not committed is forgotten, as after kill -9.
      await writer[Symbol.asyncDispose]();
      run.log = Object.getPrototypeOf(limited.log) as EventLog;
    }
    const { pipeline, writer } = await openPipeline(run, clock);
    while (await pipeline.step());
    await pipeline.commit(true);
    await writer[Symbol.asyncDispose]();
    assert.deepEqual(await derived(run), calm);
  });
});

test('a crash in the middle of a replay leaves no gap in what the detector has seen', async () => {
  const ends: Awaited<ReturnType<typeof derived>>[] = [];
  for (const crashes of [false, true]) {
    await withRun(async (run) => {
      await fill(run.log);
      const clock = new ManualClock();
      if (crashes) {
        const first = await openPipeline(run, clock);
        const faultStart = Math.floor(run.log.committedOffset() * (FAULT_MINUTE / MINUTES)) + 5;
        const whole = run.log;
        run.log = Object.create(whole, { committedOffset: { value: () => faultStart } }) as EventLog;
        while (await first.pipeline.step());
        await first.pipeline.commit(false);
        await first.writer[Symbol.asyncDispose]();
        run.log = Object.create(whole, { committedOffset: { value: () => Math.floor(faultStart / 2) } }) as EventLog;
        const second = await openPipeline(run, clock);
        while (await second.pipeline.step());
        await second.pipeline.commit(true);
        await second.writer[Symbol.asyncDispose]();
        run.log = whole;
      }
      const last = await openPipeline(run, clock);
      while (await last.pipeline.step());
      await last.pipeline.commit(true);
      await last.writer[Symbol.asyncDispose]();
      ends.push(await derived(run));
    });
  }
  assert.deepEqual(ends[1], ends[0]);
});

/** The same object but for one method. */
function withMethod<T extends object>(plain: T, method: keyof T, replace: () => unknown): T {
  return new Proxy(plain, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target) as unknown;
      const replacement = name === method ? replace() : undefined;
      return replacement ?? (typeof value === 'function' ? (value.bind(target) as unknown) : value);
    },
  });
}

/** A writer whose disk is full while it is told so. */
function fullDisk() {
  const disk = { isFull: true, refused: Promise.withResolvers<void>() };
  const refuse = (): Promise<never> => {
    disk.refused.resolve();
    return Promise.reject(new HeliosError('disk_full', 'cannot commit to the database: the disk is full'));
  };
  const writer = (plain: StoreWriter): StoreWriter => withMethod(plain, 'commit', () => (disk.isFull ? refuse : undefined));
  return { disk, writer };
}

test('while the disk is full people are told so, and what was begun is done and published once there is room', async () => {
  await withRun(async (run) => {
    await fill(run.log);
    const clock = new ManualClock();
    const full = fullDisk();
    const { pipeline, writer } = await openPipeline(run, clock, full);
    const at = isoTime(START_MS);
    const change = { id: 'c1', at, service: 'shop', version: '2', previousVersion: null, description: '' };
    const command = { type: 'change', change: { ...change, type: 'deployment', source: 'api' } } as const;
    let begun: Promise<unknown> = Promise.resolve();
    const told = pipeline.unlessBlocked(() => (begun = pipeline.command(command)));
    await assert.rejects(told, { code: 'disk_full' });
    await assert.rejects(
      pipeline.unlessBlocked(() => assert.fail('a blocked pipeline begins nothing')),
      { code: 'disk_full', details: { retryAfterSeconds: 10 } },
    );
    full.disk.isFull = false;
    clock.advance(1000);
    await begun;
    assert.deepEqual(
      run.published.flatMap(({ changes }) => changes.map(({ id }) => id)),
      ['c1'],
    );
    assert.equal(await pipeline.unlessBlocked(() => Promise.resolve(7)), 7);
    await writer[Symbol.asyncDispose]();
  });
});

test('a pipeline that is stopped while the disk is full gives up, and the next run derives the same', async () => {
  const ends: Awaited<ReturnType<typeof derived>>[] = [];
  for (const isFull of [false, true]) {
    await withRun(async (run) => {
      await fill(run.log);
      const clock = new ManualClock();
      if (isFull) {
        const full = fullDisk();
        const first = await openPipeline(run, clock, full);
        const committing = first.pipeline.step().then(() => first.pipeline.commit(true));
        committing.catch(() => undefined);
        await full.disk.refused.promise;
        first.pipeline.stop();
        clock.advance(1000);
        await assert.rejects(committing, { code: 'disk_full' });
        await first.writer[Symbol.asyncDispose]();
      }
      const { pipeline, writer } = await openPipeline(run, clock);
      while (await pipeline.step());
      await pipeline.commit(true);
      await writer[Symbol.asyncDispose]();
      ends.push(await derived(run));
    });
  }
  assert.deepEqual(ends[1], ends[0]);
});

test('checkpoints that take long are taken less often', async () => {
  await withRun(async (run) => {
    await fill(run.log);
    const clock = new ManualClock();
    const taken: number[] = [];
    const slow = (plain: Detector): Detector =>
      withMethod(plain, 'snapshot', () => () => {
        taken.push(clock.nowMs());
        clock.advance(4000);
        return plain.snapshot();
      });
    const whole = run.log;
    let visible = 0;
    run.log = Object.create(whole, { committedOffset: { value: () => visible } }) as EventLog;
    const { pipeline, writer } = await openPipeline(run, clock, { detector: slow });
    for (; visible < whole.committedOffset(); visible += 10) {
      clock.advance(2000);
      while (await pipeline.step());
    }
    await writer[Symbol.asyncDispose]();
    run.log = whole;
    const pausesMs = taken.slice(1).map((atMs, i) => atMs - (taken[i] as number));
    assert.ok(pausesMs.length >= 3 && pausesMs.every((pauseMs) => pauseMs >= 80_000), String(pausesMs));
  });
});
