import { FEATURE_UNITS, SUB_WINDOW_MS } from '../model/rollup.ts';
import type { Feature } from '../model/rollup.ts';
import type { MetricSeries } from '../store/store.ts';
import { citeNumber } from './evidence.ts';
import type { NumberFact } from './evidence.ts';
import { pointerTo } from './json-pointer.ts';
import { floorTo, MINUTE_MS } from './period.ts';
import type { Period } from './period.ts';
import { metricsAnswer } from './query.ts';
import type { Answer, EvidenceStore, MetricsBody } from './query.ts';

interface FeatureQuery {
  service: string;
  feature: Feature;
  fromMs: number;
  toMs: number;
  stepMs: number;
}

/** Features whose size does not depend on the width of the bucket, so that buckets of any width compare. */
const COMPARABLE: readonly Feature[] = ['error_rate', 'avg_latency', 'p95_latency', 'p99_latency'];
const MAX_POINTS = 360;

export function isComparable(feature: Feature): boolean {
  return COMPARABLE.includes(feature);
}

/** Bucket width for a stretch: fine for a short one, and never more than `MAX_POINTS` buckets. Milliseconds. */
export function stepFor(durationMs: number): number {
  if (durationMs < 5 * MINUTE_MS) return SUB_WINDOW_MS;
  const steps = [MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS];
  return steps.find((step) => durationMs / step <= MAX_POINTS) ?? 24 * 60 * MINUTE_MS;
}

async function ask(store: EvidenceStore, query: FeatureQuery): Promise<{ answer: Answer<MetricsBody>; index: number }> {
  const { service, feature, fromMs, toMs, stepMs } = query;
  const answer = await metricsAnswer(store, { service, names: [feature], fromMs, toMs, stepMs });
  // A bare service name also matches its namesakes in other environments.
  const index = answer.body.series.findIndex((series) => series.name === feature && series.labels.service === service);
  return { answer, index };
}

function citePoint(answer: Answer<MetricsBody>, series: number, point: number, query: FeatureQuery): NumberFact | undefined {
  const startMs = answer.body.series[series]?.points[point]?.[0] ?? query.fromMs;
  return citeNumber(answer, pointerTo('series', series, 'points', point, 1), {
    type: 'metric',
    service: query.service,
    feature: query.feature,
    unit: FEATURE_UNITS[query.feature],
    fromMs: startMs,
    toMs: startMs + query.stepMs,
  });
}

/** The feature over `[fromMs, toMs)` as one bucket; undefined when there is no data or the store's buckets do not fall so. */
export async function windowValue(
  store: EvidenceStore,
  range: { service: string; feature: Feature; fromMs: number; toMs: number },
): Promise<NumberFact | undefined> {
  const query = { ...range, stepMs: range.toMs - range.fromMs };
  if (query.stepMs <= 0 || query.stepMs % SUB_WINDOW_MS !== 0) return undefined;
  const { answer, index } = await ask(store, query);
  const points = answer.body.series[index]?.points ?? [];
  return points.length === 1 && points[0]?.[0] === range.fromMs ? citePoint(answer, index, 0, query) : undefined;
}

function extreme(points: MetricSeries['points'], direction: 'up' | 'down'): number {
  let best = -1;
  let bestValue = direction === 'up' ? -Infinity : Infinity;
  for (const [i, [, value]] of points.entries()) {
    if (value !== null && (direction === 'up' ? value > bestValue : value < bestValue)) {
      best = i;
      bestValue = value;
    }
  }
  return best;
}

/** The worst bucket of the incident. */
export async function worstValue(
  store: EvidenceStore,
  { service, feature, direction, period }: { service: string; feature: Feature; direction: 'up' | 'down'; period: Period },
): Promise<NumberFact | undefined> {
  const stepMs = stepFor(period.endMs - period.onsetMs);
  const query = { service, feature, fromMs: floorTo(period.onsetMs, stepMs), toMs: floorTo(period.endMs, stepMs), stepMs };
  if (query.toMs <= query.fromMs) return undefined;
  const { answer, index } = await ask(store, query);
  const point = extreme(answer.body.series[index]?.points ?? [], direction);
  return point < 0 ? undefined : citePoint(answer, index, point, query);
}

/** The feature in the stretch before the incident. */
export function beforeValue(
  store: EvidenceStore,
  service: string,
  feature: Feature,
  period: Period,
): Promise<NumberFact | undefined> {
  return windowValue(store, { service, feature, fromMs: period.before.fromMs, toMs: period.before.toMs });
}
