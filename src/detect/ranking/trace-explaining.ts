import { totalEvidence, type EvidenceByService } from './trace-evidence.ts';

/** How much of a change another one explains when it is at least as strong. */
const EXPLAINED = 0.8;

/** By what a service's change of behaviour is explained, and how much of it remains, 0 to 1. */
export interface Explanation {
  remaining: number;
  by: number | undefined;
}

/**
 * Explaining away along call edges, from callees to callers (after Pearl, "Probabilistic Reasoning in Intelligent Systems",
 * 1988, section 4.3): who gets another answer, or none, behaves differently, so a caller's change is a symptom when something
 * that it calls, directly or through others, has changed as much. A change in how often a service is called is no evidence
 * in the first place: all shares are shares of its calls.
 */
export function explainAway(evidence: EvidenceByService): Map<number, Explanation> {
  const explanations = new Map<number, Explanation>();
  for (const row of evidence.values()) {
    let best: Explanation = { remaining: 1, by: undefined };
    for (const callee of reachable(row.service, evidence)) {
      const other = evidence.get(callee);
      if (!other || row.structure === 0) continue;
      const remaining = 1 - EXPLAINED * Math.min(1, totalEvidence(other) / row.structure);
      if (remaining < best.remaining) best = { remaining, by: callee };
    }
    explanations.set(row.service, best);
  }
  return explanations;
}

/** Services called by `from`, directly or through others. */
function reachable(from: number, evidence: EvidenceByService): Set<number> {
  const seen = new Set<number>();
  const queue = [from];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const callee of evidence.get(next)?.callees ?? []) {
      if (callee === from || seen.has(callee)) continue;
      seen.add(callee);
      queue.push(callee);
    }
  }
  return seen;
}
