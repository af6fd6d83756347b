import type { Anomaly } from '../model/anomaly.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { Reachability } from './cause-ranking.ts';
import type { DetectorCommand } from './detector.ts';
import {
  acknowledgeGroup,
  groupFor,
  isOpen,
  refreshIncident,
  resolveGroup,
  updateGroup,
  type IncidentGroup,
} from './incident-grouping.ts';

/** Open and recent incidents, and the changes that may explain them. Plain data. */
export interface IncidentDesk {
  groups: IncidentGroup[];
  /** Incident of each anomaly that is still firing. */
  incidentOf: Map<string, string>;
  changes: Change[];
}

const CHANGE_MEMORY_MS = 86_400_000;
const MAX_CHANGES = 1000;

export function createIncidentDesk(): IncidentDesk {
  return { groups: [], incidentOf: new Map(), changes: [] };
}

export function findGroup(desk: IncidentDesk, incidentId: string): IncidentGroup | undefined {
  return desk.groups.find((group) => group.incident.id === incidentId);
}

/** Files an anomaly under its incident; returns it with the incident's id, beside the incident's newest form. */
export function fileAnomaly(
  desk: IncidentDesk,
  anomaly: Anomaly,
  graph: Reachability,
  gapMs: number,
  nowMs: number,
): [Anomaly, Incident] {
  const known = desk.incidentOf.get(anomaly.id);
  const group = (known === undefined ? undefined : findGroup(desk, known)) ?? groupFor(desk.groups, anomaly, gapMs);
  const filed = { ...anomaly, incidentId: group.incident.id };
  if (filed.state === 'firing') desk.incidentOf.set(filed.id, group.incident.id);
  else desk.incidentOf.delete(filed.id);
  updateGroup(group, filed, { changes: desk.changes, graph }, nowMs);
  return [filed, group.incident];
}

/** Remembers a change for ranking, and returns the open incidents that it concerns, brought up to date. */
export function recordChange(desk: IncidentDesk, change: Change, graph: Reachability, nowMs: number): Incident[] {
  if (desk.changes.some((other) => other.id === change.id)) return [];
  desk.changes.push(change);
  const oldestMs = Math.max(nowMs, Date.parse(change.at)) - CHANGE_MEMORY_MS;
  desk.changes = desk.changes.filter((other) => Date.parse(other.at) >= oldestMs).slice(-MAX_CHANGES);
  const touched = desk.groups.filter((group) => isOpen(group) && group.incident.services.includes(change.service));
  for (const group of touched)
    refreshIncident(group, { changes: desk.changes, graph }, Math.max(nowMs, Date.parse(group.incident.updatedAt)));
  return touched.map((group) => group.incident);
}

/** Carries out a person's verdict on an incident; undefined when it is unknown. */
export function judgeIncident(
  desk: IncidentDesk,
  command: Extract<DetectorCommand, { type: 'acknowledge' | 'resolve' }>,
): IncidentGroup | undefined {
  const group = findGroup(desk, command.incidentId);
  if (!group) return undefined;
  if (command.type === 'acknowledge') acknowledgeGroup(group, command.by, command.atMs);
  else resolveGroup(group, command.atMs);
  return group;
}

export function openGroups(desk: IncidentDesk): IncidentGroup[] {
  return desk.groups.filter(isOpen);
}
