import { rankMetricCauses } from '../detect/ranking/metric-causes.ts';
import type { MetricCauseInput, RankedEntity } from '../detect/ranking/metric-input.ts';
import type { Telemetry } from './telemetry.ts';

/** Candidates with scores, larger is likelier. */
export interface RankedCauses {
  byEntity: ReadonlyMap<string, number>;
  /** Keys of `seriesKey`. */
  bySeries: ReadonlyMap<string, number>;
}

/** What a ranker may use of a recording: never who was at fault, only the split and the end. */
export interface RankingSpan {
  /** What comes before is normal. */
  onsetMs: number;
  /** What comes from here on is not known yet. */
  untilMs: number;
  /** Rows from here to the onset were recorded just before it, those earlier at another time. */
  recentFromMs?: number;
}

export type Ranker = (input: MetricCauseInput) => RankedCauses;

/** With fewer rows of another time than this, those just before the onset are part of what is normal. */
const MIN_NORMAL_ROWS = 20;

export const seriesKey = (entity: string, series: string): string => `${entity}\0${series}`;

/** Two windows of every series. Entities without a row in the faulty one are left out. */
export function rankingInput(
  { tables, calls }: Telemetry,
  { onsetMs, untilMs, recentFromMs = onsetMs }: RankingSpan,
  entry?: MetricCauseInput['entry'],
): MetricCauseInput {
  const entities = tables.flatMap((table): RankedEntity[] => {
    const rows = table.timeMs;
    const firstAt = (timeMs: number): number => {
      const at = rows.findIndex((time) => time >= timeMs);
      return at < 0 ? rows.length : at;
    };
    const [onset, until] = [firstAt(onsetMs), firstAt(untilMs)];
    if (onset >= until) return [];
    const recent = firstAt(recentFromMs) < MIN_NORMAL_ROWS ? onset : firstAt(recentFromMs);
    const width = table.series.length;
    const series = table.series.map((name, i) => {
      const between = (from: number, to: number): Float64Array =>
        Float64Array.from({ length: to - from }, (_, k) => table.values[(from + k) * width + i] as number);
      const unit = table.units?.[i];
      const windows = { normal: between(0, recent), anomalous: between(onset, until), recent: between(recent, onset) };
      return { name, ...windows, ...(unit === undefined ? {} : { unit }) };
    });
    return [{ name: table.entity, series }];
  });
  return { entities, calls, ...(entry === undefined ? {} : { entry }) };
}

/** The ranking of the live detector. */
export function rankByHelios(input: MetricCauseInput): RankedCauses {
  const { byEntity, bySeries } = rankMetricCauses(input);
  return {
    byEntity: new Map(byEntity.map(({ entity, score }) => [entity, score])),
    bySeries: new Map(bySeries.map(({ entity, series, score }) => [seriesKey(entity, series), score])),
  };
}

const SPREAD_PER_IQR = 1 / 1.349;
const RELATIVE_FLOOR = 0.05;

const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor(share * (sorted.length - 1))] as number;

/**
 * BARO's RobustScorer (Pham et al., FSE 2024): the largest deviation from the normal median, in robust spreads; these have a floor of
 * 5 % of the median, so that units do not matter where a series rests.
 */
export function rankByRobustScore({ entities }: MetricCauseInput): RankedCauses {
  const bySeries = new Map<string, number>();
  const byEntity = new Map<string, number>();
  for (const { name: entity, series } of entities) {
    for (const { name, normal, anomalous } of series) {
      const sorted = Array.from(normal)
        .filter((value) => !Number.isNaN(value))
        .sort((a, b) => a - b);
      const faulty = Array.from(anomalous).filter((value) => !Number.isNaN(value));
      if (sorted.length === 0 || faulty.length === 0) continue;
      const centre = quantile(sorted, 0.5);
      const iqr = quantile(sorted, 0.75) - quantile(sorted, 0.25);
      const spread = Math.max(SPREAD_PER_IQR * iqr, RELATIVE_FLOOR * Math.abs(centre)) || 1;
      const score = Math.max(...faulty.map((value) => Math.abs(value - centre) / spread));
      bySeries.set(seriesKey(entity, name), score);
      byEntity.set(entity, Math.max(score, byEntity.get(entity) ?? 0));
    }
  }
  return { byEntity, bySeries };
}
