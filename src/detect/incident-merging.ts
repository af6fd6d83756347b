import { isoTime } from '../lib/clock.ts';
import type { Member } from './cause-ranking.ts';
import { hashId } from './identifier.ts';
import { addGroup, isOpen, leadOf, MAX_LINKED, measureStarts, refreshIncident, type IncidentGroup } from './incident-grouping.ts';
import type { RankingContext } from './incident-grouping.ts';
import { withEvent } from './incident-history.ts';
import { canCarry, staysLinked, TOGETHER_MS } from './incident-links.ts';
import type { Kinship } from './kinship.ts';

/** Whether an anomaly is what an open group's own ones stem from: by a call path, or by shared movement; never by time alone. */
function underlies(cause: Member, group: IncidentGroup, kinship: Kinship, gapMs: number): boolean {
  if (cause.signal === 'traffic' || !isOpen(group) || group.members.length > MAX_LINKED) return false;
  return group.members.some((member) => {
    if (member.service === cause.service || Math.abs(member.startedMs - cause.startedMs) > gapMs) return false;
    if (canCarry(cause, member, kinship)) return true;
    return cause.startedMs <= member.startedMs + TOGETHER_MS && kinship.kin(cause.service, member.service) === 'related';
  });
}

/** Groups, other than its own, that a new anomaly shows to be one with it. */
export function underlaidBy(
  groups: readonly IncidentGroup[],
  own: IncidentGroup,
  cause: Member,
  kinship: Kinship,
  gapMs: number,
): IncidentGroup[] {
  return groups.filter((group) => group !== own && underlies(cause, group, kinship, gapMs));
}

/** Moves everything of one group into another, which stays; the first is over and says where it went. */
export function mergeGroups(into: IncidentGroup, from: IncidentGroup, context: RankingContext, nowMs: number): void {
  const at = isoTime(nowMs);
  into.members.push(...from.members);
  measureStarts(into);
  const { acknowledgedAt, acknowledgedBy } = into.incident.acknowledgedAt === null ? from.incident : into.incident;
  into.incident = withEvent({ ...into.incident, acknowledgedAt, acknowledgedBy }, 'merged', nowMs, {
    incidentId: from.incident.id,
  });
  refreshIncident(into, context, nowMs);
  from.endedMs = -1;
  const incident = { ...from.incident, status: 'resolved' as const, resolvedAt: at, updatedAt: at, mergedInto: into.incident.id };
  from.incident = withEvent(incident, 'merged', nowMs, { incidentId: into.incident.id });
}

/** Members that hang together with `root` by what is known now. */
function componentOf(root: Member, members: readonly Member[], kinship: Kinship, gapMs: number): Set<Member> {
  const component = new Set([root]);
  for (const one of component) {
    for (const other of members) if (!component.has(other) && staysLinked(one, other, kinship, gapMs)) component.add(other);
  }
  return component;
}

/**
 * The members that turn out to have another cause than the group: those of its first cause are over while theirs go on, or the
 * likeliest cause is now one of them. Empty while it is one fault.
 */
function strangersIn(group: IncidentGroup, kinship: Kinship, gapMs: number): Member[] {
  const { members, incident } = group;
  if (members.length > MAX_LINKED || incident.services.length < 2) return [];
  const [root] = members.toSorted((a, b) => a.startedMs - b.startedMs || (a.id < b.id ? -1 : 1)) as [Member];
  const own = componentOf(root, members, kinship, gapMs);
  const rest = members.filter((member) => !own.has(member));
  const firing = rest.find((member) => member.firing);
  if (!firing) return [];
  const lead = leadOf(rest, incident.causes.slice(0, 1));
  const isOver = ![...own].some((member) => member.firing);
  const hasMoved = lead?.firing === true && lead.startedMs - root.startedMs > TOGETHER_MS;
  if (!isOver && !hasMoved) return [];
  return [...componentOf(isOver ? firing : (lead as Member), rest, kinship, gapMs)];
}

/** Splits off what turned out to have another cause; undefined when nothing did. */
export function splitGroup(
  groups: IncidentGroup[],
  group: IncidentGroup,
  context: RankingContext,
  gapMs: number,
  nowMs: number,
): IncidentGroup | undefined {
  const strangers = new Set(isOpen(group) || group.endedMs >= 0 ? strangersIn(group, context.graph, gapMs) : []);
  if (strangers.size === 0) return undefined;
  const moved = group.members.filter((member) => strangers.has(member));
  group.members = group.members.filter((member) => !strangers.has(member));
  measureStarts(group);
  const { incident } = group;
  const id = hashId('in', incident.id, 'split', (moved[0] as Member).id);
  const { feedback: _, ...own } = incident;
  const blank = { ...own, id, mergedInto: null, splitFrom: incident.id, events: [], newNormal: null, resolvedAt: null };
  const split: IncidentGroup = {
    incident: withEvent({ ...blank, detectedAt: isoTime(nowMs) }, 'split', nowMs, { incidentId: incident.id }),
    members: moved,
    firstStartMs: 0,
    lastStartMs: 0,
    endedMs: -1,
  };
  measureStarts(split);
  addGroup(groups, split);
  refreshIncident(split, context, nowMs);
  group.incident = withEvent(incident, 'split', nowMs, { incidentId: id });
  refreshIncident(group, context, nowMs);
  return split;
}
