import type { MetricDetector, MetricDetectorOptions, MetricVerdict } from '../detect/metric-detector.ts';
import { createMetricDetector } from '../detect/metric-engine.ts';
import { createIsolationBaseline } from './baselines/isolation-baseline.ts';
import { createNSigmaBaseline } from './baselines/n-sigma-baseline.ts';
import { createPcaBaseline } from './baselines/pca-baseline.ts';
import { sampleStepMs, type EntityTable, type EntityVerdicts, type Telemetry } from './telemetry.ts';

export type DetectorName = 'helios' | 'n-sigma' | 'forest' | 'pca';
export type CreateMetricDetector = (options: MetricDetectorOptions) => MetricDetector;

export const DETECTORS: Record<DetectorName, CreateMetricDetector> = {
  helios: createMetricDetector,
  'n-sigma': createNSigmaBaseline,
  forest: createIsolationBaseline,
  pca: createPcaBaseline,
};

const FINDINGS_FROM_SCORE = 0.3;

/** Verdicts of one entity, gathered into columns. */
class VerdictColumns {
  readonly #table: EntityTable;
  readonly #column: Map<string, number>;
  readonly #time: number[] = [];
  readonly #end: number[] = [];
  readonly #score: number[] = [];
  readonly #firing: number[] = [];
  #residuals = new Float32Array(0);

  constructor(table: EntityTable) {
    this.#table = table;
    this.#column = new Map(table.series.map((name, i) => [name, i]));
  }

  add(verdict: MetricVerdict): void {
    const { timeMs, stepMs, score, firing } = verdict;
    const width = this.#table.series.length;
    const at = this.#time.length * width;
    if (at + width > this.#residuals.length) {
      const grown = new Float32Array(2 * this.#residuals.length + 64 * width);
      grown.set(this.#residuals);
      this.#residuals = grown;
    }
    this.#time.push(timeMs);
    this.#end.push(timeMs + stepMs);
    this.#score.push(Number.isFinite(score) ? score : 0);
    this.#firing.push(firing ? 1 : 0);
    // A score of nothing has no findings worth reading.
    for (const finding of score >= FINDINGS_FROM_SCORE ? verdict.findings : []) {
      const column = this.#column.get(finding.series);
      if (column !== undefined) this.#residuals[at + column] = finding.residual;
    }
  }

  take(): EntityVerdicts {
    return {
      entity: this.#table.entity,
      series: this.#table.series,
      timeMs: Float64Array.from(this.#time),
      endMs: Float64Array.from(this.#end),
      score: Float64Array.from(this.#score),
      firing: Uint8Array.from(this.#firing),
      residuals: this.#residuals.slice(0, this.#time.length * this.#table.series.length),
    };
  }
}

/** Rows of all tables in order of time, as [table, row]; of one time in the order of the tables. */
function* inOrderOfTime(tables: readonly EntityTable[]): Generator<readonly [table: number, row: number, timeMs: number]> {
  const next = tables.map(() => 0);
  for (;;) {
    let first = -1;
    for (let t = 0; t < tables.length; t++) {
      const time = (tables[t] as EntityTable).timeMs[next[t] as number];
      if (time === undefined) continue;
      if (first < 0 || time < ((tables[first] as EntityTable).timeMs[next[first] as number] as number)) first = t;
    }
    if (first < 0) return;
    const row = next[first] as number;
    next[first] = row + 1;
    yield [first, row, (tables[first] as EntityTable).timeMs[row] as number];
  }
}

export interface DetectionOptions {
  seed: number;
  falseAlarmBudget: number;
}

/** Plays a recording through a metric detector as it would have come in, and returns what it said by entity. */
export function detectSeries(telemetry: Telemetry, create: CreateMetricDetector, options: DetectionOptions): EntityVerdicts[] {
  const { tables } = telemetry;
  const columns = new Map(tables.map((table) => [table.entity, new VerdictColumns(table)]));
  const detector = create({ ...options, onVerdict: (verdict) => columns.get(verdict.entity)?.add(verdict) });
  let reached = -Infinity;
  for (const [t, row, timeMs] of inOrderOfTime(tables)) {
    // All points of one time come together; then time goes on.
    if (timeMs > reached && Number.isFinite(reached)) detector.advance(reached);
    reached = timeMs;
    const { entity, series, values } = tables[t] as EntityTable;
    for (let i = 0; i < series.length; i++) {
      const value = values[row * series.length + i] as number;
      if (!Number.isNaN(value)) detector.observe(entity, series[i] as string, timeMs, value);
    }
  }
  const longest = Math.max(0, ...tables.map(({ timeMs }) => sampleStepMs(timeMs)));
  if (Number.isFinite(reached)) {
    detector.advance(reached);
    detector.advance(reached + 2 * longest);
  }
  return [...columns.values()].map((column) => column.take());
}
