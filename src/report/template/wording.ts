import type { Signal } from '../../model/anomaly.ts';
import { isFeature, type Feature } from '../../model/rollup.ts';

/** Features in words that need no explanation at night. */
const FEATURE_WORDS: Record<Feature, string> = {
  event_count: 'events',
  error_rate: 'error rate',
  avg_latency: 'mean latency',
  p95_latency: 'p95 latency',
  p99_latency: 'p99 latency',
  latency_stddev: 'spread of latency',
  unique_endpoints: 'endpoints in use',
  event_velocity: 'change in traffic',
};

/** Also of received metric series, whose own name is all that is known. */
export function featureWords(feature: string): string {
  return isFeature(feature) ? FEATURE_WORDS[feature] : feature;
}

export const SIGNAL_WORDS: Record<Signal, string> = {
  error_rate: 'failing more than usual',
  latency: 'slower than usual',
  traffic: 'seeing unusual traffic',
  silence: 'silent',
  multivariate: 'behaving unusually',
  metric: 'showing unusual metrics',
};

/** How a deviation begins, for the timeline. */
export const START_WORDS: Partial<Record<Signal, string>> = { silence: 'goes silent', latency: 'becomes slower than usual' };

/** Three significant digits, with thousands separated: 12345.6 becomes "12,300". Integers below 100,000 are exact. */
export function number(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 100_000) return value.toLocaleString('en-US');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** A share in 0..1 as "12.3 %"; two decimals below one per cent. */
export function percent(share: number): string {
  const value = share * 100;
  const digits = value !== 0 && Math.abs(value) < 1 ? 2 : 1;
  return `${value.toLocaleString('en-US', { maximumFractionDigits: digits })} %`;
}

/** A feature's value in prose: rounded, with its unit. */
export function featureValue(feature: string, value: number): string {
  switch (feature) {
    case 'error_rate':
      return percent(value);
    case 'avg_latency':
    case 'p95_latency':
    case 'p99_latency':
    case 'latency_stddev':
      return milliseconds(value);
    case 'event_velocity':
      return `${number(value)} events/s`;
    case 'event_count':
      return `${number(value)} ${Math.abs(value) === 1 ? 'event' : 'events'}`;
    default:
      return number(value);
  }
}

/** "5 to 34 events": the unit is said once where both ends have the same. */
export function featureRange(feature: string, low: number, high: number): string {
  const [from, to] = [featureValue(feature, low), featureValue(feature, high)];
  const unit = /^[\d.,-]+( .+)$/.exec(to)?.[1];
  return `${unit !== undefined && from.endsWith(unit) ? from.slice(0, -unit.length) : from} to ${to}`;
}

/** A measured latency: "183 ms", "5.02 s". */
export function milliseconds(ms: number): string {
  return ms >= 1000 ? `${number(ms / 1000)} s` : `${number(ms)} ms`;
}

/** A length of time in its two largest units: "40 s", "6 min 30 s", "24 h", "3 d 4 h"; days from two on. */
export function duration(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size, unit]) => seconds >= (unit === 'd' ? 2 * size : size));
  if (first < 0) return '0 s';
  const [size, unit] = units[first] as [number, string];
  const next = units[first + 1];
  const rest = next ? Math.floor((seconds % size) / next[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${next && rest > 0 ? ` ${rest} ${next[1]}` : ''}`;
}

/** "2.4 times", "12 times". */
export function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : number(Math.round(ratio))} times`;
}

/** "2025-10-08" in UTC. */
export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** "10:30:40", with the date in front when it is not `onDay`. UTC. */
export function clockTime(ms: number, onDay: string): string {
  const iso = new Date(ms).toISOString();
  const date = iso.slice(0, 10);
  return date === onDay ? iso.slice(11, 19) : `${date} ${iso.slice(11, 19)}`;
}
