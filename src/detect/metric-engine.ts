import type { Aggregation, MetricDetector, MetricDetectorOptions, MetricVerdict, SeriesFinding } from './metric-detector.ts';
import { MAX_FINDINGS } from './metric-detector.ts';
import { createEntitySeries, seriesIndex, type EntitySeries } from './metric/entity-series.ts';
import { RowJudge, type RowVerdict } from './metric/row-judge.ts';
import { addPoint, closeTicks, createTickRows, type TickRow, type TickRowsState } from './metric/tick-rows.ts';

interface MetricEntity {
  name: string;
  series: EntitySeries;
  rows: TickRowsState;
  judge: RowJudge | null;
}

const MAX_SERIES = 200;
const BAND_SPREADS = 3;

/** Metric series of any number of entities, each on its own grid. */
export function createMetricDetector(options: MetricDetectorOptions): MetricDetector {
  return new MetricEngine(options);
}

class MetricEngine implements MetricDetector {
  readonly #options: MetricDetectorOptions;
  readonly #entities = new Map<string, MetricEntity>();

  constructor(options: MetricDetectorOptions) {
    this.#options = options;
  }

  observe(entity: string, series: string, timeMs: number, value: number, aggregation: Aggregation = 'last'): void {
    const known = this.#entities.get(entity) ?? this.#add(entity);
    const index = seriesIndex(known.series, series, MAX_SERIES);
    if (index >= 0) addPoint(known.rows, index, timeMs, value, aggregation);
  }

  advance(untilMs: number): void {
    for (const entity of this.#entities.values()) {
      closeTicks(entity.rows, untilMs, entity.series.names.length, (row) => this.#judge(entity, row));
    }
  }

  #add(name: string): MetricEntity {
    const entity = { name, series: createEntitySeries(), rows: createTickRows(), judge: null };
    this.#entities.set(name, entity);
    return entity;
  }

  #judge(entity: MetricEntity, row: TickRow): void {
    const stepMs = entity.rows.grid?.stepMs ?? 1000;
    entity.judge ??= new RowJudge(stepMs);
    this.#options.onVerdict(verdictOf(entity, stepMs, row, entity.judge.judge(row)));
  }
}

function verdictOf(entity: MetricEntity, stepMs: number, row: TickRow, result: RowVerdict): MetricVerdict {
  const { stage, score, firing } = result;
  let findings: SeriesFinding[] | undefined;
  return {
    entity: entity.name,
    timeMs: row.timeMs,
    stepMs,
    stage,
    score,
    firing,
    // Most verdicts are looked at for their score alone.
    get findings() {
      findings ??= findingsOf(entity.series.names, row, result);
      return findings;
    },
  };
}

function findingsOf(
  names: readonly string[],
  row: TickRow,
  { expected, spread, residuals, shares }: RowVerdict,
): SeriesFinding[] {
  const findings: SeriesFinding[] = [];
  for (const [i, series] of names.entries()) {
    const observed = row.values[i] as number;
    const centre = expected[i] as number;
    if (Number.isNaN(observed) || Number.isNaN(centre)) continue;
    const reach = BAND_SPREADS * (spread[i] as number);
    findings.push({
      series,
      observed,
      expected: centre,
      low: centre - reach,
      high: centre + reach,
      residual: residuals[i] as number,
      share: shares[i] as number,
    });
  }
  const size = (finding: SeriesFinding): number => Math.abs(finding.share) * 1e6 + Math.abs(finding.residual);
  return findings.sort((a, b) => size(b) - size(a)).slice(0, MAX_FINDINGS);
}
