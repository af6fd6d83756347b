import type { NewNormal, Severity, Signal } from '../model/anomaly.ts';
import type { Cause, Change } from '../model/incident.ts';

/** An anomaly as its incident sees it. */
export interface Member {
  id: string;
  service: string;
  signal: Signal;
  startedMs: number;
  firing: boolean;
  /** Event time of its end; -1 while it is firing. */
  endedMs: number;
  severity: Severity;
  /** 0..1. */
  score: number;
  /** How many times the expected (or expected over observed) its leading feature is; at least 1. */
  ratio: number;
  /** "error rate 12 % (expected 0.8 %)". */
  summary: string;
  newNormal?: NewNormal | null;
}

/**
 * What another method (traces, metrics, templates) says of a service, or of one signal of it: points are added to those of the
 * anomalies, which lie between about -1 and 2; the sentence part stands in the reason. A service without an anomaly of its own
 * is a candidate by this alone.
 */
export interface CauseEvidence {
  service: string;
  signal?: Signal;
  points: number;
  reason: string;
  /** Of a service without an anomaly: the signal that it would show as. */
  showsAs?: Signal;
  /** Trouble of what it calls would show the same. */
  isExplicable?: boolean;
  /** Ids that carry it. */
  evidence?: readonly string[];
}

/** The call graph as ranking needs it. */
export interface Reachability {
  reaches(caller: string, callee: string): boolean;
}

/** A change counts as near when it came at most this long before. */
const CHANGE_BEFORE_MS = 1_800_000;
/** Clocks and detection are not exact: a change may be stamped a little after the first deviation. */
const CHANGE_AFTER_MS = 60_000;
const EARLINESS_MS = 60_000;
const CHANGE_BONUS = 0.4;
const EARLINESS_BONUS = 0.6;
/** A member counts as explained by another that is at least this strong, and did not start clearly later. */
const EXPLAINING_STRENGTH = 0.4;
const EXPLAINING_AFTER_MS = 60_000;
const EXPLAINED_PENALTY = 1;
/** What is left of evidence that an anomaly of a callee explains. */
const EXPLAINED_LEFT = 0.2;
/** Of those that explain a member the strongest are looked at: a storm may hold thousands. */
const MAX_EXPLAINING = 32;
/** Traffic that moves is more often a consequence than a cause. */
const SIGNAL_WEIGHT: Record<Signal, number> = {
  silence: 0.9,
  error_rate: 1,
  latency: 1,
  traffic: 0.5,
  multivariate: 0.4,
  metric: 0.7,
};

/** The newest change of a service shortly before a deviation of it. */
export function changeBefore(member: Pick<Member, 'service' | 'startedMs'>, changes: readonly Change[]): Change | undefined {
  const near = changes.filter((change) => {
    const before = member.startedMs - Date.parse(change.at);
    return change.service === member.service && before <= CHANGE_BEFORE_MS && before >= -CHANGE_AFTER_MS;
  });
  return near.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at) || (a.id < b.id ? -1 : 1))[0];
}

function strengthOf(member: Member): number {
  const effect = Math.min(1, Math.log2(Math.max(1, member.ratio)) / 5);
  return SIGNAL_WEIGHT[member.signal] * (0.5 * member.score + 0.5 * effect);
}

/** Faults travel from callee to caller; a loss of traffic travels from caller to callee. */
function explains(cause: Member, effect: Member, graph: Reachability): boolean {
  if (cause.service === effect.service || cause.startedMs > effect.startedMs + EXPLAINING_AFTER_MS) return false;
  if (strengthOf(cause) < EXPLAINING_STRENGTH * strengthOf(effect)) return false;
  if (effect.signal === 'traffic' || effect.signal === 'silence') {
    const lostTraffic = cause.signal === 'silence' || cause.signal === 'traffic';
    return lostTraffic && graph.reaches(cause.service, effect.service);
  }
  return cause.signal !== 'traffic' && graph.reaches(effect.service, cause.service);
}

function minutesText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

interface Candidate {
  service: string;
  signal: Signal;
  /** Undefined for a service that only other methods name. */
  member: Member | undefined;
  change: Change | undefined;
  /** The service that explains it. */
  explainedBy: string | undefined;
  /** The member that does, if one does. */
  explainer: Member | undefined;
  others: readonly CauseEvidence[];
  points: number;
}

/**
 * What explains a member, the end of the chain first: of what explains it that which nothing else explains, then the strongest.
 * A service that only passes on what others do so points at them and not at its neighbour.
 */
function explainerOf(member: Member, members: readonly Member[], graph: Reachability): Member | undefined {
  const order = (a: Member, b: Member): number => strengthOf(b) - strengthOf(a) || (a.id < b.id ? -1 : 1);
  const explaining = members.filter((other) => explains(other, member, graph)).toSorted(order);
  explaining.length = Math.min(explaining.length, MAX_EXPLAINING);
  return explaining.find((one) => !explaining.some((other) => explains(other, one, graph))) ?? explaining[0];
}

function changeText({ type, version, at }: Change, startedMs: number): string {
  const before = startedMs - Date.parse(at);
  return `${before >= 0 ? `${minutesText(before)} after` : 'together with'} a ${type}${version ? ` to ${version}` : ''}`;
}

function reasonOf({ service, member, change, explainedBy, others }: Candidate, first: number, explained: number): string {
  const lag = (member?.startedMs ?? first) - first;
  const when = lag <= 0 ? 'deviated first' : `deviated ${minutesText(lag)} after the first`;
  const found = others.map(({ reason }) => reason);
  const parts = member
    ? [`${service} ${when}: ${member.summary}`]
    : [`${service} has no anomaly of its own: ${found.join(', ')}`];
  if (change) parts.push(changeText(change, member?.startedMs ?? first));
  if (explainedBy !== undefined) parts.push(`explained by ${explainedBy} on its call path`);
  if (explained > 0) parts.push(`explains ${explained} other${explained === 1 ? '' : 's'}`);
  return `${[...parts, ...(member ? found : [])].join(', ')}.`;
}

function given(others: readonly CauseEvidence[], isExplained: boolean): number {
  return others.reduce((sum, { points, isExplicable }) => sum + points * (isExplained && isExplicable ? EXPLAINED_LEFT : 1), 0);
}

/** What other methods found of each service, all its signals together. */
function pointsByService(found: readonly CauseEvidence[]): Map<string, number> {
  const points = new Map<string, number>();
  for (const row of found) points.set(row.service, (points.get(row.service) ?? 0) + row.points);
  return points;
}

/**
 * The service on a member's call path against which other methods have most to say, and more than against itself: then what the
 * member shows is what its callers see of the other.
 */
function foundBelow(
  member: Member,
  found: ReadonlyMap<string, number>,
  graph: Reachability,
): { service: string; share: number } | undefined {
  if (member.signal === 'traffic' || member.signal === 'silence') return undefined;
  const own = Math.max(0, found.get(member.service) ?? 0);
  let best: { service: string; share: number } | undefined;
  for (const [service, points] of found) {
    if (points <= own || !graph.reaches(member.service, service)) continue;
    const share = Math.min(1, points);
    if (share > (best?.share ?? 0)) best = { service, share };
  }
  return best;
}

/**
 * Candidates, likeliest first: how strong the change is and how early it came; then what another member explains along the
 * call graph goes back; then what other methods found; last whether a deployment or other change of the service preceded it.
 * Ties keep the order of start, then of id.
 */
export function rankCauses(
  members: readonly Member[],
  changes: readonly Change[],
  graph: Reachability,
  found: readonly CauseEvidence[] = [],
): Cause[] {
  const first = Math.min(...members.map((member) => member.startedMs));
  const foundPoints = pointsByService(found);
  const candidates = members.map((member): Candidate => {
    const { service, signal } = member;
    const change = changeBefore(member, changes);
    const explainer = explainerOf(member, members, graph);
    const below = explainer ? undefined : foundBelow(member, foundPoints, graph);
    const others = found.filter((row) => row.service === service && (row.signal === undefined || row.signal === signal));
    const earliness = EARLINESS_BONUS * Math.exp(-(member.startedMs - first) / EARLINESS_MS);
    const shown = strengthOf(member) + earliness;
    // Others that deviate explain what deviates here; what is known to be lost below is not lost here at all.
    const explained = explainer ? EXPLAINED_PENALTY : shown * (below?.share ?? 0);
    const points = shown + given(others, explainer !== undefined) + (change ? CHANGE_BONUS : 0) - explained;
    const explainedBy = explainer?.service ?? (below && below.share >= 0.5 ? below.service : undefined);
    return { service, signal, member, change, explainedBy, explainer, others, points };
  });
  const candidatesByFound = foundOnly(members, found).map(([service, others]): Candidate => {
    const change = changeBefore({ service, startedMs: first }, changes);
    const signal = others[0]?.showsAs ?? 'multivariate';
    const isExplained = members.some((member) => member.signal !== 'traffic' && graph.reaches(service, member.service));
    const points = given(others, isExplained) + (change ? CHANGE_BONUS : 0);
    return { service, signal, member: undefined, change, explainedBy: undefined, explainer: undefined, others, points };
  });
  const all = [...candidates, ...candidatesByFound].sort(inOrder);
  const explained = new Map<string, number>();
  for (const { explainer } of all) if (explainer) explained.set(explainer.id, (explained.get(explainer.id) ?? 0) + 1);
  return all.map((candidate, index) => causeOf(candidate, index + 1, first, explained.get(candidate.member?.id ?? '') ?? 0));
}

function inOrder(a: Candidate, b: Candidate): number {
  const startOf = ({ member }: Candidate): number => member?.startedMs ?? Infinity;
  const nameOf = ({ member, service }: Candidate): string => member?.id ?? service;
  if (a.points !== b.points) return b.points - a.points;
  if (startOf(a) !== startOf(b)) return startOf(a) - startOf(b);
  return nameOf(a) < nameOf(b) ? -1 : 1;
}

/** Services that only other methods name, with what these found, the strongest first. */
function foundOnly(members: readonly Member[], found: readonly CauseEvidence[]): [string, CauseEvidence[]][] {
  const known = new Set(members.map(({ service }) => service));
  const rest = found.filter(({ service }) => !known.has(service));
  return [...Map.groupBy(rest, ({ service }) => service)].map(([service, rows]) => [
    service,
    rows.toSorted((a, b) => b.points - a.points),
  ]);
}

function causeOf(candidate: Candidate, rank: number, first: number, explained: number): Cause {
  const { service, signal, member, change, others } = candidate;
  return {
    rank,
    service,
    signal,
    reason: reasonOf(candidate, first, explained),
    evidence: [
      ...(member ? [member.id] : []),
      ...(change ? [change.id] : []),
      ...others.flatMap(({ evidence = [] }) => evidence),
    ],
  };
}
