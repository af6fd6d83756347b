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

/** A change counts as near when it came at most this long before. */
const CHANGE_BEFORE_MS = 1_800_000;
/** Clocks and detection are not exact: a change may be stamped a little after the first deviation. */
const CHANGE_AFTER_MS = 60_000;
const EARLINESS_MS = 60_000;
const CHANGE_BONUS = 0.4;
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

function minutesText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

function reasonOf(member: Member, first: number, change: Change | undefined): string {
  const lag = member.startedMs - first;
  const when = lag <= 0 ? 'deviated first' : `deviated ${minutesText(lag)} after the first`;
  const what = `${member.service} ${when}: ${member.summary}`;
  if (!change) return `${what}.`;
  const version = change.version ? ` to ${change.version}` : '';
  const before = member.startedMs - Date.parse(change.at);
  return `${what}, ${before >= 0 ? `${minutesText(before)} after` : 'together with'} a ${change.type}${version}.`;
}

/**
 * Candidates, likeliest first: how strong the change is, how early it came, and last whether a deployment or other change
 * of the service preceded it. Ties keep the order of start, then of id.
 */
export function rankCauses(members: readonly Member[], changes: readonly Change[]): Cause[] {
  const first = Math.min(...members.map((member) => member.startedMs));
  const scored = members.map((member) => {
    const change = changeBefore(member, changes);
    const earliness = Math.exp(-(member.startedMs - first) / EARLINESS_MS);
    return { member, change, points: strengthOf(member) + 0.6 * earliness + (change ? CHANGE_BONUS : 0) };
  });
  scored.sort((a, b) => b.points - a.points || a.member.startedMs - b.member.startedMs || (a.member.id < b.member.id ? -1 : 1));
  return scored.map(({ member, change }, index) => ({
    rank: index + 1,
    service: member.service,
    signal: member.signal,
    reason: reasonOf(member, first, change),
    evidence: change ? [member.id, change.id] : [member.id],
  }));
}
