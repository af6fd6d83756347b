import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { ManualClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentLogger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { createPrng } from '../lib/prng.ts';
import { logConfigSchema } from '../log/config.ts';
import { openEmbeddedLog } from '../log/embedded/embedded-log.ts';
import { openLogReader } from '../log/embedded/segment-reader.ts';
import type { EventLog } from '../log/event-log.ts';
import { metricLine } from '../model/metric.fixture.ts';
import { createMetricScanner } from '../model/metric-scanner.ts';
import { openEmbeddedMetricStore } from '../store/embedded/embedded-metric-store.ts';
import { openMetricWriter } from '../store/embedded/metric-writer.ts';
import type { MetricStoreWriter } from '../store/metric-store.ts';
import { DiskPatience } from './disk-patience.ts';
import { MetricPipeline, type MetricPipelineOptions } from './metric-pipeline.ts';
import { METRIC_PIPELINE_LAG, METRIC_PIPELINE_SKIPPED } from './metrics.ts';

const T0 = Date.parse('2026-01-05T10:00:00Z');
const SERIES = 5;
const COMMIT_INTERVAL_MS = 1000;

/** A metrics log and what is kept beside it, removed when disposed. */
class Run implements AsyncDisposable {
  readonly dir = mkdtempSync(path.join(os.tmpdir(), 'helios-metric-pipeline-'));
  readonly clock = new ManualClock(T0);
  readonly acknowledged: number[] = [];
  records = 0;
  log!: EventLog;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.log[Symbol.asyncDispose]();
    rmSync(this.dir, { recursive: true, force: true });
  }

  async append(count: number, line?: string): Promise<void> {
    const appends = Array.from({ length: count }, () => {
      const at = this.records++;
      const lines = Array.from({ length: SERIES }, (_, i) => metricLine({ name: `m${i}` }, [[T0 + at * 1000, at * i]]));
      const bytes = Buffer.from(lines.join('') + (line ?? ''));
      const timestampMs = T0 + at * 1000;
      return this.log.append({
        bytes,
        count: SERIES,
        minTimestampMs: timestampMs,
        maxTimestampMs: timestampMs,
        receivedAtMs: timestampMs,
        clientId: '',
      });
    });
    await Promise.all(appends);
  }

  async open(
    options: { wrap?: (writer: MetricStoreWriter) => MetricStoreWriter; metrics?: Metrics; blockPoints?: number } & Partial<
      Pick<MetricPipelineOptions, 'watch' | 'watchedOffset'>
    > = {},
  ) {
    const { clock } = this;
    const { metrics = silentMetrics, wrap = (plain) => plain, blockPoints } = options;
    const sizes = blockPoints === undefined ? {} : { blockPoints };
    const writerOptions = { dir: this.dir, config: { max_series: 100 }, clock, logger: silentLogger, metrics: silentMetrics };
    const writer = await openMetricWriter({ ...writerOptions, ...sizes });
    const patience = new DiskPatience(clock, silentLogger);
    const reader = openLogReader({ dir: this.dir, name: 'metrics' });
    const pipeline = new MetricPipeline({
      reader,
      writer: wrap(writer),
      scanner: createMetricScanner(),
      watchedOffset: options.watchedOffset ?? Infinity,
      watch: async (batch, record) => options.watch?.(batch, record),
      clock,
      committedOffset: () => this.log.committedOffset(),
      commitIntervalMs: COMMIT_INTERVAL_MS,
      logger: silentLogger,
      metrics,
      patience,
      onProgress: (nextOffset) => this.acknowledged.push(nextOffset),
    });
    /** Ends it as a crash would: what is not committed is gone. */
    const crash = async (): Promise<void> => {
      await reader[Symbol.asyncDispose]();
      await writer[Symbol.asyncDispose]();
    };
    return { pipeline, writer, patience, crash };
  }

  /** Asserts that the store holds every point of the first `records` records, and nothing else. */
  async check(records = this.records): Promise<void> {
    await using store = await openEmbeddedMetricStore({ dir: this.dir, logger: silentLogger });
    const found = await store.points({ fromMs: 0, toMs: T0 * 2, step: 'raw' });
    for (const [i, { key, points }] of found.entries()) {
      assert.equal(key.name, `m${i}`);
      assert.deepEqual(
        points,
        Array.from({ length: records }, (_, at) => [T0 + at * 1000, at * i]),
      );
    }
    assert.equal(found.length, records === 0 ? 0 : SERIES);
  }
}

async function openRun(): Promise<Run> {
  const run = new Run();
  run.log = await openEmbeddedLog({
    dir: run.dir,
    name: 'metrics',
    config: logConfigSchema.parse({}),
    clock: run.clock,
    logger: silentLogger,
    metrics: silentMetrics,
    idempotency: { windowMs: 1000, maxKeys: 10 },
  });
  return run;
}

test('points are committed once the interval has passed, and on a stop, and acknowledged after it', async () => {
  await using run = await openRun();
  const { pipeline, crash } = await run.open();
  await run.append(3);
  while (await pipeline.step());
  await pipeline.tick();
  await run.check(0);
  run.clock.advance(COMMIT_INTERVAL_MS);
  await pipeline.tick();
  await run.check(3);
  await run.append(2);
  while (await pipeline.step());
  await pipeline.commit();
  await pipeline.commit();
  await run.check(5);
  assert.deepEqual(run.acknowledged, [0, 3, 5]);
  await crash();
});

test('records that the detector has to see again are shown to it, and their points stored once', async () => {
  await using run = await openRun();
  const first = await run.open();
  await run.append(4);
  while (await first.pipeline.step());
  await first.pipeline.commit();
  await first.crash();
  await run.append(2);
  const shown: [number, number][] = [];
  const second = await run.open({
    watchedOffset: 1,
    watch: async (batch, { position }) => void shown.push([position.offset, batch.count]),
  });
  while (await second.pipeline.step());
  await second.pipeline.commit();
  assert.deepEqual(
    shown,
    [1, 2, 3, 4, 5].map((offset) => [offset, SERIES]),
  );
  await run.check(6);
  await second.crash();
});

test('a pipeline that crashes again and again stores every point once', async () => {
  await using run = await openRun();
  const prng = createPrng(5);
  for (let round = 0; round < 12; round++) {
    const { pipeline, crash } = await run.open({ blockPoints: 40 });
    for (let i = prng.below(4); i >= 0; i--) {
      await run.append(1 + prng.below(20));
      await pipeline.step();
      if (prng.below(2) === 0) run.clock.advance(COMMIT_INTERVAL_MS);
      await pipeline.tick();
    }
    await crash();
  }
  const { pipeline, crash } = await run.open();
  while (await pipeline.step());
  await pipeline.commit();
  await run.check();
  await crash();
});

test('a commit that crashed after it was stored is not repeated', async () => {
  await using run = await openRun();
  const wrap = (plain: MetricStoreWriter): MetricStoreWriter => {
    const commit = async (nextOffset: number): Promise<void> => {
      await plain.commit(nextOffset);
      throw new Error('killed');
    };
    return Object.assign(Object.create(plain) as MetricStoreWriter, boundTo(plain), { commit });
  };
  await run.append(4);
  const first = await run.open({ wrap });
  await first.pipeline.step();
  await assert.rejects(first.pipeline.commit(), /killed/);
  await first.crash();
  const second = await run.open();
  assert.equal(await second.pipeline.step(), false);
  await run.check(4);
  assert.deepEqual(run.acknowledged, [0, 4]);
  await second.crash();
});

/** The methods of a writer, which has private fields, for an object that changes some of them. */
function boundTo(writer: MetricStoreWriter): Pick<MetricStoreWriter, 'offset' | 'observe' | 'isFull' | 'retain'> {
  return {
    offset: () => writer.offset(),
    observe: (batch, offset) => writer.observe(batch, offset),
    isFull: () => writer.isFull(),
    retain: (beforeMs) => writer.retain(beforeMs),
  };
}

/** A disk that is full while it is told so. */
function fullDisk() {
  const disk = { isFull: true, refused: Promise.withResolvers<void>() };
  const wrap = (plain: MetricStoreWriter): MetricStoreWriter => ({
    ...boundTo(plain),
    [Symbol.asyncDispose]: () => plain[Symbol.asyncDispose](),
    commit(nextOffset) {
      if (!disk.isFull) return plain.commit(nextOffset);
      disk.refused.resolve();
      return Promise.reject(new HeliosError('disk_full', 'cannot commit points: the disk is full'));
    },
  });
  return { disk, wrap };
}

test('on a full disk a commit waits, whoever shares the thread is told so, and once there is room nothing is missing', async () => {
  await using run = await openRun();
  const { disk, wrap } = fullDisk();
  const { pipeline, patience, crash } = await run.open({ wrap });
  await run.append(3);
  await pipeline.step();
  const committing = pipeline.commit();
  await disk.refused.promise;
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(
    patience.unlessBlocked(() => assert.fail('nothing is begun meanwhile')),
    { code: 'disk_full', details: { retryAfterSeconds: 10 } },
  );
  disk.isFull = false;
  run.clock.advance(1000);
  await committing;
  assert.equal(await patience.unlessBlocked(() => Promise.resolve(7)), 7);
  await run.check(3);
  await crash();
});

test('a stop on a full disk gives up, and the next run stores the same', async () => {
  await using run = await openRun();
  const { wrap } = fullDisk();
  const first = await run.open({ wrap });
  await run.append(3);
  await first.pipeline.step();
  first.patience.stop();
  await assert.rejects(first.pipeline.commit(), { code: 'disk_full' });
  await first.crash();
  const second = await run.open();
  await second.pipeline.step();
  await second.pipeline.commit();
  await run.check(3);
  await second.crash();
});

test('lines that cannot be read are counted, and the others stored; the lag is what is left', async () => {
  await using run = await openRun();
  const measured = new Map<string, number>();
  const note: Metrics['set'] = ({ name }, value) => void measured.set(name, value);
  const { pipeline, crash } = await run.open({ metrics: { ...silentMetrics, add: note, set: note } });
  await run.append(2, '{"name":"x"}\n');
  await pipeline.step();
  await pipeline.commit();
  assert.deepEqual([measured.get(METRIC_PIPELINE_SKIPPED.name), measured.get(METRIC_PIPELINE_LAG.name)], [2, 0]);
  await run.check(2);
  await pipeline.retain(T0 * 2);
  await crash();
});

test('a replay of much commits whenever memory is full, not only by time', async () => {
  await using run = await openRun();
  await run.append(60);
  const { pipeline, crash } = await run.open({ blockPoints: 50 });
  while (await pipeline.step());
  assert.ok((run.acknowledged.at(-1) as number) > 40);
  await pipeline.commit();
  await run.check();
  await crash();
});
