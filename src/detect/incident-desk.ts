import type { Anomaly } from '../model/anomaly.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { CauseEvidence } from './cause-ranking.ts';
import type { DetectorCommand } from './detector.ts';
import { labelled } from './incident-label.ts';
import type { QuietDesk } from './quiet-rules.ts';
import {
  acknowledgeGroup,
  groupFor,
  isOpen,
  memberOf,
  refreshIncident,
  resolveGroup,
  updateGroup,
  type IncidentGroup,
  type RankingContext,
} from './incident-grouping.ts';
import { withEvent } from './incident-history.ts';
import { mergeGroups, splitGroup, underlaidBy } from './incident-merging.ts';
import type { Kinship } from './kinship.ts';

/** Open and recent incidents, and the changes that may explain them. Plain data. */
export interface IncidentDesk {
  groups: IncidentGroup[];
  /** Incident of each anomaly that is still firing. */
  incidentOf: Map<string, string>;
  changes: Change[];
  /** Absent until a person has said what need not call. */
  quiet?: QuietDesk;
}

const CHANGE_MEMORY_MS = 86_400_000;
const MAX_CHANGES = 1000;

export function createIncidentDesk(): IncidentDesk {
  return { groups: [], incidentOf: new Map(), changes: [] };
}

export function findGroup(desk: IncidentDesk, incidentId: string): IncidentGroup | undefined {
  return desk.groups.find((group) => group.incident.id === incidentId);
}

/** What filing one anomaly did to other documents: incidents merged or split, and firing anomalies that moved with them. */
export interface SideEffects {
  incidents: Incident[];
  /** Anomaly to its new incident. */
  moved: Map<string, string>;
}

/**
 * Files an anomaly under its incident; returns it with the incident's id, beside the incident's newest form. `found` is what other
 * methods say of causes now.
 */
export function fileAnomaly(
  desk: IncidentDesk,
  anomaly: Anomaly,
  graph: Kinship,
  gapMs: number,
  nowMs: number,
  found: readonly CauseEvidence[] = [],
): [Anomaly, Incident, SideEffects] {
  const known = desk.incidentOf.get(anomaly.id);
  const filedUnder = known === undefined ? undefined : findGroup(desk, known);
  let group = filedUnder ?? groupFor(desk.groups, anomaly, graph, gapMs, nowMs);
  const context: RankingContext = { changes: desk.changes, graph, found };
  updateGroup(group, anomaly, context, nowMs);
  const others: IncidentGroup[] = [];
  if (!filedUnder) {
    for (const other of underlaidBy(desk.groups, group, memberOf(anomaly), graph, gapMs)) {
      const [into, from] = desk.groups.indexOf(other) < desk.groups.indexOf(group) ? [other, group] : [group, other];
      mergeGroups(into, from, context, nowMs);
      others.push(from);
      group = into;
    }
  }
  const split = splitGroup(desk.groups, group, context, gapMs, nowMs);
  if (split) {
    others.push(group, split);
    if (split.members.some((member) => member.id === anomaly.id)) group = split;
  }
  const moved = remap(desk, [group, ...others]);
  moved.delete(anomaly.id);
  if (anomaly.state === 'firing') desk.incidentOf.set(anomaly.id, group.incident.id);
  else desk.incidentOf.delete(anomaly.id);
  const { incident } = group;
  const incidents = others.map((other) => other.incident).filter((other) => other.id !== incident.id);
  return [{ ...anomaly, incidentId: incident.id }, incident, { incidents, moved }];
}

/** Brings the incidents of firing anomalies up to date after groups changed; returns those that moved. */
function remap(desk: IncidentDesk, groups: readonly IncidentGroup[]): Map<string, string> {
  const moved = new Map<string, string>();
  for (const { incident, members } of groups) {
    if (incident.mergedInto !== null) continue;
    for (const { id } of members) {
      const before = desk.incidentOf.get(id);
      if (before === undefined || before === incident.id) continue;
      desk.incidentOf.set(id, incident.id);
      moved.set(id, incident.id);
    }
  }
  return moved;
}

/** Remembers a change for ranking, and returns the open incidents that it concerns, brought up to date. */
export function recordChange(desk: IncidentDesk, change: Change, graph: Kinship, nowMs: number): Incident[] {
  if (desk.changes.some((other) => other.id === change.id)) return [];
  desk.changes.push(change);
  const oldestMs = Math.max(nowMs, Date.parse(change.at)) - CHANGE_MEMORY_MS;
  desk.changes = desk.changes.filter((other) => Date.parse(other.at) >= oldestMs).slice(-MAX_CHANGES);
  const concerns = ({ services, causes }: Incident): boolean =>
    services.includes(change.service) || causes.some(({ service }) => service === change.service);
  const touched = desk.groups.filter((group) => isOpen(group) && concerns(group.incident));
  for (const group of touched)
    refreshIncident(group, { changes: desk.changes, graph }, Math.max(nowMs, Date.parse(group.incident.updatedAt)));
  return touched.map((group) => group.incident);
}

/** Carries out a person's verdict on an incident; undefined when it is unknown, or proposes no new normal to decide on. */
export function judgeIncident(
  desk: IncidentDesk,
  command: Extract<DetectorCommand, { type: 'acknowledge' | 'resolve' | 'new_normal' }>,
): IncidentGroup | undefined {
  const group = findGroup(desk, command.incidentId);
  if (!group) return undefined;
  if (command.type === 'acknowledge') acknowledgeGroup(group, command.by, command.atMs);
  else if (command.type === 'resolve') resolveGroup(group, command.by, command.atMs);
  else {
    const { newNormal } = group.incident;
    if (!newNormal) return undefined;
    const state = command.decision === 'accept' ? ('accepted' as const) : ('rejected' as const);
    const incident = { ...group.incident, newNormal: { ...newNormal, state } };
    group.incident = withEvent(incident, `new_normal_${state}`, command.atMs, { by: command.by });
  }
  return group;
}

/** Puts what a person says on an incident; undefined when it is unknown. */
export function labelIncident(
  desk: IncidentDesk,
  command: Extract<DetectorCommand, { type: 'label' }>,
): IncidentGroup | undefined {
  const group = findGroup(desk, command.incidentId);
  if (group) group.incident = labelled(group.incident, command);
  return group;
}

export function openGroups(desk: IncidentDesk): IncidentGroup[] {
  return desk.groups.filter(isOpen);
}
