import type { RankedEntity } from '../ranking/metric-input.ts';

/** The last rows of an entity, for comparing what is with what was. Plain data. */
export interface RecentRows {
  series: readonly string[];
  rows: { timeMs: number; values: Float32Array }[];
}

const MAX_ROWS = 96;
/** Of rows that come faster, one in so long is kept. */
const MIN_DISTANCE_MS = 10_000;
/** Fewer rows before an onset do not tell what is usual. */
const MIN_NORMAL_ROWS = 10;

export function createRecentRows(): RecentRows {
  return { series: [], rows: [] };
}

/** `series` may have grown since the row before, at its end. */
export function addRecentRow(recent: RecentRows, series: readonly string[], timeMs: number, values: Float64Array): void {
  const { rows } = recent;
  if (timeMs - (rows.at(-1)?.timeMs ?? -Infinity) < MIN_DISTANCE_MS) return;
  recent.series = series;
  rows.push({ timeMs, values: Float32Array.from(values) });
  if (rows.length > MAX_ROWS) rows.shift();
}

/** The rows before and since an onset; undefined when either are too few. */
export function aroundOnset(
  name: string,
  { series, rows }: RecentRows,
  onsetMs: number,
  untilMs: number,
): RankedEntity | undefined {
  const normal = rows.filter(({ timeMs }) => timeMs < onsetMs);
  const anomalous = rows.filter(({ timeMs }) => timeMs >= onsetMs && timeMs <= untilMs);
  if (normal.length < MIN_NORMAL_ROWS || anomalous.length === 0) return undefined;
  const column = (part: typeof rows, index: number): number[] => part.map(({ values }) => values[index] ?? NaN);
  return {
    name,
    series: series.map((own, index) => ({ name: own, normal: column(normal, index), anomalous: column(anomalous, index) })),
  };
}
