import { linearQuantile } from './isolation-forest.ts';

const TAIL_SHARE = 0.05;
/** Share of normal windows that may score below the threshold; persistence makes far fewer alarms of them. */
export const FALSE_ALARM_SHARE = 1e-3;

/**
 * The score below which about `falseAlarmShare` of normal windows fall: that quantile of the history's scores. A real
 * fault in the history would pull it down, so it goes no lower than an exponential tail continued from the lowest 5 %
 * (peaks over threshold), whose scale comes from the tail's median: few faults do not move that.
 * `sorted` ascending and not empty.
 */
export function lowTailThreshold(sorted: Float64Array, falseAlarmShare = FALSE_ALARM_SHARE): number {
  const start = linearQuantile(sorted, TAIL_SHARE);
  const scale = (start - linearQuantile(sorted, TAIL_SHARE / 2)) / Math.LN2;
  const continued = start - scale * Math.log(TAIL_SHARE / falseAlarmShare);
  return Math.max(-1, continued, linearQuantile(sorted, falseAlarmShare));
}
