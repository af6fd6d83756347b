/** A call graph by number. */
export interface FlowGraph {
  /** By node: its callees. */
  callees: readonly (readonly number[])[];
  /** By node: amount of the symptom; >= 0. */
  excess: ArrayLike<number>;
  /** By node: share of what arises in it that stays with it; 0 for a component that only passes calls on. */
  keeps: ArrayLike<number>;
}

/** Longer call chains are followed no further; also what ends a cycle. */
const MAX_HOPS = 32;
const NEGLIGIBLE = 1e-6;

/**
 * Where the symptom of `entries` (weights by node) arises: shares by node, adding up to at most the sum of the weights. An
 * absorbing walk down the calls: of what reaches a node, each callee takes the part that its own excess explains (client minus
 * server: what callees do not explain arises in the node). Upstream symptoms are thus explained away by their deepest cause.
 * After the random walks of MonitorRank (Kim, Sumbaly and Shah, SIGMETRICS 2013), directed, and weighted by conserved amounts
 * instead of correlations.
 */
export function originShares(graph: FlowGraph, entries: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(entries.length);
  let arriving = Float64Array.from(entries);
  for (let hop = 0; hop < MAX_HOPS && arriving.some((part) => part > NEGLIGIBLE); hop++) {
    const next = new Float64Array(arriving.length);
    arriving.forEach((part, node) => {
      if (part > NEGLIGIBLE) settle(graph, node, part, shares, next);
    });
    arriving = next;
  }
  return shares;
}

function settle(graph: FlowGraph, node: number, part: number, shares: Float64Array, next: Float64Array): void {
  const callees = graph.callees[node] as readonly number[];
  const own = graph.excess[node] as number;
  let explained = 0;
  for (const callee of callees) explained += graph.excess[callee] as number;
  const keeps = graph.keeps[node] as number;
  if (explained <= 0) {
    shares[node] = (shares[node] as number) + part * keeps;
    return;
  }
  const self = Math.max(0, own - explained) * keeps;
  shares[node] = (shares[node] as number) + (part * self) / (self + explained);
  for (const callee of callees) {
    const amount = graph.excess[callee] as number;
    next[callee] = (next[callee] as number) + (part * amount) / (self + explained);
  }
}
