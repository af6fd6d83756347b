import type { Anomaly } from '../model/anomaly.ts';
import type { QuietRule } from '../model/feedback.ts';
import { IncidentFiling } from './incident-filing.ts';
import type { Kinship } from './kinship.ts';

/** What some rules would have made of stored anomalies. */
export interface ReplayedFiling {
  /** Ids of anomalies that called. */
  called: Set<string>;
  /** Incidents that were opened and did not become one with another. */
  incidents: number;
}

interface Moment {
  atMs: number;
  anomaly: Anomaly;
}

/** Anomalies filed between two times at which others get their turn. */
const AT_ONCE = 100;

/**
 * Who belonged together once is known to, and what has never been one incident is not: the call graph and the traffic of those
 * days are gone, and what they led to is what is stored.
 */
function storedKinship(anomalies: readonly Anomaly[]): Kinship {
  const incidentsOf = new Map<string, Set<string>>();
  for (const { service, incidentId } of anomalies) {
    if (incidentId === null) continue;
    const of = incidentsOf.get(service);
    if (of) of.add(incidentId);
    else incidentsOf.set(service, new Set([incidentId]));
  }
  return {
    reaches: () => false,
    kin(a, b) {
      const [ofA, ofB] = [incidentsOf.get(a), incidentsOf.get(b)];
      return ofA && ofB && !ofA.isDisjointFrom(ofB) ? 'related' : 'unrelated';
    },
  };
}

/** How each anomaly came to the desk: firing when it was detected, and once more when it ended. What a rule made quiet is open again. */
function momentsOf(anomalies: readonly Anomaly[]): Moment[] {
  const moments = anomalies.flatMap((stored): Moment[] => {
    const anomaly = stored.quiet?.rule === undefined ? stored : { ...stored, quiet: null };
    const firing: Anomaly = { ...anomaly, incidentId: null, state: 'firing', resolvedAt: null };
    const fired = { atMs: Date.parse(anomaly.detectedAt), anomaly: firing };
    if (anomaly.resolvedAt === null) return [fired];
    return [fired, { atMs: Date.parse(anomaly.resolvedAt), anomaly: { ...anomaly, incidentId: null } }];
  });
  const rank = ({ anomaly }: Moment): number => (anomaly.state === 'firing' ? 0 : 1);
  return moments.toSorted((a, b) => a.atMs - b.atMs || rank(a) - rank(b) || (a.anomaly.id < b.anomaly.id ? -1 : 1));
}

/** Files stored anomalies, in any order, by the code of the live desk, with these rules in force from the start; yields now and then. */
export function* replayFiling(
  anomalies: readonly Anomaly[],
  rules: readonly QuietRule[],
  options: { gapMs: number; untilMs: number },
): Generator<undefined, ReplayedFiling> {
  const filing = new IncidentFiling({ kinship: storedKinship(anomalies), gapMs: options.gapMs, onMoved: () => {} });
  filing.setRules({ rules: [...rules], revision: 1 }, 0);
  for (const [index, { atMs, anomaly }] of momentsOf(anomalies).entries()) {
    filing.wake(atMs);
    filing.file(anomaly, atMs);
    if (index % AT_ONCE === AT_ONCE - 1) yield;
  }
  filing.wake(options.untilMs);
  const { anomalies: filed, incidents } = filing.drain();
  return {
    called: new Set(filed.flatMap(({ id, quiet }) => (quiet ? [] : [id]))),
    incidents: incidents.filter(({ mergedInto }) => mergedInto === null).length,
  };
}
