import type { Anomaly, Attribution } from '../model/anomaly.ts';
import { isFeature, type Feature } from '../model/rollup.ts';

const LABELS: Record<Feature, string> = {
  event_count: 'events',
  error_rate: 'error rate',
  avg_latency: 'mean latency',
  p95_latency: 'p95 latency',
  p99_latency: 'p99 latency',
  latency_stddev: 'latency deviation',
  unique_endpoints: 'endpoints',
  event_velocity: 'change of traffic',
};
const OWN: Record<Anomaly['signal'], readonly string[]> = {
  error_rate: ['error_rate'],
  latency: ['p95_latency', 'p99_latency', 'avg_latency'],
  traffic: ['event_count'],
  silence: ['event_count'],
  multivariate: [],
  metric: [],
};

/** At most three significant digits. */
function short(value: number): string {
  const digits = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(2));
  return String(digits);
}

function quantity(feature: string, value: number): string {
  if (feature === 'error_rate') return `${short(value * 100)} %`;
  if (isFeature(feature) && feature.includes('latency')) return `${short(value)} ms`;
  return feature === 'event_velocity' ? `${short(value)} events/s` : short(value);
}

/** The attribution that names the anomaly: that of its own signal when it moved, else the largest. */
export function leadOf(anomaly: Anomaly): Attribution | undefined {
  const own = anomaly.attribution.filter((entry) => OWN[anomaly.signal].includes(entry.feature));
  return own[0] ?? anomaly.attribution[0];
}

/** "error rate 12 % (expected 0.8 %)". */
export function summarise(anomaly: Anomaly): string {
  const seconds = (Date.parse(anomaly.window.to) - Date.parse(anomaly.window.from)) / 1000;
  const lead = leadOf(anomaly);
  if (anomaly.signal === 'silence') {
    return lead ? `no events in ${seconds} s (expected ${short(lead.expected)})` : `no events in ${seconds} s`;
  }
  if (!lead) return 'unusual combination of features';
  const { feature, observed, expected } = lead;
  const over = feature === 'event_count' ? ` in ${seconds} s` : '';
  return `${isFeature(feature) ? LABELS[feature] : feature} ${quantity(feature, observed)}${over} (expected ${quantity(feature, expected)})`;
}

/** How many times expected the lead is, or the inverse when it fell; at least 1, at most 1000. */
export function effectRatio(anomaly: Anomaly): number {
  const lead = leadOf(anomaly);
  if (!lead) return 1;
  const ratio = (Math.abs(lead.observed) + 1e-6) / (Math.abs(lead.expected) + 1e-6);
  return Math.min(1000, ratio >= 1 ? ratio : 1 / ratio);
}
