import { createPrng } from '../lib/prng.ts';
import type { MetricBatch, SeriesKey } from '../model/metric.ts';

export const T0 = Date.parse('2026-03-02T00:00:00Z');
export const STEP_MS = 15_000;
const NAMES = ['cpu', 'memory', 'requests'];
export const heads: SeriesKey[] = NAMES.map((name) => ({
  name,
  kind: name === 'requests' ? 'cumulative' : 'gauge',
  unit: '1',
  service: 'shop',
  environment: '',
  namespace: '',
  labels: {},
}));

/** Exports of one service: noise, and cpu three times as high from tick 300 to 340. */
export function exportsOf(ticks: number): MetricBatch[] {
  const prng = createPrng(3);
  let total = 0;
  return Array.from({ length: ticks }, (_, tick) => {
    const timeMs = T0 + tick * STEP_MS;
    total += 1500 + 50 * prng.normal();
    const cpu = (tick >= 300 && tick < 340 ? 3 : 1) * (0.4 + 0.02 * prng.normal());
    return {
      count: 3,
      heads,
      series: Uint32Array.of(0, 1, 2),
      timestamp: new Float64Array(3).fill(timeMs),
      value: Float64Array.of(cpu, 512 + 4 * prng.normal(), total),
      start: new Float64Array(3).fill(T0),
    };
  });
}
