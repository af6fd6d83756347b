import type { Stage } from '../../model/anomaly.ts';
import { MIN_POINTS, SeriesModel, type SeriesReading } from '../series/series-model.ts';
import type { TickRow } from './tick-rows.ts';

/** What a row came to. Filled in place; arrays are by series and valid until the next row. */
export interface RowVerdict {
  stage: Stage;
  score: number;
  firing: boolean;
  expected: Float64Array;
  spread: Float64Array;
  residuals: Float64Array;
  shares: Float64Array;
}

export interface RowJudgeOptions {
  stepMs: number;
  seed: number;
  falseAlarmBudget: number;
}

/** Plain data. */
export interface RowJudgeState {
  options: RowJudgeOptions;
}

const HIGH = 8;

/** Judges the rows of one entity one after the other: residuals of its series, voters over them, alarm. */
export class RowJudge {
  readonly #stepMs: number;
  readonly #models: SeriesModel[] = [];
  readonly #reading: SeriesReading = { expected: NaN, spread: 1, residual: 0 };
  #verdict = emptyVerdict(0);
  #rows = 0;
  #isHigh = false;

  constructor({ stepMs }: RowJudgeOptions) {
    this.#stepMs = stepMs;
  }

  static restore({ options }: RowJudgeState): RowJudge {
    return new RowJudge(options);
  }

  state(): RowJudgeState {
    return { options: { stepMs: this.#stepMs, seed: 0, falseAlarmBudget: 0 } };
  }

  judge(row: TickRow): RowVerdict {
    const count = row.values.length;
    if (this.#verdict.residuals.length !== count) this.#verdict = emptyVerdict(count);
    while (this.#models.length < count) this.#models.push(new SeriesModel(this.#stepMs));
    const verdict = this.#verdict;
    this.#readSeries(row, verdict);
    let total = 0;
    for (const residual of verdict.residuals) total += Math.abs(residual);
    verdict.score = Math.max(0, ...verdict.residuals.map(Math.abs));
    for (let i = 0; i < count; i++) verdict.shares[i] = total > 0 ? (verdict.residuals[i] as number) / total : 0;
    verdict.firing = this.#isHigh && verdict.score >= HIGH;
    this.#isHigh = verdict.score >= HIGH;
    verdict.stage = this.#rows < MIN_POINTS ? 'warming_up' : 'baseline';
    for (let i = 0; i < count; i++) (this.#models[i] as SeriesModel).learn(row.timeMs, row.values[i] as number, verdict.firing);
    this.#rows++;
    return verdict;
  }

  #readSeries(row: TickRow, verdict: RowVerdict): void {
    const reading = this.#reading;
    for (let i = 0; i < row.values.length; i++) {
      (this.#models[i] as SeriesModel).read(row.timeMs, row.values[i] as number, reading);
      verdict.expected[i] = reading.expected;
      verdict.spread[i] = reading.spread;
      verdict.residuals[i] = reading.residual;
    }
  }
}

function emptyVerdict(count: number): RowVerdict {
  return {
    stage: 'warming_up',
    score: 0,
    firing: false,
    expected: new Float64Array(count),
    spread: new Float64Array(count),
    residuals: new Float64Array(count),
    shares: new Float64Array(count),
  };
}
