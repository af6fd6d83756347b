import type { Stage } from '../../model/anomaly.ts';
import { AlarmRule, WARM_UP_TICKS } from '../alarm/alarm-rule.ts';
import { SeriesModel, type SeriesReading } from '../series/series-model.ts';
import { EntityVoters, VOTERS } from '../voters/entity-voters.ts';
import type { EntityScore } from '../voters/voter-row.ts';
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

/** Judges the rows of one entity one after the other: residuals of its series, voters over them, alarm. */
export class RowJudge {
  readonly options: RowJudgeOptions;
  readonly #models: SeriesModel[] = [];
  readonly #reading: SeriesReading = { expected: NaN, spread: 1, residual: 0 };
  readonly #alarm: AlarmRule;
  #voters: EntityVoters | null = null;
  #score: EntityScore = emptyScore(0);
  #verdict = emptyVerdict(0);
  #rows = 0;

  constructor(options: RowJudgeOptions) {
    this.options = options;
    this.#alarm = new AlarmRule(options);
  }

  judge(row: TickRow): RowVerdict {
    const { timeMs, values } = row;
    this.#fit(values.length);
    const verdict = this.#verdict;
    this.#readSeries(row, verdict);
    const voterRow = { timeMs, values, residuals: verdict.residuals };
    const voters = this.#voters as EntityVoters;
    voters.score(voterRow, this.#score);
    verdict.shares = this.#score.shares;
    verdict.firing = this.#alarm.next(this.#score.score, timeMs, leadOf(verdict));
    verdict.score = this.#score.score;
    verdict.stage = this.#rows < WARM_UP_TICKS ? 'warming_up' : 'baseline';
    voters.learn(voterRow, verdict.firing);
    for (let i = 0; i < values.length; i++) (this.#models[i] as SeriesModel).learn(timeMs, values[i] as number, verdict.firing);
    this.#rows++;
    return verdict;
  }

  /** New series of the entity: voters over rows of another width begin anew, what single series have learned stays. */
  #fit(seriesCount: number): void {
    if (this.#voters && seriesCount === this.#models.length) return;
    const { stepMs, seed } = this.options;
    while (this.#models.length < seriesCount) this.#models.push(new SeriesModel(stepMs));
    this.#voters = new EntityVoters({ seriesCount, stepMs, seed });
    this.#score = emptyScore(seriesCount);
    this.#verdict = emptyVerdict(seriesCount);
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

/** Which series leads and where to: what the alarm rule compares episodes by. */
function leadOf({ residuals }: RowVerdict): string {
  let lead = 0;
  for (let i = 1; i < residuals.length; i++) {
    if (Math.abs(residuals[i] as number) > Math.abs(residuals[lead] as number)) lead = i;
  }
  return `${lead}${(residuals[lead] as number) < 0 ? '-' : '+'}`;
}

function emptyScore(count: number): EntityScore {
  return { score: 0, votes: new Float64Array(VOTERS.length), shares: new Float64Array(count) };
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
