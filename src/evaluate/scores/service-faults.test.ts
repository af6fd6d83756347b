import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { rankByRobustScore } from '../cause-ranking.ts';
import type { Figure } from '../figure.ts';
import type { EntityTable, EntityVerdicts } from '../telemetry.ts';
import { scoreServiceFaults } from './service-faults.ts';

const MINUTE_MS = 60_000;
const ROWS = 300;
const timeMs = Float64Array.from({ length: ROWS }, (_, row) => row * MINUTE_MS);
const fault = (service: string, minute: number) => ({
  startMs: minute * MINUTE_MS,
  endMs: (minute + 3) * MINUTE_MS,
  service,
  type: 'cpu',
});

function table(entity: string, high: readonly number[]): EntityTable {
  const values = Float64Array.from({ length: ROWS }, (_, row) => (row % 3) + (high.includes(row) ? 50 : 0));
  return { entity, series: ['cpu'], timeMs, values };
}

function verdicts(entity: string, firing: readonly number[]): EntityVerdicts {
  const fires = Uint8Array.from({ length: ROWS }, (_, row) => Number(firing.includes(row)));
  return {
    entity,
    series: ['cpu'],
    timeMs,
    endMs: timeMs.map((time) => time + MINUTE_MS),
    score: Float64Array.from(fires, (value) => 3 * value),
    firing: fires,
    residuals: new Float32Array(ROWS),
  };
}

const valueOf = (figures: readonly Figure[], measure: string): number =>
  figures.find((own) => own.measure === measure)?.value ?? assert.fail(measure);

test('services with metrics by hand: the protocol after 20 rows, and the measure of the anchors', () => {
  // A fault of till, one of a service without metrics, a false alarm at 250, and one in the first 20 rows.
  const system = {
    name: 'town',
    telemetry: { tables: [table('till', [100, 101]), table('stock', [])], eventsPath: null, calls: [] },
    truth: { faults: [fault('till', 100), fault('ghost', 150)] },
    detection: { verdicts: [verdicts('till', [5, 100, 101]), verdicts('stock', [151, 250])], incidents: null, seconds: 1 },
  };
  const figures = scoreServiceFaults([system], rankByRobustScore, createPrng(1));
  assert.equal(valueOf(figures, 'metrics, after 20 rows: incident precision'), 1 / 2);
  assert.equal(valueOf(figures, 'metrics, after 20 rows: incident recall'), 1);
  // 280 minutes, less 19 around each fault, also around that of which nothing can be seen.
  assert.equal(valueOf(figures, 'metrics, after 20 rows: incident false per system-day'), 1 / (242 / 1440));
  assert.equal(valueOf(figures, 'metrics, after 20 rows: incident delay median, s'), 60);
  assert.equal(valueOf(figures, 'metrics, anchor measure: precision'), 2 / 4);
  assert.equal(valueOf(figures, 'metrics, anchor measure: recall'), 1);
  assert.equal(valueOf(figures, 'metrics, anchor measure: false episodes per day'), 2 / (300 / 1440));
  assert.equal(valueOf(figures, 'metrics, anchor measure: service by score: AC@1'), 1 / 2);
  assert.equal(valueOf(figures, 'metrics, service at t0: AC@1'), 1);
});
