import type {
  Aggregation,
  MetricDetector,
  MetricDetectorOptions,
  MetricVerdict,
  SeriesFinding,
  SeriesTarget,
} from './metric-detector.ts';
import { MAX_FINDINGS } from './metric-detector.ts';
import { createEntitySeries, seriesIndex, type EntitySeries } from './metric/entity-series.ts';
import { RowJudge, type RowJudgeState, type RowVerdict } from './metric/row-judge.ts';
import { addPoint, closeTicks, createTickRows, type TickRow, type TickRowsState } from './metric/tick-rows.ts';

/** Plain data. */
export interface MetricEntityState {
  name: string;
  series: EntitySeries;
  rows: TickRowsState;
  judge: RowJudgeState | null;
}

interface MetricEntity extends Omit<MetricEntityState, 'judge'> {
  judge: RowJudge | null;
}

export interface MetricEngineOptions extends MetricDetectorOptions {
  /** Called with every row before its verdict; the arrays are valid until the next. */
  onRow?: (entity: string, series: readonly string[], row: TickRow) => void;
}

/** Of one entity; beyond it a series is refused. */
const MAX_ENTITY_SERIES = 200;
const BAND_SPREADS = 3;
/** Entities without new points are looked at again when time has gone on by this much. */
const SWEEP_MS = 1000;

/** Metric series of any number of entities, each on its own grid. */
export class MetricEngine implements MetricDetector {
  readonly #options: MetricEngineOptions;
  readonly #entities = new Map<string, MetricEntity>();
  readonly #touched = new Set<MetricEntity>();
  #seriesCount = 0;
  #sweptMs = -Infinity;

  constructor(options: MetricEngineOptions) {
    this.#options = options;
  }

  get seriesCount(): number {
    return this.#seriesCount;
  }

  observe(entity: string, series: string, timeMs: number, value: number, aggregation: Aggregation = 'last'): void {
    const known = this.#entityNamed(entity);
    const index = this.#indexOf(known, series);
    if (index >= 0) this.#add(known, index, timeMs, value, aggregation);
  }

  target(entity: string, series: string): SeriesTarget | null {
    const known = this.#entityNamed(entity);
    const index = this.#indexOf(known, series);
    if (index < 0) return null;
    return { add: (timeMs, value, aggregation) => this.#add(known, index, timeMs, value, aggregation) };
  }

  advance(untilMs: number): void {
    const isSweep = untilMs - this.#sweptMs >= SWEEP_MS;
    if (isSweep) this.#sweptMs = untilMs;
    for (const entity of isSweep ? this.#entities.values() : this.#touched) {
      closeTicks(entity.rows, untilMs, entity.series.names.length, (row) => this.#judge(entity, row));
    }
    this.#touched.clear();
  }

  states(): MetricEntityState[] {
    return [...this.#entities.values()].map((entity) => ({ ...entity, judge: entity.judge?.snapshot() ?? null }));
  }

  restore(states: readonly MetricEntityState[]): void {
    this.#entities.clear();
    this.#touched.clear();
    this.#seriesCount = 0;
    this.#sweptMs = -Infinity;
    for (const state of states) {
      this.#entities.set(state.name, { ...state, judge: state.judge && RowJudge.restore(state.judge) });
      this.#seriesCount += state.series.names.length;
    }
  }

  /** Forgets an entity; targets of its series go on without effect. */
  forget(name: string): void {
    const entity = this.#entities.get(name);
    if (!entity) return;
    this.#entities.delete(name);
    this.#touched.delete(entity);
    this.#seriesCount -= entity.series.names.length;
  }

  #entityNamed(name: string): MetricEntity {
    const known = this.#entities.get(name);
    if (known) return known;
    const entity = { name, series: createEntitySeries(), rows: createTickRows(), judge: null };
    this.#entities.set(name, entity);
    return entity;
  }

  #indexOf({ series }: MetricEntity, name: string): number {
    const before = series.names.length;
    const isFull = this.#seriesCount >= (this.#options.maxSeries ?? Infinity);
    const index = seriesIndex(series, name, isFull ? 0 : MAX_ENTITY_SERIES);
    this.#seriesCount += series.names.length - before;
    return index;
  }

  #add(entity: MetricEntity, index: number, timeMs: number, value: number, aggregation: Aggregation): void {
    addPoint(entity.rows, index, timeMs, value, aggregation);
    this.#touched.add(entity);
  }

  #judge(entity: MetricEntity, row: TickRow): void {
    const stepMs = entity.rows.grid?.stepMs ?? 1000;
    const { seed, falseAlarmBudget } = this.#options;
    entity.judge ??= new RowJudge({ stepMs, seed, falseAlarmBudget });
    this.#options.onRow?.(entity.name, entity.series.names, row);
    this.#options.onVerdict(verdictOf(entity, stepMs, row, entity.judge.judge(row)));
  }
}

export function createMetricDetector(options: MetricDetectorOptions): MetricDetector {
  return new MetricEngine(options);
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
    const [low, high] = [centre - reach, centre + reach];
    findings.push({
      series,
      observed,
      expected: centre,
      low,
      high,
      residual: residuals[i] as number,
      share: shares[i] as number,
    });
  }
  // By share; where nobody has one, by residual.
  const size = (finding: SeriesFinding): number => Math.abs(finding.share) * 1e6 + Math.abs(finding.residual);
  return findings.sort((a, b) => size(b) - size(a)).slice(0, MAX_FINDINGS);
}
