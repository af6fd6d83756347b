import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { detectConfigSchema } from '../detect/config.ts';
import { createDetector } from '../detect/engine.ts';
import { exportsOf, STEP_MS, T0 } from '../detect/metric-exports.fixture.ts';
import { ManualClock } from '../lib/clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { openLogReader } from '../log/embedded/segment-reader.ts';
import type { LogRecord } from '../log/event-log.ts';
import { createNames } from '../model/event-batch.ts';
import { createJsonScanner } from '../model/json-scanner.ts';
import type { MetricBatch } from '../model/metric.ts';
import { storeConfigSchema } from '../store/config.ts';
import { openStoreWriter } from '../store/embedded/store-writer.ts';
import { Pipeline, type PipelineOutput } from './pipeline.ts';

async function openPipeline(dir: string, clockMode: 'wall' | 'events', published: PipelineOutput[]) {
  const clock = new ManualClock(T0);
  const writing = { dir, config: storeConfigSchema.parse({}), clock, logger: silentLogger, metrics: silentMetrics };
  const writer = await openStoreWriter(writing);
  const pipeline = new Pipeline({
    reader: openLogReader({ dir }),
    writer,
    detector: createDetector({ config: detectConfigSchema.parse({}), clock: clockMode, seed: 1 }),
    scanner: createJsonScanner(createNames()),
    clock,
    clockMode,
    committedOffset: () => 0,
    commitIntervalMs: 1000,
    checkpointIntervalMs: 5000,
    logger: silentLogger,
    metrics: silentMetrics,
    publish: (output) => published.push(output),
    onProgress: () => {},
  });
  return { pipeline, writer, clock };
}

async function inDirectory(check: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-metric-detection-'));
  try {
    await check(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const recordOf = (batch: MetricBatch, offset: number, receivedAtMs: number): LogRecord => ({
  position: { partition: 0, offset },
  bytes: new Uint8Array(),
  count: batch.count,
  minTimestampMs: batch.timestamp[0] as number,
  maxTimestampMs: batch.timestamp[0] as number,
  receivedAtMs,
  clientId: '',
});

async function feed(pipeline: Pipeline, batches: readonly MetricBatch[], from: number, until: number): Promise<void> {
  for (let offset = from; offset < until; offset++) {
    const batch = batches[offset] as MetricBatch;
    await pipeline.observeMetrics(batch, recordOf(batch, offset, T0 + offset * STEP_MS));
  }
}

test('what is wrong with received metrics is an incident that opens and ends, committed before it is published', async () => {
  await inDirectory(async (dir) => {
    const published: PipelineOutput[] = [];
    const { pipeline, writer } = await openPipeline(dir, 'events', published);
    await feed(pipeline, exportsOf(420), 0, 420);
    const states = published.flatMap(({ anomalies }) => anomalies.map(({ state }) => state));
    assert.deepEqual([states[0], states.at(-1)], ['firing', 'resolved']);
    const incidents = published.flatMap((output) => output.incidents);
    const [incident] = incidents;
    assert.ok(incident);
    assert.ok(incidents.every(({ id }) => id === incident.id));
    assert.ok(published.every(({ anomalies }) => anomalies.every(({ incidentId }) => incidentId === incident.id)));
    assert.equal(incidents.at(-1)?.status, 'resolved');
    assert.equal(incident.causes[0]?.signal, 'metric');
    await writer[Symbol.asyncDispose]();
  });
});

test('after a restart metrics are shown again from the checkpoint on, and say the same', async () => {
  const batches = exportsOf(420);
  const idsOf = (published: PipelineOutput[]): string[] => [
    ...new Set(published.flatMap((output) => output.incidents.map(({ id }) => id))),
  ];
  await inDirectory(async (dir) => {
    const published: PipelineOutput[] = [];
    const first = await openPipeline(dir, 'events', published);
    await feed(first.pipeline, batches, 0, 310);
    await first.pipeline.commit(true);
    assert.equal(first.pipeline.safeMetricOffset, 310);
    await feed(first.pipeline, batches, 310, 330);
    assert.equal(first.pipeline.safeMetricOffset, 310, 'only a checkpoint moves it');
    await first.writer[Symbol.asyncDispose]();
    const second = await openPipeline(dir, 'events', published);
    assert.equal(second.pipeline.safeMetricOffset, 310);
    await feed(second.pipeline, batches, 310, 420);
    assert.equal(idsOf(published).length, 1);
    assert.equal(published.at(-1)?.incidents[0]?.status, 'resolved');
    await second.writer[Symbol.asyncDispose]();
  });
});

test('where only metrics come, checkpoints are taken all the same, and free the log behind them', async () => {
  await inDirectory(async (dir) => {
    const { pipeline, writer, clock } = await openPipeline(dir, 'events', []);
    await feed(pipeline, exportsOf(20), 0, 20);
    clock.advance(4999);
    await pipeline.tick();
    assert.equal(pipeline.safeMetricOffset, 0);
    clock.advance(1);
    await pipeline.tick();
    assert.equal(pipeline.safeMetricOffset, 20);
    await writer[Symbol.asyncDispose]();
  });
});

test('live, points from a clock that is ahead are left out', async () => {
  await inDirectory(async (dir) => {
    const published: PipelineOutput[] = [];
    const { pipeline, writer } = await openPipeline(dir, 'wall', published);
    const batches = exportsOf(420);
    for (const [offset, batch] of batches.entries()) await pipeline.observeMetrics(batch, recordOf(batch, offset, T0 - 60_000));
    assert.deepEqual(published, []);
    await writer[Symbol.asyncDispose]();
  });
});
