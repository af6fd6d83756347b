/**
 * Turns a residual into a p-value by the series' own history: a running high quantile and an exponential tail above it,
 * the peaks-over-threshold idea of SPOT (Siffer et al., KDD 2017) with shape 0 and a Gaussian prior. Bursty series get a
 * long tail and so fewer alarms, steady ones a short tail and so faster ones.
 */
export interface TailCalibration {
  count: number;
  /** Residual that a `TAIL_SHARE` of history exceeds. */
  threshold: number;
  excessCount: number;
  excessSum: number;
}

const TAIL_SHARE = 0.02;
const NORMAL_THRESHOLD = 2.05;
const NORMAL_EXCESS = 0.4;
const PRIOR_EXCESSES = 10;
const MAX_EXCESS = 8;
const MAX_EFFECTIVE_COUNT = 20_000;

export function createTailCalibration(): TailCalibration {
  return { count: 0, threshold: NORMAL_THRESHOLD, excessCount: 0, excessSum: 0 };
}

/** Evidence against the residual being chance, -log10 p; 0 for anything below the threshold. */
export function tailEvidence(state: TailCalibration, residual: number): number {
  const threshold = Math.max(state.threshold, NORMAL_THRESHOLD);
  if (residual <= threshold) return 0;
  const mean = (state.excessSum + PRIOR_EXCESSES * NORMAL_EXCESS) / (state.excessCount + PRIOR_EXCESSES);
  const uncertain = 1 + 2 / Math.sqrt(state.count + 4);
  const scale = Math.max(mean, NORMAL_EXCESS) * uncertain;
  return -Math.log10(TAIL_SHARE) + (residual - threshold) / (scale * Math.LN10);
}

/** Adds a residual of a stretch without an anomaly. */
export function learnTail(state: TailCalibration, residual: number): void {
  state.count = Math.min(state.count + 1, MAX_EFFECTIVE_COUNT);
  const gain = Math.max(0.02, 4 / (state.count + 20));
  const above = residual > state.threshold;
  if (above) {
    state.excessCount += 1;
    state.excessSum += Math.min(residual - state.threshold, MAX_EXCESS);
    if (state.excessCount > MAX_EFFECTIVE_COUNT * TAIL_SHARE) {
      state.excessCount /= 2;
      state.excessSum /= 2;
    }
  }
  state.threshold = Math.max(0, state.threshold + gain * ((above ? 1 : 0) - TAIL_SHARE) * 2);
}
