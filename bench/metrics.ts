/**
 * Figures of the metric store: `node bench/metrics.ts`. Lines of the metrics log through scanner, store and commits, then queries. Takes
 * under a minute and some ten megabytes in the temporary directory. Prints one line of JSON.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { silentMetrics } from '../src/lib/metrics.ts';
import { createPrng } from '../src/lib/prng.ts';
import { POINTS_KEY } from '../src/model/metric.ts';
import type { SeriesKey } from '../src/model/metric.ts';
import { createMetricScanner } from '../src/model/metric-scanner.ts';
import { openEmbeddedMetricStore } from '../src/store/embedded/embedded-metric-store.ts';
import { openMetricWriter } from '../src/store/embedded/metric-writer.ts';

const SERIES = 10_000;
const RECORDS = 300;
const POINTS_PER_COMMIT = 200_000;
const START_MS = Date.UTC(2025, 9, 8);

/** Totals that grow by random steps, a point of each series a record, some hundred bytes a line. */
function createRecords(): () => Buffer {
  const prng = createPrng(1);
  const labels = (i: number): Record<string, string> => ({ instance: `host-${i % 100}`, route: `/api/items/${i}` });
  const key = { name: 'http.server.request.count', kind: 'cumulative', unit: '{request}', service: 'shop' } as const;
  const heads = Array.from({ length: SERIES }, (_, i) => {
    const series: SeriesKey = { ...key, environment: 'prod', namespace: '', labels: labels(i) };
    return JSON.stringify(series).slice(0, -1);
  });
  const totals = new Float64Array(SERIES);
  let record = 0;
  return () => {
    const atMs = START_MS + record++ * 1000;
    const lines = heads.map((head, i) => {
      totals[i] = (totals[i] as number) + prng.below(50);
      return `${head}${POINTS_KEY}[[${atMs + (i % 900)},${totals[i]},${START_MS}]]}\n`;
    });
    return Buffer.from(lines.join(''));
  };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function main(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'helios-bench-metrics-'));
  const common = { dir, clock: systemClock, logger: silentLogger, metrics: silentMetrics };
  try {
    await using writer = await openMetricWriter({ ...common, config: { max_series: 2 * SERIES } });
    const scanner = createMetricScanner();
    const nextRecord = createRecords();
    const seconds = { scan: 0, observe: 0, commit: 0 };
    let longestCommitMs = 0;
    for (let offset = 0, waiting = 0; offset < RECORDS; offset++) {
      const bytes = nextRecord();
      const times = [cpuSeconds()];
      const { batch } = scanner.scan(bytes);
      times.push(cpuSeconds());
      writer.observe(batch, offset);
      times.push(cpuSeconds());
      waiting += SERIES;
      if (waiting >= POINTS_PER_COMMIT || offset === RECORDS - 1) {
        const startMs = systemClock.monotonicMs();
        await writer.commit(offset + 1);
        longestCommitMs = Math.max(longestCommitMs, systemClock.monotonicMs() - startMs);
        waiting = 0;
      }
      times.push(cpuSeconds());
      const [start, scanned, observed, committed] = times as [number, number, number, number];
      seconds.scan += scanned - start;
      seconds.observe += observed - scanned;
      seconds.commit += committed - observed;
    }
    await writer.retain(0);
    const points = SERIES * RECORDS;
    await using store = await openEmbeddedMetricStore(common);
    const range = { fromMs: START_MS, toMs: START_MS + RECORDS * 1000 };
    const timeQuery = async (labels: Record<string, string>): Promise<number> => {
      const startMs = systemClock.monotonicMs();
      await store.points({ ...range, step: 10_000, labels });
      return Math.round((systemClock.monotonicMs() - startMs) * 10) / 10;
    };
    const result = {
      points,
      pointsPerCpuSecond: Math.round(points / (seconds.scan + seconds.observe + seconds.commit)),
      cpuSeconds: seconds,
      longestCommitMs,
      bytesPerPoint: statSync(join(dir, 'metrics.db')).size / points,
      firstQueryMs: await timeQuery({ route: '/api/items/7' }),
      oneSeriesMs: await timeQuery({ route: '/api/items/8' }),
      hundredSeriesMs: await timeQuery({ instance: 'host-3' }),
      allSeriesMs: await timeQuery({}),
    };
    process.stdout.write(`${JSON.stringify(result, null, 1)}\n`);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

await main();
