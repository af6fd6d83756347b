import type { CallGraph } from './call-graph.ts';
import type { Reachability } from './cause-ranking.ts';
import { kinByMovement, type CoMovement, type Kin } from './co-movement.ts';

/** What is known of two services beside their anomalies: who calls whom, and whether they live by the same traffic. */
export interface Kinship extends Reachability {
  /** Symmetric, and apart from call paths, which `reaches` tells. */
  kin(a: string, b: string): Kin;
}

/**
 * Services that move together are kin whatever the graph says, for not every call is traced. Two that the graph knows and
 * does not connect are strangers, unless they call the same service, which may be what fails unseen.
 */
export function createKinship(graph: CallGraph, movementOf: (service: string) => CoMovement | undefined): Kinship {
  return {
    reaches: (caller, callee) => graph.reaches(caller, callee),
    kin(a, b) {
      const [movementA, movementB] = [movementOf(a), movementOf(b)];
      const byMovement = movementA && movementB ? kinByMovement(movementA, movementB) : 'unknown';
      if (byMovement === 'related') return 'related';
      if (!graph.knows(a) || !graph.knows(b)) return byMovement;
      const callees = new Set(graph.calleesOf(a));
      return graph.calleesOf(b).some((callee) => callees.has(callee)) ? 'unknown' : 'unrelated';
    },
  };
}
