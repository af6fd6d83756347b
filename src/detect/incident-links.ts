import type { Signal } from '../model/anomaly.ts';
import type { Reachability } from './cause-ranking.ts';
import type { Kinship } from './kinship.ts';

/** An anomaly as far as belonging together goes. */
export interface Linked {
  service: string;
  signal: Signal;
  startedMs: number;
}

/** Why two anomalies belong together: one service, a call path, shared movement, one moment, or nothing against it. */
export type LinkKind = 'service' | 'path' | 'movement' | 'onset' | 'time';

/** Starts are known to about a minute; what starts together within it has one cause far more often than two. */
export const TOGETHER_MS = 60_000;

const isTraffic = ({ signal }: Linked): boolean => signal === 'traffic' || signal === 'silence';

/**
 * Whether one anomaly can have brought about another. Errors and slowness travel from callee to caller, load from caller to
 * callee, and traffic moves on either side of a fault. A cause does not start clearly after its effect.
 */
export function canCarry(cause: Linked, effect: Linked, graph: Reachability): boolean {
  if (cause.startedMs > effect.startedMs + TOGETHER_MS) return false;
  if (graph.reaches(effect.service, cause.service)) return true;
  return (isTraffic(effect) || isTraffic(cause)) && graph.reaches(cause.service, effect.service);
}

/** How two anomalies are linked; undefined when they start more than `gapMs` apart, or are known to have nothing in common. */
export function linkBetween(a: Linked, b: Linked, kinship: Kinship, gapMs: number): LinkKind | undefined {
  const lagMs = Math.abs(a.startedMs - b.startedMs);
  if (lagMs > gapMs) return undefined;
  if (a.service === b.service) return 'service';
  if (canCarry(a, b, kinship) || canCarry(b, a, kinship)) return 'path';
  const kin = kinship.kin(a.service, b.service);
  if (kin === 'related') return 'movement';
  if (lagMs <= TOGETHER_MS) return 'onset';
  return kin === 'unknown' ? 'time' : undefined;
}

/** How far apart a link leaves two anomalies, milliseconds: the surer the kind, the nearer. */
export function linkDistanceMs(kind: LinkKind, lagMs: number, gapMs: number): number {
  if (kind === 'service') return Math.min(lagMs, TOGETHER_MS);
  if (kind === 'onset') return lagMs + TOGETHER_MS;
  return kind === 'time' ? lagMs + gapMs : lagMs;
}

/** Whether two anomalies belong together for more than having started in the same minute while known to be strangers. */
export function staysLinked(a: Linked, b: Linked, kinship: Kinship, gapMs: number): boolean {
  if (a.service === b.service) return true;
  const kind = linkBetween(a, b, kinship, gapMs);
  return kind !== undefined && (kind !== 'onset' || kinship.kin(a.service, b.service) !== 'unrelated');
}
