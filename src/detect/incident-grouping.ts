import { isoTime } from '../lib/clock.ts';
import type { Anomaly, NewNormal } from '../model/anomaly.ts';
import type { Cause, Change, Incident } from '../model/incident.ts';
import { effectRatio, summarise } from './anomaly-summary.ts';
import { rankCauses, type CauseEvidence, type Member } from './cause-ranking.ts';
import { hashId } from './identifier.ts';
import { withEvent } from './incident-history.ts';
import { withNamedCause } from './incident-label.ts';
import { linkBetween, linkDistanceMs } from './incident-links.ts';
import type { Kinship } from './kinship.ts';
import { incidentSeverity } from './severity.ts';

/** What other methods said of an incident's causes, and when. Plain data. */
export interface FoundCauses {
  rows: CauseEvidence[];
  firstMs: number;
  /** Anomalies that the incident had. */
  members: number;
  isLater: boolean;
  isFinal: boolean;
}

/** An incident with what its grouping needs. Plain data. */
export interface IncidentGroup {
  incident: Incident;
  members: Member[];
  firstStartMs: number;
  lastStartMs: number;
  /** Event time of the automatic end; -1 while open, when a person resolved it, and when it was merged. */
  endedMs: number;
  /** What other methods than its anomalies last said of its causes. */
  found?: FoundCauses;
}

/** What ranking the causes draws on beside the anomalies. */
export interface RankingContext {
  changes: readonly Change[];
  graph: Kinship;
  found?: readonly CauseEvidence[];
}

/** Chains end here: anomalies that start later than this many gaps after the first are another incident. */
const MAX_CHAIN_GAPS = 3;
const MAX_GROUPS = 200;
/** A storm of more members is not searched for a link: what starts within the gap joins it. */
export const MAX_LINKED = 64;

export function isOpen(group: IncidentGroup): boolean {
  return group.incident.status !== 'resolved';
}

export function memberOf(anomaly: Anomaly): Member {
  return {
    id: anomaly.id,
    service: anomaly.service,
    signal: anomaly.signal,
    startedMs: Date.parse(anomaly.startedAt),
    firing: anomaly.state === 'firing',
    endedMs: anomaly.resolvedAt === null ? -1 : Date.parse(anomaly.resolvedAt),
    severity: anomaly.severity,
    score: anomaly.score,
    ratio: effectRatio(anomaly),
    summary: summarise(anomaly),
    newNormal: anomaly.newNormal ?? null,
  };
}

/** How far an open group is from an anomaly, milliseconds; Infinity when it does not take it. */
function distanceMs(group: IncidentGroup, anomaly: Member, kinship: Kinship, gapMs: number): number {
  const own = group.members.filter((member) => member.service === anomaly.service && member.firing);
  let nearest = Infinity;
  for (const member of own) nearest = linkDistanceMs('service', Math.abs(anomaly.startedMs - member.startedMs), gapMs);
  if (Math.abs(anomaly.startedMs - group.firstStartMs) > MAX_CHAIN_GAPS * gapMs) return nearest;
  if (group.members.length > MAX_LINKED) {
    const near = anomaly.startedMs - group.lastStartMs <= gapMs && group.firstStartMs - anomaly.startedMs <= gapMs;
    return near ? Math.min(nearest, gapMs) : nearest;
  }
  for (const member of group.members) {
    const kind = linkBetween(member, anomaly, kinship, gapMs);
    const lagMs = Math.abs(anomaly.startedMs - member.startedMs);
    if (kind !== undefined) nearest = Math.min(nearest, linkDistanceMs(kind, lagMs, gapMs));
  }
  return nearest;
}

/** Whether a group that is over opens again: the fault of its service came back within the gap. */
function comesBack(group: IncidentGroup, anomaly: Anomaly, gapMs: number): boolean {
  const knows = group.members.some((member) => member.service === anomaly.service);
  return knows && group.endedMs >= 0 && Date.parse(anomaly.detectedAt) - group.endedMs <= gapMs;
}

function emptyIncident(anomaly: Anomaly, nowMs: number): Incident {
  const detectedAt = isoTime(Math.max(nowMs, Date.parse(anomaly.detectedAt)));
  return {
    id: hashId('in', anomaly.id),
    status: 'open',
    severity: anomaly.severity,
    title: '',
    startedAt: anomaly.startedAt,
    detectedAt,
    updatedAt: detectedAt,
    acknowledgedAt: null,
    acknowledgedBy: null,
    resolvedAt: null,
    services: [],
    causes: [],
    anomalyIds: [],
    mergedInto: null,
    splitFrom: null,
    events: [],
    newNormal: null,
  };
}

/** Adds a group, and drops closed ones beyond the cap. */
export function addGroup(groups: IncidentGroup[], group: IncidentGroup): void {
  groups.push(group);
  while (groups.length > MAX_GROUPS) {
    const closed = groups.findIndex((other) => !isOpen(other));
    groups.splice(Math.max(0, closed), 1);
  }
}

/** The group that a new anomaly belongs to: the nearest by its links, else one that it opens again, else a new one. */
export function groupFor(
  groups: IncidentGroup[],
  anomaly: Anomaly,
  kinship: Kinship,
  gapMs: number,
  nowMs: number,
): IncidentGroup {
  const member = memberOf(anomaly);
  const details = { anomalyId: anomaly.id, service: anomaly.service };
  let nearest: IncidentGroup | undefined;
  let leastMs = Infinity;
  for (const group of groups) {
    const apartMs = isOpen(group) ? distanceMs(group, member, kinship, gapMs) : Infinity;
    if (apartMs > leastMs || apartMs === Infinity) continue;
    nearest = group;
    leastMs = apartMs;
  }
  if (nearest) {
    nearest.incident = withEvent(nearest.incident, 'joined', nowMs, details);
    return nearest;
  }
  const back = groups.findLast((group) => !isOpen(group) && comesBack(group, anomaly, gapMs));
  if (back) {
    back.incident = withEvent(back.incident, 'reopened', nowMs, details);
    return back;
  }
  const startMs = member.startedMs;
  const incident = withEvent(emptyIncident(anomaly, nowMs), 'opened', nowMs, details);
  const group = { incident, members: [], firstStartMs: startMs, lastStartMs: startMs, endedMs: -1 };
  addGroup(groups, group);
  return group;
}

/** Puts the newest form of an anomaly into its group and brings the incident up to date. */
export function updateGroup(group: IncidentGroup, anomaly: Anomaly, context: RankingContext, nowMs: number): void {
  const member = memberOf(anomaly);
  const at = group.members.findIndex((other) => other.id === anomaly.id);
  if (at < 0) group.members.push(member);
  else group.members[at] = member;
  measureStarts(group);
  refreshIncident(group, context, nowMs);
}

export function measureStarts(group: IncidentGroup): void {
  const starts = group.members.map((member) => member.startedMs);
  group.firstStartMs = Math.min(...starts);
  group.lastStartMs = Math.max(...starts);
}

/** One incident proposes once: the earliest start, with the change that any of its shifts came after. */
function proposalOf({ incident, members }: IncidentGroup): NewNormal | null {
  const known = incident.newNormal ?? null;
  if (known && known.state !== 'proposed') return known;
  const proposed = members.flatMap(({ newNormal }) => (newNormal ? [newNormal] : []));
  const [first] = proposed.toSorted((a, b) => (a.since < b.since ? -1 : 1));
  return first ? { ...first, deploy: proposed.find(({ deploy }) => deploy !== null)?.deploy ?? null } : known;
}

/** The member that is the likeliest cause; a cause may have no anomaly of its own. */
export function leadOf(members: readonly Member[], causes: readonly Cause[]): Member | undefined {
  for (const { evidence } of causes) {
    const lead = members.find((member) => member.id === evidence[0]);
    if (lead) return lead;
  }
  return undefined;
}

/** Recomputes title, severity, causes and status from the members. */
export function refreshIncident(group: IncidentGroup, context: RankingContext, nowMs: number): void {
  const { incident, members } = group;
  const found = [...(context.found ?? []), ...(group.found?.rows ?? [])];
  const causes = withNamedCause(rankCauses(members, context.changes, context.graph, found), incident.feedback);
  const top = leadOf(members, causes) as Member;
  const affected = new Set(members.map((member) => member.service));
  const services = [...new Set(causes.map((cause) => cause.service))].filter((service) => affected.has(service));
  const others = services.length > 1 ? `, ${services.length} services affected` : '';
  const firing = members.some((member) => member.firing);
  const byPerson = incident.status === 'resolved' && group.endedMs < 0;
  const status = byPerson || !firing ? 'resolved' : incident.acknowledgedAt === null ? 'open' : 'acknowledged';
  const ends = status === 'resolved' && incident.status !== 'resolved';
  const newNormal = proposalOf(group);
  const proposes = newNormal !== null && !incident.newNormal;
  if (!byPerson) group.endedMs = firing ? -1 : nowMs;
  group.incident = {
    ...incident,
    status,
    severity: incidentSeverity(
      members.map((member) => member.severity),
      services.length,
    ),
    title: `${top.service}: ${top.summary}${others}`,
    startedAt: isoTime(group.firstStartMs),
    updatedAt: isoTime(nowMs),
    resolvedAt: byPerson ? incident.resolvedAt : firing ? null : isoTime(Math.max(...members.map((member) => member.endedMs))),
    services,
    causes,
    anomalyIds: members.map((member) => member.id),
    newNormal,
  };
  if (proposes) group.incident = withEvent(group.incident, 'new_normal_proposed', nowMs);
  if (ends) group.incident = withEvent(group.incident, 'resolved', nowMs);
}

export function acknowledgeGroup(group: IncidentGroup, by: string, atMs: number): void {
  if (!isOpen(group)) return;
  const acknowledgedAt = isoTime(atMs);
  const incident = { ...group.incident, status: 'acknowledged' as const, acknowledgedAt, acknowledgedBy: by };
  group.incident = withEvent({ ...incident, updatedAt: acknowledgedAt }, 'acknowledged', atMs, { by });
}

export function resolveGroup(group: IncidentGroup, by: string, atMs: number): void {
  if (!isOpen(group)) return;
  const resolvedAt = isoTime(atMs);
  group.endedMs = -1;
  const incident = { ...group.incident, status: 'resolved' as const, resolvedAt, updatedAt: resolvedAt };
  group.incident = withEvent(incident, 'resolved', atMs, { by });
}
