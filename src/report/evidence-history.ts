import type { Incident } from '../model/incident.ts';
import type { Store } from '../store/store.ts';
import { citeKnown } from './evidence.ts';
import type { Fact } from './evidence.ts';
import type { Period } from './period.ts';
import { documentAnswer, listAnswer } from './query.ts';

const HISTORY_MS = 30 * 86_400_000;
const MAX_LISTED = 3;

/** A closed incident of the last 30 days whose first cause was the same service and signal. */
export interface PastIncidentFacts {
  incident: Incident;
  startedAt: Fact;
  resolvedAt: Fact;
  durationMs: number;
}

export interface HistoryFacts {
  /** The newest few. */
  listed: PastIncidentFacts[];
  count: number;
}

export async function historyFacts(store: Store, incident: Incident, service: string, period: Period): Promise<HistoryFacts> {
  const signal = incident.causes[0]?.signal;
  if (signal === undefined) return { listed: [], count: 0 };
  const range = { fromMs: period.onsetMs - HISTORY_MS, toMs: period.onsetMs };
  const answer = await listAnswer(store, 'incident', { service, ...range, limit: 50 });
  const similar = answer.body.items.filter((past) => {
    const cause = past.causes[0];
    const closed = past.id !== incident.id && past.mergedInto === null && past.resolvedAt !== null;
    return closed && cause?.service === service && cause.signal === signal;
  });
  const listed = similar.slice(0, MAX_LISTED).map((past) => {
    const own = documentAnswer('incident', past);
    const fromMs = Date.parse(past.startedAt);
    const toMs = Date.parse(past.resolvedAt as string);
    const meta = { type: 'incident', service, fromMs, toMs } as const;
    return {
      incident: past,
      startedAt: citeKnown(own, '/startedAt', meta),
      resolvedAt: citeKnown(own, '/resolvedAt', meta),
      durationMs: toMs - fromMs,
    };
  });
  return { listed, count: similar.length };
}
