import type { Severity, Signal } from '../model/anomaly.ts';
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
/** Traffic that moves is more often a consequence than a cause. */
const SIGNAL_WEIGHT: Record<Signal, number> = { silence: 0.9, error_rate: 1, latency: 1, traffic: 0.5, multivariate: 0.4 };

export function changeBefore(member: Member, changes: readonly Change[]): Change | undefined {
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
  points: number;
}

function reasonOf({ member, change, explainedBy }: Candidate, first: number): string {
  const lag = member.startedMs - first;
  const when = lag <= 0 ? 'deviated first' : `deviated ${minutesText(lag)} after the first`;
  const parts = [`${member.service} ${when}: ${member.summary}`];
  if (change) {
    const version = change.version ? ` to ${change.version}` : '';
    const before = member.startedMs - Date.parse(change.at);
    parts.push(`${before >= 0 ? `${minutesText(before)} after` : 'together with'} a ${change.type}${version}`);
  }
  if (explainedBy) parts.push(`explained by ${explainedBy.service} on its call path`);
  return `${parts.join(', ')}.`;
}

/**
 * Candidates, likeliest first: how strong the change is and how early it came; then what another member explains along the
 * call graph goes back; last whether a deployment or other change of the service preceded it. Ties keep the order of start,
 * then of id.
 */
export function rankCauses(members: readonly Member[], changes: readonly Change[], graph: Reachability): Cause[] {
  const first = Math.min(...members.map((member) => member.startedMs));
  const candidates = members.map((member): Candidate => {
    const change = changeBefore(member, changes);
    const explainedBy = members.find((other) => explains(other, member, graph));
    const earliness = EARLINESS_BONUS * Math.exp(-(member.startedMs - first) / EARLINESS_MS);
    const points = strengthOf(member) + earliness + (change ? CHANGE_BONUS : 0) - (explainedBy ? EXPLAINED_PENALTY : 0);
    return { member, change, explainedBy, points };
  });
  candidates.sort(
    (a, b) => b.points - a.points || a.member.startedMs - b.member.startedMs || (a.member.id < b.member.id ? -1 : 1),
  );
  return candidates.map((candidate, index) => ({
    rank: index + 1,
    service: candidate.member.service,
    signal: candidate.member.signal,
    reason: reasonOf(candidate, first),
    evidence: candidate.change ? [candidate.member.id, candidate.change.id] : [candidate.member.id],
  }));
}
