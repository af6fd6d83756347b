import type { MetricDetector, MetricDetectorOptions, SeriesTarget } from '../../detect/metric-detector.ts';

/** What a baseline says of one row; filled in place. */
export interface RowScore {
  score: number;
  /** By series, signed. */
  residuals: Float64Array;
}

/** A simple method over the rows of one entity; `score` judges before the row is learned. */
export interface RowMethod {
  score(values: Float64Array, out: RowScore): void;
}

const CALIBRATION_ROWS = 64;
const DAY_MS = 86_400_000;

/** Fires above all earlier scores but as many as the budget allows in the time they took. */
class BudgetThreshold {
  readonly #largest: number[] = [];
  readonly #budget: number;
  #seen = 0;
  #fromMs = NaN;

  constructor(budget: number) {
    this.#budget = budget;
  }

  next(score: number, timeMs: number): boolean {
    if (this.#seen++ === 0) this.#fromMs = timeMs;
    const allowed = Math.floor((this.#budget * (timeMs - this.#fromMs)) / DAY_MS);
    const bar = this.#largest[Math.min(allowed, this.#largest.length - 1)];
    const fires = this.#seen > CALIBRATION_ROWS && score > (bar ?? Infinity);
    let at = this.#largest.findIndex((other) => other < score);
    if (at < 0) at = this.#largest.length;
    this.#largest.splice(at, 0, score);
    this.#largest.length = Math.min(this.#largest.length, allowed + 2);
    return fires;
  }
}

interface BaselineEntity {
  names: string[];
  pending: Map<number, { values: number[] }>;
  method: RowMethod | null;
  threshold: BudgetThreshold;
  out: RowScore;
  last: Float64Array;
  lastMs: number;
}

/** Runs a method over rows, a row being all points of an entity with one stamp; missing values keep the last one. */
export class RowBaseline implements MetricDetector {
  readonly #options: MetricDetectorOptions;
  readonly #create: (seriesCount: number, seed: number) => RowMethod;
  readonly #entities = new Map<string, BaselineEntity>();

  constructor(options: MetricDetectorOptions, create: (seriesCount: number, seed: number) => RowMethod) {
    this.#options = options;
    this.#create = create;
  }

  observe(entity: string, series: string, timeMs: number, value: number): void {
    let known = this.#entities.get(entity);
    if (!known) {
      const out = { score: 0, residuals: new Float64Array(0) };
      const threshold = new BudgetThreshold(this.#options.falseAlarmBudget);
      known = { names: [], pending: new Map(), method: null, threshold, out, last: new Float64Array(0), lastMs: NaN };
      this.#entities.set(entity, known);
    }
    let index = known.names.indexOf(series);
    if (index < 0) index = known.names.push(series) - 1;
    let row = known.pending.get(timeMs);
    if (!row) known.pending.set(timeMs, (row = { values: [] }));
    row.values[index] = value;
  }

  target(entity: string, series: string): SeriesTarget {
    return { add: (timeMs, value) => this.observe(entity, series, timeMs, value) };
  }

  advance(untilMs: number): void {
    for (const [name, entity] of this.#entities) {
      for (const [timeMs, { values }] of entity.pending) {
        if (timeMs > untilMs) continue;
        entity.pending.delete(timeMs);
        this.#judge(name, entity, timeMs, values);
      }
    }
  }

  #judge(name: string, entity: BaselineEntity, timeMs: number, values: readonly number[]): void {
    const count = entity.names.length;
    if (entity.last.length !== count) {
      // A new series: the method starts anew, for its rows are wider now.
      entity.method = this.#create(count, this.#options.seed);
      entity.last = Float64Array.from({ length: count }, (_, i) => entity.last[i] ?? 0);
      entity.out.residuals = new Float64Array(count);
    }
    for (let i = 0; i < count; i++) entity.last[i] = values[i] ?? (entity.last[i] as number);
    entity.method?.score(entity.last, entity.out);
    const { score, residuals } = entity.out;
    const firing = entity.threshold.next(score, timeMs);
    const stepMs = Number.isNaN(entity.lastMs) ? 1 : timeMs - entity.lastMs;
    entity.lastMs = timeMs;
    const findings = entity.names.map((series, i) => {
      const observed = entity.last[i] as number;
      return { series, observed, expected: NaN, low: NaN, high: NaN, residual: residuals[i] as number, share: 0 };
    });
    this.#options.onVerdict({ entity: name, timeMs, stepMs, stage: 'baseline', score, firing, findings });
  }
}

/** When a method that is fitted on history fits again: at 64 rows, and each time the history has doubled. */
export function refitsAt(rows: number): boolean {
  return rows >= CALIBRATION_ROWS && (rows & (rows - 1)) === 0;
}

/** The rows seen last, row-major. */
export class RecentRows {
  readonly width: number;
  readonly #capacity: number;
  readonly #values: Float64Array;
  count = 0;

  constructor(width: number, capacity = 4096) {
    this.width = width;
    this.#capacity = capacity;
    this.#values = new Float64Array(width * capacity);
  }

  push(row: Float64Array): void {
    this.#values.set(row, (this.count++ % this.#capacity) * this.width);
  }

  all(): Float64Array {
    return this.#values.subarray(0, Math.min(this.count, this.#capacity) * this.width);
  }
}
