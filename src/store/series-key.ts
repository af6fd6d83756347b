import { isoTime } from '../lib/clock.ts';
import { entityId } from '../model/entity.ts';
import type { SeriesKey } from '../model/metric.ts';
import type { SeriesFilter } from './metric-store.ts';

/** ECMA-262, section 21.4.1.1. */
const MAX_TIME_MS = 8.64e15;

/** One text a series, whatever the order of its labels. */
export function identityOf({ name, kind, unit, service, environment, namespace, labels }: SeriesKey): string {
  return JSON.stringify([name, kind, unit, service, environment, namespace, canonicalLabels(labels)]);
}

/** Labels as JSON, in ascending order of their names. */
export function canonicalLabels(labels: Record<string, string>): string {
  const names = Object.keys(labels);
  const isOrdered = names.every((name, i) => i === 0 || (names[i - 1] as string) < name);
  return JSON.stringify(isOrdered ? labels : Object.fromEntries(names.sort().map((name) => [name, labels[name]])));
}

/** Whether the filter's service and labels mean this series; names are not looked at. */
export function matchesSeries({ service, labels = {} }: SeriesFilter, key: SeriesKey): boolean {
  if (service !== undefined && service !== key.service && service !== entityId(key)) return false;
  const { service: own, environment, namespace } = key;
  const known: Record<string, string> = { ...key.labels, service: own, environment, namespace };
  return Object.entries(labels).every(([name, value]) => (Object.hasOwn(known, name) ? known[name] : '') === value);
}

/** Points may carry any time when the clock follows the data: past what a date can say, its limit. */
export function seenTime(ms: number): string {
  return isoTime(Math.min(MAX_TIME_MS, Math.max(-MAX_TIME_MS, ms)));
}
