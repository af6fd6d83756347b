import type { GeneratorOptions } from './generator-options.ts';

const DAY_MS = 24 * 3_600_000;

/** The plan's set for training and judging a model: seven days with their seasons, 5 % of the time anomalous. */
export const PLAN_SET = { durationMs: 7 * DAY_MS, anomalousShare: 0.05, warmUpMs: DAY_MS / 2 } as const;

/** Options of the plan's set from a moment on. */
export function planSetOptions(options: Pick<GeneratorOptions, 'startMs' | 'seed' | 'rate' | 'services'>): GeneratorOptions {
  return { ...options, ...PLAN_SET };
}
