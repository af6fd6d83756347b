import { featureChanges, latencyChanges, type FeatureChange, type LatencyChange } from './trace-changes.ts';
import { CALL, edgeOf, featureOf, type TraceNames } from './trace-keys.ts';
import type { TraceProfileState } from './trace-profile-state.ts';
import type { TraceWindow } from './trace-window.ts';

/** What traces say against one service. Amounts are in octaves of latency. */
export interface ServiceEvidence {
  service: number;
  /** Its calls look different: what they do, whom they call, what they log. */
  structure: number;
  structureOf: FeatureChange | undefined;
  /** Its own work takes longer. */
  selfTime: number;
  selfTimeOf: LatencyChange | undefined;
  /** Time is lost on the way to it, and on its way to others. Below 0 when its edges are as ever. */
  incoming: number;
  outgoing: number;
  gapOf: LatencyChange | undefined;
  callees: Set<number>;
}

/** A behaviour that all calls lost or gained counts like a latency that rose by so many octaves. */
const STRUCTURE_OCTAVES = 6;
/** An edge that is as ever speaks by so much against its ends: a fault of a service shows on all edges of one direction. */
const UNAFFECTED_OCTAVES = 0.3;

export type EvidenceByService = Map<number, ServiceEvidence>;

function evidenceOf(evidence: EvidenceByService, service: number): ServiceEvidence {
  let row = evidence.get(service);
  if (!row) {
    row = {
      service,
      structure: 0,
      structureOf: undefined,
      selfTime: 0,
      selfTimeOf: undefined,
      incoming: 0,
      outgoing: 0,
      gapOf: undefined,
      callees: new Set(),
    };
    evidence.set(service, row);
  }
  return row;
}

export function gatherEvidence(normal: TraceProfileState, window: TraceWindow, names: TraceNames): EvidenceByService {
  const evidence: EvidenceByService = new Map();
  for (const change of featureChanges(normal, window)) {
    const row = evidenceOf(evidence, names.serviceOf(change.visit));
    const strength = STRUCTURE_OCTAVES * change.strength;
    if (strength > row.structure) Object.assign(row, { structure: strength, structureOf: change });
    const feature = featureOf(change.key);
    if (feature.kind === CALL) row.callees.add(names.serviceOf(feature.part));
  }
  for (const change of latencyChanges(normal, window, 'selfTimes')) {
    const row = evidenceOf(evidence, names.serviceOf(change.key));
    if (change.strength > row.selfTime) Object.assign(row, { selfTime: change.strength, selfTimeOf: change });
  }
  for (const change of latencyChanges(normal, window, 'gaps')) {
    const { caller, visit } = edgeOf(change.key);
    const from = evidenceOf(evidence, caller);
    const to = evidenceOf(evidence, names.serviceOf(visit));
    const points = change.strength - UNAFFECTED_OCTAVES;
    from.outgoing += points;
    to.incoming += points;
    from.callees.add(to.service);
    for (const row of [from, to]) if (change.strength > (row.gapOf?.strength ?? 0)) row.gapOf = change;
  }
  return evidence;
}

/** What the edges say: a service's trouble is seen by its callers; whether it also shows towards its callees depends on the trouble. */
export function networkEvidence({ incoming, outgoing }: ServiceEvidence): number {
  return Math.max(0, incoming + Math.max(0, outgoing));
}

export function totalEvidence(row: ServiceEvidence): number {
  return row.structure + row.selfTime + networkEvidence(row);
}
