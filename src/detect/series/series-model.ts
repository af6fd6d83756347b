/** What a series' own history says of one value. Filled in place by `SeriesModel.read`. */
export interface SeriesReading {
  /** Robust centre expected at this time, in the unit of the series; NaN before there is any history. */
  expected: number;
  /** Robust spread around it, one standard deviation, in the unit of the series; > 0. */
  spread: number;
  /** Signed deviation in spreads, minimum effects applied; 0 for a missing value or before `MIN_POINTS` points. */
  residual: number;
}

/** Points before a reading is compared with anything. */
export const MIN_POINTS = 30;

const SPREAD_PER_IQR = 1 / 1.349;
const RELATIVE_FLOOR = 0.05;
const HISTORY = 512;
const EVERY = 8;

/**
 * The history of one series on a grid of any step: robust level and spread. Causal: `read` judges a value by what was
 * learned before it.
 */
export class SeriesModel {
  readonly stepMs: number;
  readonly #history: number[] = [];
  #centre = NaN;
  #spread = 1;
  #age = 0;

  constructor(stepMs: number) {
    this.stepMs = stepMs;
  }

  /** Judges `value` at `timeMs`; NaN is a missing value. */
  read(_timeMs: number, value: number, reading: SeriesReading): void {
    reading.expected = this.#centre;
    reading.spread = this.#spread;
    reading.residual = Number.isNaN(value) || this.#age < MIN_POINTS ? 0 : (value - this.#centre) / this.#spread;
  }

  /** Adds `value`; `frozen` while an incident of the entity is open: nothing of it may become normal at once. */
  learn(_timeMs: number, value: number, frozen: boolean): void {
    if (Number.isNaN(value) || frozen) return;
    this.#history.push(value);
    if (this.#history.length > HISTORY) this.#history.shift();
    if (this.#age++ % EVERY === 0 || this.#age <= MIN_POINTS) this.#refresh();
  }

  #refresh(): void {
    const sorted = this.#history.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] as number;
    this.#centre = at(0.5);
    const floor = RELATIVE_FLOOR * Math.abs(this.#centre) + 1e-9;
    this.#spread = Math.max((at(0.75) - at(0.25)) * SPREAD_PER_IQR, floor);
  }
}
