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
 * anomalies, which lie between about -1 and 2; the sentence part stands in the reason.
 */
export interface CauseEvidence {
  service: string;
  signal?: Signal;
  points: number;
  reason: string;
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
  member: Member;
  change: Change | undefined;
  explainedBy: Member | undefined;
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

function reasonOf({ member, change, explainedBy, others }: Candidate, first: number, explained: number): string {
  const lag = member.startedMs - first;
  const when = lag <= 0 ? 'deviated first' : `deviated ${minutesText(lag)} after the first`;
  const parts = [`${member.service} ${when}: ${member.summary}`];
  if (change) {
    const version = change.version ? ` to ${change.version}` : '';
    const before = member.startedMs - Date.parse(change.at);
    parts.push(`${before >= 0 ? `${minutesText(before)} after` : 'together with'} a ${change.type}${version}`);
  }
  if (explainedBy) parts.push(`explained by ${explainedBy.service} on its call path`);
  if (explained > 0) parts.push(`explains ${explained} other${explained === 1 ? '' : 's'}`);
  for (const { reason } of others) parts.push(reason);
  return `${parts.join(', ')}.`;
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
  const candidates = members.map((member): Candidate => {
    const change = changeBefore(member, changes);
    const explainedBy = explainerOf(member, members, graph);
    const others = found.filter(
      ({ service, signal }) => service === member.service && (signal === undefined || signal === member.signal),
    );
    const earliness = EARLINESS_BONUS * Math.exp(-(member.startedMs - first) / EARLINESS_MS);
    const given = others.reduce((sum, { points }) => sum + points, 0);
    const points = strengthOf(member) + earliness + given + (change ? CHANGE_BONUS : 0) - (explainedBy ? EXPLAINED_PENALTY : 0);
    return { member, change, explainedBy, others, points };
  });
  candidates.sort(
    (a, b) => b.points - a.points || a.member.startedMs - b.member.startedMs || (a.member.id < b.member.id ? -1 : 1),
  );
  const explained = new Map<string, number>();
  for (const { explainedBy } of candidates) {
    if (explainedBy) explained.set(explainedBy.id, (explained.get(explainedBy.id) ?? 0) + 1);
  }
  return candidates.map((candidate, index) => ({
    rank: index + 1,
    service: candidate.member.service,
    signal: candidate.member.signal,
    reason: reasonOf(candidate, first, explained.get(candidate.member.id) ?? 0),
    evidence: [
      candidate.member.id,
      ...(candidate.change ? [candidate.change.id] : []),
      ...candidate.others.flatMap(({ evidence = [] }) => evidence),
    ],
  }));
}
