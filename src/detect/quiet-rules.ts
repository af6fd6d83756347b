import { isoTime } from '../lib/clock.ts';
import type { Anomaly, Attribution, Quiet, Severity } from '../model/anomaly.ts';
import { entityMatches, parseEntityId } from '../model/entity.ts';
import type { DayHours, QuietFeature, QuietPattern, QuietRule, QuietRules } from '../model/feedback.ts';
import { leadOf } from './anomaly-summary.ts';
import { worstSeverity } from './severity.ts';

/** A firing anomaly that a rule keeps from calling. */
interface Hushed {
  anomaly: Anomaly;
  quiet: Quiet;
  /** Event time from which it calls. */
  untilMs: number;
}

/** The rules in force at a desk, and what they hold back. Plain data. */
export interface QuietDesk extends QuietRules {
  hushed: Map<string, Hushed>;
}

/** A quarter more than the strongest, and twice as long as the longest, at least an hour. */
const STRENGTH_MARGIN = 1.25;
const LENGTH_MARGIN = 2;
const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
/** At the cap the oldest goes: it calls when it changes and no rule holds any more. */
const MAX_HUSHED = 5000;

/** A ratio of events, so that it means the same in windows of any length, else the difference from what is expected. */
function strengthOf({ feature, observed, expected }: Attribution): number {
  if (feature !== 'event_count') return Math.abs(observed - expected);
  const ratio = (observed + 1) / (expected + 1);
  return ratio >= 1 ? ratio : 1 / ratio;
}

function featuresOf(anomalies: readonly Anomaly[]): QuietFeature[] {
  const features = new Map<string, QuietFeature>();
  for (const entry of anomalies.flatMap(({ attribution }) => attribution)) {
    const { feature, direction } = entry;
    const key = `${direction} ${feature}`;
    const limit = Math.max(STRENGTH_MARGIN * strengthOf(entry), features.get(key)?.limit ?? 0);
    features.set(key, { feature, direction, limit });
  }
  return [...features.values()];
}

/** Patterns of anomalies like these: one a service and signal. What still fires has lasted until `nowMs`. */
export function quietPatterns(
  anomalies: readonly Anomaly[],
  scope: { match: QuietPattern['match']; hours: DayHours | null },
  nowMs: number,
): QuietPattern[] {
  const { match, hours } = scope;
  const nameOf = ({ service }: Anomaly): string => (match === 'service' ? parseEntityId(service).service : service);
  const kinds = Map.groupBy(anomalies, (anomaly) => `${anomaly.signal} ${nameOf(anomaly)}`);
  return [...kinds.values()].map((ofKind) => {
    const [first] = ofKind as [Anomaly];
    const lengths = ofKind.map(
      ({ startedAt, resolvedAt }) => (resolvedAt ? Date.parse(resolvedAt) : nowMs) - Date.parse(startedAt),
    );
    return {
      service: nameOf(first),
      match,
      signal: first.signal,
      severity: worstSeverity(ofKind.map(({ severity }) => severity)),
      features: featuresOf(ofKind),
      durationMs: Math.max(HOUR_MS, LENGTH_MARGIN * Math.max(...lengths)),
      hours,
    };
  });
}

/** End of the stretch of hours that a time lies in; -Infinity when it lies in none. */
function endOfHours({ from, to }: DayHours, timeMs: number): number {
  const hour = Math.floor(timeMs / HOUR_MS);
  const length = (to - from + DAY_HOURS) % DAY_HOURS || DAY_HOURS;
  const passed = ((hour % DAY_HOURS) - from + DAY_HOURS) % DAY_HOURS;
  return passed < length ? (hour + length - passed) * HOUR_MS : -Infinity;
}

function isLike(pattern: QuietPattern, anomaly: Anomaly): boolean {
  const { service, match, signal, severity, features } = pattern;
  if (signal !== anomaly.signal) return false;
  if (match === 'entity' ? service !== anomaly.service : !entityMatches(anomaly.service, service)) return false;
  const order: readonly Severity[] = ['low', 'medium', 'high', 'critical'];
  if (order.indexOf(anomaly.severity) > order.indexOf(severity)) return false;
  // Nothing is less than no events.
  if (signal === 'silence') return true;
  const lead = leadOf(anomaly);
  if (!lead) return features.length === 0;
  return features.some(
    ({ feature, direction, limit }) => feature === lead.feature && direction === lead.direction && strengthOf(lead) <= limit,
  );
}

/** The rule that keeps an anomaly from calling longest, and until when. */
function coverOf(rules: readonly QuietRule[], anomaly: Anomaly): { rule: QuietRule; untilMs: number } | undefined {
  const startMs = Date.parse(anomaly.startedAt);
  let cover: { rule: QuietRule; untilMs: number } | undefined;
  for (const rule of rules) {
    for (const pattern of rule.patterns) {
      if (!isLike(pattern, anomaly)) continue;
      const untilMs = Math.min(startMs + pattern.durationMs, pattern.hours ? endOfHours(pattern.hours, startMs) : Infinity);
      if (untilMs > (cover?.untilMs ?? -Infinity)) cover = { rule, untilMs };
    }
  }
  return cover;
}

export function createQuietDesk(): QuietDesk {
  return { rules: [], revision: 0, hushed: new Map() };
}

/** Why a rule keeps an anomaly from calling at `atMs`; null when none does. What was held back to its end stays so. */
export function hush(desk: QuietDesk, anomaly: Anomaly, atMs: number): Quiet | null {
  const { rules, hushed } = desk;
  const known = hushed.get(anomaly.id);
  hushed.delete(anomaly.id);
  if (known && anomaly.state === 'resolved') return known.quiet;
  const cover = coverOf(rules, anomaly);
  if (!cover || atMs >= cover.untilMs) return null;
  const { rule, untilMs } = cover;
  const said = rule.label === 'expected' ? 'expected' : 'a false alarm';
  const quiet =
    known?.quiet.rule === rule.id
      ? known.quiet
      : { since: isoTime(atMs), reason: `${rule.by} said on ${rule.at.slice(0, 10)} that this is ${said}`, rule: rule.id };
  if (anomaly.state === 'firing') hushed.set(anomaly.id, { anomaly, quiet, untilMs });
  const oldest = hushed.keys().next();
  if (hushed.size > MAX_HUSHED && !oldest.done) hushed.delete(oldest.value);
  return quiet;
}

/** What is held back and must call by `nowMs`, with the time at which it must, oldest first. */
export function dueToCall({ hushed }: QuietDesk, nowMs: number): { anomaly: Anomaly; atMs: number }[] {
  const due = [...hushed.values()].filter(({ untilMs }) => untilMs <= nowMs);
  return due.map(({ anomaly, untilMs }) => ({ anomaly, atMs: untilMs })).toSorted((a, b) => a.atMs - b.atMs);
}

/** What no rule holds back any more. */
export function noLongerHushed({ rules, hushed }: QuietDesk): Anomaly[] {
  return [...hushed.values()].flatMap(({ anomaly }) => (coverOf(rules, anomaly) ? [] : [anomaly]));
}
