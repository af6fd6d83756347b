import { changeScore, finiteSorted, quantile, type ChangeScale, type SeriesChange } from './change-score.ts';
import type { RankedSeries } from './metric-input.ts';
import type { MetricRole } from './metric-role.ts';

/** Least change of a success or failure share that is of interest. */
const LEAST_SHARE = 0.001;

function scaleOf(role: MetricRole, normal: ArrayLike<number>): ChangeScale {
  const sorted = finiteSorted(normal);
  if (role === 'success' || role === 'failure') {
    const ceiling = (sorted.at(-1) ?? 1) > 1 ? 100 : 1;
    return { ideal: role === 'success' ? ceiling : 0, least: LEAST_SHARE * ceiling };
  }
  // Counts of independent events vary by the root of their mean (Poisson).
  const usual = quantile(sorted, 0.5);
  return { ideal: 0, least: role === 'count' ? Math.sqrt(Math.max(1, Number.isNaN(usual) ? 0 : usual)) : 0 };
}

/** `changeScore` with what the role of the series says of its scale. */
export function metricChange({ normal, anomalous, recent }: RankedSeries, role: MetricRole): SeriesChange {
  return changeScore(normal, anomalous, recent, scaleOf(role, normal));
}
