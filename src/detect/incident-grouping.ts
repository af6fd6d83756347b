import { isoTime } from '../lib/clock.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { Change, Incident } from '../model/incident.ts';
import { effectRatio, summarise } from './anomaly-summary.ts';
import { rankCauses, type Member, type Reachability } from './cause-ranking.ts';
import { hashId } from './identifier.ts';
import { incidentSeverity } from './severity.ts';

/** An incident with what its grouping needs. Plain data. */
export interface IncidentGroup {
  incident: Incident;
  members: Member[];
  firstStartMs: number;
  lastStartMs: number;
  /** Event time of the automatic end; -1 while open or when a person resolved it. */
  endedMs: number;
}

/** What ranking the causes draws on beside the anomalies. */
export interface RankingContext {
  changes: readonly Change[];
  graph: Reachability;
}

/** Chains end here: anomalies that start later than this many gaps after the first are another incident. */
const MAX_CHAIN_GAPS = 3;
const MAX_GROUPS = 200;

export function isOpen(group: IncidentGroup): boolean {
  return group.incident.status !== 'resolved';
}

function memberOf(anomaly: Anomaly): Member {
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
  };
}

function takes(group: IncidentGroup, anomaly: Anomaly, gapMs: number): boolean {
  const startMs = Date.parse(anomaly.startedAt);
  const detectedMs = Date.parse(anomaly.detectedAt);
  const knows = group.members.some((member) => member.service === anomaly.service);
  if (!isOpen(group)) return knows && group.endedMs >= 0 && detectedMs - group.endedMs <= gapMs;
  if (group.members.some((member) => member.service === anomaly.service && member.firing)) return true;
  const near = startMs - group.lastStartMs <= gapMs && group.firstStartMs - startMs <= gapMs;
  return near && startMs - group.firstStartMs <= MAX_CHAIN_GAPS * gapMs;
}

function emptyIncident(anomaly: Anomaly): Incident {
  return {
    id: hashId('in', anomaly.id),
    status: 'open',
    severity: anomaly.severity,
    title: '',
    startedAt: anomaly.startedAt,
    detectedAt: anomaly.detectedAt,
    updatedAt: anomaly.detectedAt,
    acknowledgedAt: null,
    acknowledgedBy: null,
    resolvedAt: null,
    services: [],
    causes: [],
    anomalyIds: [],
    mergedInto: null,
  };
}

/** The group that a new anomaly belongs to: one close in time or already about its service, else a new one. */
export function groupFor(groups: IncidentGroup[], anomaly: Anomaly, gapMs: number): IncidentGroup {
  for (let i = groups.length - 1; i >= 0; i--) {
    const group = groups[i] as IncidentGroup;
    if (takes(group, anomaly, gapMs)) return group;
  }
  const startMs = Date.parse(anomaly.startedAt);
  const group = { incident: emptyIncident(anomaly), members: [], firstStartMs: startMs, lastStartMs: startMs, endedMs: -1 };
  groups.push(group);
  while (groups.length > MAX_GROUPS) {
    const closed = groups.findIndex((other) => !isOpen(other));
    groups.splice(Math.max(0, closed), 1);
  }
  return group;
}

/** Puts the newest form of an anomaly into its group and brings the incident up to date. */
export function updateGroup(group: IncidentGroup, anomaly: Anomaly, context: RankingContext, nowMs: number): void {
  const member = memberOf(anomaly);
  const at = group.members.findIndex((other) => other.id === anomaly.id);
  if (at < 0) group.members.push(member);
  else group.members[at] = member;
  group.firstStartMs = Math.min(group.firstStartMs, member.startedMs);
  group.lastStartMs = Math.max(group.lastStartMs, member.startedMs);
  refreshIncident(group, context, nowMs);
}

/** Recomputes title, severity, causes and status from the members. */
export function refreshIncident(group: IncidentGroup, context: RankingContext, nowMs: number): void {
  const { incident, members } = group;
  const causes = rankCauses(members, context.changes, context.graph);
  const services = [...new Set(causes.map((cause) => cause.service))];
  const top = members.find((member) => member.id === causes[0]?.evidence[0]) as Member;
  const others = services.length > 1 ? `, ${services.length} services affected` : '';
  const firing = members.some((member) => member.firing);
  const byPerson = incident.status === 'resolved' && group.endedMs < 0;
  const status = byPerson || !firing ? 'resolved' : incident.acknowledgedAt === null ? 'open' : 'acknowledged';
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
  };
}

export function acknowledgeGroup(group: IncidentGroup, by: string, atMs: number): void {
  if (!isOpen(group)) return;
  const acknowledgedAt = isoTime(atMs);
  group.incident = { ...group.incident, status: 'acknowledged', acknowledgedAt, acknowledgedBy: by, updatedAt: acknowledgedAt };
}

export function resolveGroup(group: IncidentGroup, atMs: number): void {
  if (!isOpen(group)) return;
  const resolvedAt = isoTime(atMs);
  group.endedMs = -1;
  group.incident = { ...group.incident, status: 'resolved', resolvedAt, updatedAt: resolvedAt };
}
