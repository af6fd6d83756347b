import assert from 'node:assert/strict';
import { createPrng } from '../../lib/prng.ts';
import { KIND_INNER_SPAN, KIND_LOG, LEVEL_ERROR } from '../../model/event.ts';
import { bucketOf, bucketValue, HISTOGRAM_BUCKETS } from '../../model/histogram.ts';
import { insertEvents, refreshAggregates, sampleEvents } from './aggregates.fixture.ts';
import type { SampleEvent } from './aggregates.fixture.ts';
import type { Database } from './database.ts';
import { withDatabase } from './test-database.fixture.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = Date.parse('2025-10-08T10:00:00Z');
const WIDTHS = { '1m': MINUTE_MS, '5m': 5 * MINUTE_MS, '1h': HOUR_MS };

withDatabase('buckets of latencies and their values are those of the histogram', async ({ database }) => {
  const prng = createPrng(7);
  const values = [0, 1e-300, 1e-40, 2 ** -10, 2 ** -10 - 1e-12, 0.5, 1, 4, 3.999_999_99, 1e9, 2 ** 30 - 1e-5, 2 ** 30, 1e300];
  for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) values.push(bucketValue(bucket));
  for (let i = 0; i < 3000; i++) values.push(Math.exp(prng.next() * 40 - 12));
  const { rows } = await database.query(
    'SELECT helios_latency_bucket(v) AS bucket FROM unnest($1::double precision[]) WITH ORDINALITY AS u (v, i) ORDER BY i',
    [values],
  );
  assert.deepEqual(
    rows.map(({ bucket }) => bucket),
    values.map(bucketOf),
  );
  const middles = await database.query(
    'SELECT helios_bucket_value(b) AS value FROM generate_series(0, $1::integer - 1) AS s (b)',
    [HISTOGRAM_BUCKETS],
  );
  assert.deepEqual(
    middles.rows.map(({ value }) => value),
    Array.from({ length: HISTOGRAM_BUCKETS }, (_, bucket) => bucketValue(bucket)),
  );
});

interface Cell {
  count: number;
  errors: number;
  latencies: number;
  sum: number;
  squares: number;
  min: number;
  max: number;
}

/** What the aggregates hold, added up in JavaScript. */
function expectedCells(events: readonly SampleEvent[], widthMs: number): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  for (const { timeMs, service, kind, level, weight, latencyMs } of events) {
    if (kind === KIND_INNER_SPAN) continue;
    const key = `${timeMs - (timeMs % widthMs)} ${service} ${kind === KIND_LOG}`;
    const cell = cells.get(key) ?? { count: 0, errors: 0, latencies: 0, sum: 0, squares: 0, min: Infinity, max: -Infinity };
    cell.count += weight;
    if (level >= LEVEL_ERROR) cell.errors += weight;
    if (latencyMs !== null) {
      cell.latencies += weight;
      cell.sum += weight * latencyMs;
      cell.squares += weight * latencyMs ** 2;
      cell.min = Math.min(cell.min, latencyMs);
      cell.max = Math.max(cell.max, latencyMs);
    }
    cells.set(key, cell);
  }
  return cells;
}

async function compareCells(database: Database, suffix: string, expected: Map<string, Cell>): Promise<void> {
  const { rows } = await database.query(`SELECT extract(epoch FROM bucket) * 1000 AS at, * FROM event_metrics_${suffix}`);
  assert.equal(rows.length, expected.size);
  for (const row of rows) {
    const cell = expected.get(`${Number(row['at'])} ${String(row['service'])} ${String(row['is_log'])}`);
    assert.ok(cell);
    const { event_count, error_count, latency_count, latency_min, latency_max } = row;
    const { count, errors, latencies, min, max } = cell;
    assert.deepEqual([event_count, error_count, latency_count], [count, errors, latencies]);
    if (latencies > 0) assert.deepEqual([latency_min, latency_max], [min, max]);
    for (const [actual, sum] of [
      [Number(row['latency_sum']), cell.sum],
      [Number(row['latency_square_sum']), cell.squares],
    ] as const) {
      assert.ok(Math.abs(actual - sum) <= 1e-9 * Math.max(1, sum));
    }
  }
}

withDatabase(
  'aggregates of one minute, five and an hour count what there is, before and after they are materialised',
  async ({ database }) => {
    const prng = createPrng(11);
    const events = sampleEvents(prng, 4000, START_MS, 3 * HOUR_MS);
    await insertEvents(database, events);
    for (const [suffix, widthMs] of Object.entries(WIDTHS)) await compareCells(database, suffix, expectedCells(events, widthMs));
    await refreshAggregates(database);
    const late = sampleEvents(prng, 1000, START_MS + 3 * HOUR_MS, HOUR_MS);
    await insertEvents(database, late);
    for (const [suffix, widthMs] of Object.entries(WIDTHS)) {
      await compareCells(database, suffix, expectedCells([...events, ...late], widthMs));
    }
  },
);

/** Nearest rank over values that stand for several each. */
function exactPercentile(events: readonly SampleEvent[], p: number): number {
  const values = events.flatMap(({ latencyMs, weight }) =>
    latencyMs === null ? [] : Array.from({ length: weight }, () => latencyMs),
  );
  values.sort((a, b) => a - b);
  return values[Math.max(1, Math.ceil(p * values.length)) - 1] as number;
}

withDatabase('percentiles of merged histograms are within 1.6 % of the exact ones, at every width', async ({ database }) => {
  const events = sampleEvents(createPrng(13), 6000, START_MS, 4 * HOUR_MS);
  const requests = events.filter(({ kind }) => kind !== KIND_LOG && kind !== KIND_INNER_SPAN);
  await insertEvents(database, events);
  await refreshAggregates(database);
  const isClose = (actual: unknown, exact: number): void =>
    assert.ok(Math.abs(Number(actual) - exact) <= 0.016 * exact, `${String(actual)} for ${exact}`);
  for (const p of [0, 0.5, 0.9, 0.95, 0.99, 1]) {
    for (const hours of [4, 24, 24 * 30]) {
      const whole = await database.query(
        'SELECT event_percentile($1, to_timestamp($2::double precision), to_timestamp($3::double precision)) AS value',
        [p, START_MS / 1000, START_MS / 1000 + 3600 * hours],
      );
      isClose(whole.rows[0]?.['value'], exactPercentile(requests, p));
    }
    for (const minutes of [60, 15, 7]) {
      const stepMs = minutes * MINUTE_MS;
      const { rows } = await database.query(
        `SELECT extract(epoch FROM bucket) * 1000 AS at, service, latency_count, latency_ms FROM event_percentiles($1,
          make_interval(mins => $2), to_timestamp($3::double precision), to_timestamp($4::double precision), 'pay', 'prod')`,
        [p, minutes, START_MS / 1000, START_MS / 1000 + 14_400],
      );
      assert.ok(rows.length >= 4 * (60 / minutes));
      for (const { at, service, latency_count, latency_ms } of rows) {
        const within = requests.filter((event) => event.service === service && event.timeMs - (event.timeMs % stepMs) === at);
        isClose(latency_ms, exactPercentile(within, p));
        assert.equal(
          latency_count,
          within.reduce((sum, { latencyMs, weight }) => sum + (latencyMs === null ? 0 : weight), 0),
        );
      }
    }
  }
});
