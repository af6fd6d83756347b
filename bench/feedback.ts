/**
 * What feedback would have changed: `node bench/feedback.ts [anomalies]`. So many stored anomalies of 200 services over 30 days (one in ten in
 * storms of 40 services) in an embedded store behind its thread, and the answer to a preview as the API gives it; then the longest that the
 * asking thread was not free for others.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { anomalyOf, over } from '../src/detect/anomaly.fixture.ts';
import { createIncidentBook } from '../src/detect/incident-book.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { silentMetrics } from '../src/lib/metrics.ts';
import { createPrng } from '../src/lib/prng.ts';
import type { FiledAlert } from '../src/model/alert.ts';
import type { Anomaly } from '../src/model/anomaly.ts';
import { createCommitSignal } from '../src/roles/commit-signal.ts';
import { openFeedback } from '../src/roles/feedback-service.ts';
import { openStoreThread } from '../src/roles/store-client.ts';
import { storeConfigSchema } from '../src/store/config.ts';
import { openStoreWriter } from '../src/store/embedded/store-writer.ts';

const SERVICES = 200;
const STORM = 40;
const DAY_MS = 86_400_000;
const GAP_MS = 300_000;
const LASTS_MS = 600_000;
const NOW_MS = Date.UTC(2025, 10, 7);
const total = Number(process.argv[2] ?? 10_000);
const prng = createPrng(1);

function drawAnomalies(): Anomaly[] {
  const anomalies: Anomaly[] = [];
  while (anomalies.length < total) {
    const startMs = NOW_MS - 30 * DAY_MS + Math.floor(prng.next() * 29.9 * 8640) * 10_000;
    const size = prng.next() < STORM / (9 * STORM + 1) / STORM ? STORM : 1;
    const first = Math.floor(prng.next() * SERVICES);
    for (let n = 0; n < size; n++) anomalies.push(anomalyOf(`service-${(first + n) % SERVICES}`, startMs + n * 1000));
  }
  return anomalies.slice(0, total);
}

/** As the live desk files them. */
function fileAll(anomalies: readonly Anomaly[]) {
  const book = createIncidentBook({ incident_gap: GAP_MS });
  const told = anomalies.flatMap((anomaly): FiledAlert[] => {
    const common = { type: 'anomaly' as const, partition: 0, evidence: [] };
    const endMs = Date.parse(anomaly.startedAt) + LASTS_MS;
    return [
      { ...common, atMs: Date.parse(anomaly.detectedAt), anomaly },
      { ...common, atMs: endMs, anomaly: over(anomaly, endMs) },
    ];
  });
  return book.apply(told);
}

const dir = mkdtempSync(path.join(tmpdir(), 'helios-feedback-'));
try {
  const filed = fileAll(drawAnomalies());
  const config = storeConfigSchema.parse({});
  const writer = await openStoreWriter({ dir, config, clock: systemClock, logger: silentLogger, metrics: silentMetrics });
  await writer.commit({ ...filed, templates: [], models: [], checkpoint: null }, 1);
  await writer[Symbol.asyncDispose]();
  const onDeath = (error: Error): never => {
    throw error;
  };
  await using opened = await openStoreThread({ dir, logLevel: 'error', signal: createCommitSignal(), config }, onDeath);
  await using feedback = openFeedback({
    store: opened.store,
    command: () => Promise.resolve(undefined),
    control: { decideNewNormal: () => Promise.resolve(undefined) },
    clock: { ...systemClock, nowMs: () => NOW_MS },
    wallClock: systemClock,
    gapMs: GAP_MS,
    previewWindowMs: 30 * DAY_MS,
    metrics: silentMetrics,
    logger: silentLogger,
  });
  const { id } = filed.incidents.find(({ services }) => services.length === 1) as { id: string };
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const seconds: number[] = [];
  const processor: number[] = [];
  let sentence: string | undefined;
  for (let round = 0; round < 5; round++) {
    delay.enable();
    const startMs = systemClock.monotonicMs();
    const start = process.threadCpuUsage();
    const answer = await feedback.preview(id, { label: 'false_alarm', by: 'bench' });
    seconds.push((systemClock.monotonicMs() - startMs) / 1000);
    const { user, system } = process.threadCpuUsage(start);
    processor.push((user + system) / 1e6);
    delay.disable();
    sentence = answer?.preview?.sentence;
  }
  const inOrder = (values: readonly number[]) => values.toSorted((a, b) => a - b).map((value) => value.toFixed(2));
  const sorted = inOrder(seconds);
  console.log(`${filed.anomalies.length} anomalies, ${filed.incidents.length} incidents: ${sentence}`);
  console.log(
    `answered in ${sorted[2]} s (${sorted[0]} to ${sorted[4]}), ${inOrder(processor)[2]} s of the thread's processor; longest turn ${(delay.max / 1e6).toFixed(0)} ms`,
  );
} finally {
  rmSync(dir, { recursive: true, force: true });
}
