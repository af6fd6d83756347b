import type { Anomaly, Attribution, Signal } from '../model/anomaly.ts';
import type { Incident } from '../model/incident.ts';
import { isFeature, unitOf } from '../model/rollup.ts';
import type { Feature } from '../model/rollup.ts';
import { beforeValue, isComparable, windowValue, worstValue } from './evidence-metrics.ts';
import { ratioFact } from './evidence-derived.ts';
import { citeKnown, citeNumber } from './evidence.ts';
import type { Fact, FactMeta, NumberFact } from './evidence.ts';
import { pointerTo } from './json-pointer.ts';
import type { Period } from './period.ts';
import { documentAnswer } from './query.ts';
import type { Answer, EvidenceStore } from './query.ts';

const MAX_ANOMALIES = 40;
/** Of one anomaly: all window features, and some of many received metrics. */
const MAX_FEATURES = 12;
const OWN_FEATURES: Record<Signal, readonly string[]> = {
  error_rate: ['error_rate'],
  latency: ['p95_latency', 'p99_latency', 'avg_latency'],
  traffic: ['event_count'],
  silence: ['event_count'],
  multivariate: [],
  metric: [],
};

/** Features that are usually about zero: how many times that they are says nothing. */
const UNSCALED: ReadonlySet<string> = new Set<Feature>(['event_velocity']);

/** One attributed feature: what was expected, what was seen, and how it was before and at its worst. */
export interface FeatureFacts {
  attribution: Attribution;
  expected: NumberFact;
  observed: NumberFact;
  /** How many times the smaller of the two the larger is; undefined where that says nothing. */
  ratio: NumberFact | undefined;
  /** The normal range, as far as it has ends, and the end of it that was passed. */
  low: NumberFact | undefined;
  high: NumberFact | undefined;
  bound: NumberFact | undefined;
  before: NumberFact | undefined;
  worst: NumberFact | undefined;
}

export interface AnomalyFacts {
  anomaly: Anomaly;
  startedAt: Fact;
  detectedAt: Fact;
  resolvedAt: Fact | undefined;
  stage: Fact;
  /** What it was compared with, in words; undefined when nothing is said of it. */
  baseline: Fact | undefined;
  features: FeatureFacts[];
}

/** An affected service with its anomalies, earliest first. */
export interface ServiceFacts {
  service: string;
  onsetMs: number;
  anomalies: AnomalyFacts[];
}

/** Those of the incident's anomalies that the store has, earliest first. */
export async function loadAnomalies(store: EvidenceStore, incident: Incident): Promise<Anomaly[]> {
  const ids = incident.anomalyIds.slice(0, MAX_ANOMALIES);
  const found = await Promise.all(ids.map((id) => store.get('anomaly', id)));
  return found
    .filter((anomaly) => anomaly !== undefined)
    .toSorted((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt) || (a.id < b.id ? -1 : 1));
}

function windowMeta(anomaly: Anomaly, type: FactMeta['type']): FactMeta {
  const { from, to } = anomaly.window;
  return { type, service: anomaly.service, fromMs: Date.parse(from), toMs: Date.parse(to) };
}

/** Undefined when the anomaly does not say what was expected or seen. */
async function featureFacts(
  store: EvidenceStore,
  answer: Answer<Anomaly>,
  index: number,
  period: Period,
): Promise<FeatureFacts | undefined> {
  const anomaly = answer.body;
  const attribution = anomaly.attribution[index] as Attribution;
  const { feature, direction } = attribution;
  const { service } = anomaly;
  const meta = { feature, unit: unitOf(feature) };
  const read = (field: 'expected' | 'observed' | 'low' | 'high', type: FactMeta['type']): NumberFact | undefined =>
    citeNumber(answer, pointerTo('attribution', index, field), { ...windowMeta(anomaly, type), ...meta });
  const fromMs = Date.parse(anomaly.window.from);
  const toMs = Date.parse(anomaly.window.to);
  const known = isFeature(feature) ? feature : undefined;
  const comparable = known && isComparable(known) ? known : undefined;
  const [observed, before, worst] = await Promise.all([
    known && windowValue(store, { service, feature: known, fromMs, toMs }),
    comparable && beforeValue(store, service, comparable, period),
    comparable && worstValue(store, { service, feature: comparable, direction, period }),
  ]);
  const [expected, low, high] = [read('expected', 'expected'), read('low', 'expected'), read('high', 'expected')];
  const seen = observed ?? read('observed', 'anomaly');
  if (!expected || !seen) return undefined;
  const [bound, large, small] = direction === 'up' ? [high, seen, expected] : [low, expected, seen];
  const ratio = UNSCALED.has(feature) ? undefined : ratioFact(large, small);
  return { attribution, expected, observed: seen, ratio, low, high, bound, before, worst };
}

/** Indices of the attributed features to show: those that the signal is named after, then by share. */
function mostTelling({ attribution, signal }: Anomaly): number[] {
  const own = (index: number): number => (OWN_FEATURES[signal].includes((attribution[index] as Attribution).feature) ? 0 : 1);
  return [...attribution.keys()].toSorted((a, b) => own(a) - own(b)).slice(0, MAX_FEATURES);
}

async function anomalyFacts(store: EvidenceStore, anomaly: Anomaly, period: Period): Promise<AnomalyFacts> {
  const answer = documentAnswer('anomaly', anomaly);
  const meta = windowMeta(anomaly, 'anomaly');
  const features = mostTelling(anomaly).map((index) => featureFacts(store, answer, index, period));
  return {
    anomaly,
    startedAt: citeKnown(answer, '/startedAt', meta),
    detectedAt: citeKnown(answer, '/detectedAt', meta),
    stage: citeKnown(answer, '/stage', meta),
    baseline: anomaly.baseline.description === '' ? undefined : citeKnown(answer, '/baseline/description', meta),
    resolvedAt: anomaly.resolvedAt === null ? undefined : citeKnown(answer, '/resolvedAt', meta),
    features: (await Promise.all(features)).filter((feature) => feature !== undefined),
  };
}

/** The affected services in order of their onset. */
export async function serviceFacts(store: EvidenceStore, anomalies: Anomaly[], period: Period): Promise<ServiceFacts[]> {
  const byService = Map.groupBy(
    await Promise.all(anomalies.map((anomaly) => anomalyFacts(store, anomaly, period))),
    (facts) => facts.anomaly.service,
  );
  return [...byService]
    .map(([service, list]) => ({ service, anomalies: list, onsetMs: Date.parse((list[0] as AnomalyFacts).anomaly.startedAt) }))
    .toSorted((a, b) => a.onsetMs - b.onsetMs || (a.service < b.service ? -1 : 1));
}
