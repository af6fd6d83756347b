/** How a share varies from block to block. */
export interface ShareSpread {
  blocks: number;
  sum: number;
  squares: number;
  /** Sum of 1/n over the blocks' counts. */
  inverses: number;
}

/** Normal behaviour. Plain data. */
export interface TraceProfileState {
  calls: Map<number, number>;
  features: Map<number, number>;
  selfTimes: Map<number, Uint32Array>;
  gaps: Map<number, Uint32Array>;
  /** Blocks in which a visit had enough calls, and the sum of 1/calls over them. */
  visitBlocks: Map<number, { blocks: number; inverses: number }>;
  /** Sum and sum of squares of a feature's share over those blocks. */
  featureShares: Map<number, { sum: number; squares: number }>;
  selfTimeRanks: Map<number, ShareSpread>;
  gapRanks: Map<number, ShareSpread>;
}

export function createTraceProfileState(): TraceProfileState {
  return {
    calls: new Map(),
    features: new Map(),
    selfTimes: new Map(),
    gaps: new Map(),
    visitBlocks: new Map(),
    featureShares: new Map(),
    selfTimeRanks: new Map(),
    gapRanks: new Map(),
  };
}
