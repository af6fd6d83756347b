import type { SeriesKey } from './metric.ts';
import { POINTS_KEY } from './metric.ts';

export const SAMPLE_SERIES: SeriesKey = {
  name: 'queue.depth',
  kind: 'gauge',
  unit: '1',
  service: 'shop',
  environment: 'prod',
  namespace: '',
  labels: { instance: 'a' },
};

/** One line of the metrics log, newline included. */
export function metricLine(series: Partial<SeriesKey>, points: [timestamp: number, value: number, start?: number][]): string {
  const head = JSON.stringify({ ...SAMPLE_SERIES, ...series }).slice(0, -1);
  const written = points.map((point) => point.map((number) => (Number.isFinite(number) ? number : String(number))));
  return `${head}${POINTS_KEY}${JSON.stringify(written)}}\n`;
}
