import type { CallGraph } from './call-graph.ts';

/** One entity when nearly everything falls silent. */
export interface Quieted {
  id: string;
  /** Client that delivered it last. */
  client: string;
  /** Of this step. */
  count: number;
  expected: number;
  /** Since the silence began, over a minute at most, this step included. */
  sinceCount: number;
  sinceExpected: number;
}

/** Fewer events expected than this in a step, and silence says nothing of the entity. */
const ACTIVE_EVENTS = 5;
/** A witness went on with at least half of what it usually has, and of that there was something to see. */
const WITNESS_SHARE = 0.5;
const WITNESS_EVENTS = 2;

/**
 * Whether a fleet that fell silent together did so because one service stopped, not because the data is late: everything silent
 * is called, directly or not, by one entity that is silent too, while an entity outside its reach goes on as usual through a
 * pipe that is known to be open, that is by the client that delivered the entry, or by another than two or more that stopped.
 * Without such a witness nobody can tell, and it counts as late.
 */
export function isEntrySilent(entities: readonly Quieted[], graph: Pick<CallGraph, 'reaches'>): boolean {
  const silent = entities.filter(({ count, expected }) => count === 0 && expected >= ACTIVE_EVENTS);
  const entry = silent.find(({ id }) => silent.every((other) => other.id === id || graph.reaches(id, other.id)));
  if (!entry || silent.length < 2) return false;
  const stopped = new Set(silent.map(({ client }) => client));
  return entities.some(({ id, client, sinceCount, sinceExpected }) => {
    const goesOn = sinceCount >= WITNESS_EVENTS && sinceCount >= WITNESS_SHARE * sinceExpected;
    if (!goesOn || id === entry.id || graph.reaches(entry.id, id)) return false;
    return client === entry.client || (stopped.size > 1 && !stopped.has(client));
  });
}
