import type { Signal } from '../model/anomaly.ts';
import type { CauseEvidence, Member } from './cause-ranking.ts';
import { isOpen, refreshIncident, type IncidentGroup, type RankingContext } from './incident-grouping.ts';
import type { MetricCause } from './ranking/metric-causes.ts';
import type { TraceCause } from './ranking/trace-causes.ts';

/** The likeliest cause gets as much as a strong anomaly that came first, when what speaks against it is clear. */
const TRACE_POINTS = 1.5;
/** Octaves that are half as clear as endlessly many. */
const HALF_CLEAR = 1;
/** What has a smaller part of what speaks against the likeliest one is not named. */
const NAMED_SHARE = 0.25;
const MAX_NAMED = 8;
/** Octaves below which even the likeliest is noise. */
const MIN_OCTAVES = 0.1;
/** By then the first minute of the trouble is in, which detection itself did not wait for. */
const LATER_MS = 60_000;

const SHOWS_AS: Record<TraceCause['signal'], Signal> = {
  behaviour: 'error_rate',
  self_time: 'latency',
  network: 'latency',
};

/** A metric that moved says which of several to look at first, but seldom alone whose fault it is. */
const METRIC_POINTS = 0.6;
/** Changes below are usual: half of what can be, which is three times the usual largest deviation. */
const MIN_METRIC_SCORE = 0.5;

/** What received metrics say, as evidence. */
export function metricEvidence(causes: readonly MetricCause[]): CauseEvidence[] {
  const named = causes.filter(({ score }) => score > MIN_METRIC_SCORE).slice(0, MAX_NAMED);
  return named.map(({ entity, score, reason }) => ({
    service: entity,
    points: (METRIC_POINTS * (score - MIN_METRIC_SCORE)) / (1 - MIN_METRIC_SCORE),
    reason: reason.replace(/\.$/, ''),
    showsAs: 'metric',
  }));
}

/**
 * What traces say, as evidence. Of a service that fell silent they cannot tell whether it is not called or does not tell; its
 * own silence can.
 */
export function traceEvidence(all: readonly TraceCause[], members: readonly Member[]): CauseEvidence[] {
  const quiet = new Set(
    members.filter(({ signal }) => signal === 'silence' || signal === 'traffic').map(({ service }) => service),
  );
  const causes = all.filter(({ callsLess }) => callsLess === undefined || !quiet.has(callsLess));
  const most = causes[0]?.score ?? 0;
  const named = causes.filter(({ score }) => score >= Math.max(MIN_OCTAVES, NAMED_SHARE * most)).slice(0, MAX_NAMED);
  return named.map(({ service, score, signal, reason }) => ({
    service,
    points: (TRACE_POINTS * score) / (most + HALF_CLEAR),
    reason: reason.replace(/\.$/, ''),
    showsAs: SHOWS_AS[signal],
    isExplicable: signal === 'behaviour',
  }));
}

/** Whether there may be news: at the opening, when anomalies join, a minute later, and at the end. */
function isDue(group: IncidentGroup, nowMs: number): boolean {
  const { found, members } = group;
  if (!found) return true;
  if (found.isFinal && !isOpen(group)) return false;
  return members.length !== found.members || !isOpen(group) || (!found.isLater && nowMs - found.firstMs >= LATER_MS);
}

export type FindCauses = (group: IncidentGroup, untilMs: number) => CauseEvidence[] | undefined;

/** Asks other methods about incidents of which they may know more by now; returns those whose causes changed. */
export function findCauses(
  groups: readonly IncidentGroup[],
  find: FindCauses,
  context: RankingContext,
  nowMs: number,
): IncidentGroup[] {
  const changed: IncidentGroup[] = [];
  for (const group of groups) {
    if (group.incident.mergedInto !== null || !isDue(group, nowMs)) continue;
    const before = group.found;
    const rows = find(group, group.endedMs >= 0 ? Math.min(nowMs, group.endedMs) : nowMs) ?? before?.rows ?? [];
    const firstMs = before?.firstMs ?? nowMs;
    const members = group.members.length;
    group.found = { rows, firstMs, members, isLater: nowMs - firstMs >= LATER_MS, isFinal: !isOpen(group) };
    if (JSON.stringify(rows) === JSON.stringify(before?.rows ?? [])) continue;
    const { status, endedMs } = { status: group.incident.status, endedMs: group.endedMs };
    refreshIncident(group, context, Math.max(nowMs, Date.parse(group.incident.updatedAt)));
    if (status === 'resolved') group.endedMs = endedMs;
    changed.push(group);
  }
  return changed;
}
