import type { Stage } from '../../model/anomaly.ts';
import { Aftermath } from '../alarm/aftermath.ts';
import { WARM_UP_TICKS, type AlarmState } from '../alarm/alarm-rule.ts';
import { EntityAlarm } from '../alarm/entity-alarm.ts';
import { applyState, captureState, type InstanceState } from '../instance-state.ts';
import { SeriesModel, type SeriesReading } from '../series/series-model.ts';
import { EntityVoters, VOTERS } from '../voters/entity-voters.ts';
import type { EntityScore } from '../voters/voter-row.ts';
import type { TickRow } from './tick-rows.ts';

/** What a row came to. Filled in place; arrays are by series and valid until the next row. */
export interface RowVerdict {
  stage: Stage;
  score: number;
  firing: boolean;
  alarm: AlarmState;
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
  seriesCount: number;
  state: InstanceState;
}

/** Judges the rows of one entity one after the other: residuals of its series, voters over them, alarm. */
export class RowJudge {
  readonly options: RowJudgeOptions;
  private readonly models: SeriesModel[] = [];
  private readonly reading: SeriesReading = { expected: NaN, spread: 1, residual: 0, departure: 0, away: 0 };
  private voters: EntityVoters | null = null;
  private alarm: EntityAlarm | null = null;
  private readonly aftermath = new Aftermath();
  private score: EntityScore = emptyScore(0);
  private verdict = emptyVerdict(0);
  private departures = new Float64Array(0);
  private rows = 0;

  constructor(options: RowJudgeOptions) {
    this.options = options;
  }

  static restore({ options, seriesCount, state }: RowJudgeState): RowJudge {
    const judge = new RowJudge(options);
    judge.fit(seriesCount);
    applyState(judge, state);
    return judge;
  }

  snapshot(): RowJudgeState {
    return { options: this.options, seriesCount: this.models.length, state: captureState(this) };
  }

  judge(row: TickRow): RowVerdict {
    const { timeMs, values } = row;
    this.fit(values.length);
    const verdict = this.verdict;
    const largest = this.readSeries(row, verdict);
    const voterRow = { timeMs, values, residuals: verdict.residuals };
    const voters = this.voters as EntityVoters;
    voters.score(voterRow, this.score);
    const alarm = this.alarm as EntityAlarm;
    verdict.firing = alarm.next(this.departures, this.score.score, timeMs);
    verdict.alarm = alarm.state;
    verdict.score = this.score.score * (values.length > 1 ? this.aftermath.keep(largest) : 1);
    sharesOf(this.score.shares, alarm.shares, verdict.shares);
    verdict.stage = this.rows < WARM_UP_TICKS ? 'warming_up' : 'baseline';
    voters.learn(voterRow, verdict.firing);
    for (let i = 0; i < values.length; i++) (this.models[i] as SeriesModel).learn(timeMs, values[i] as number, verdict.firing);
    this.rows++;
    return verdict;
  }

  /** New series of the entity: what looks at all of them together begins anew, what single series have learned stays. */
  private fit(seriesCount: number): void {
    if (this.voters && seriesCount === this.models.length) return;
    const { stepMs, seed, falseAlarmBudget } = this.options;
    while (this.models.length < seriesCount) this.models.push(new SeriesModel(stepMs));
    this.voters = new EntityVoters({ seriesCount, stepMs, seed });
    this.alarm = new EntityAlarm({ seriesCount, stepMs, falseAlarmBudget });
    this.score = emptyScore(seriesCount);
    this.verdict = emptyVerdict(seriesCount);
    this.departures = new Float64Array(seriesCount);
  }

  /** Returns how far off its usual the most deviating series is, in spreads. */
  private readSeries(row: TickRow, verdict: RowVerdict): number {
    const reading = this.reading;
    let largest = 0;
    for (let i = 0; i < row.values.length; i++) {
      (this.models[i] as SeriesModel).read(row.timeMs, row.values[i] as number, reading);
      verdict.expected[i] = reading.expected;
      verdict.spread[i] = reading.spread;
      verdict.residuals[i] = reading.residual;
      this.departures[i] = reading.departure;
      largest = Math.max(largest, reading.away);
    }
    return largest;
  }
}

/** Parts of the series in the combination; where no few drive that, their own evidence, so that one series far out is named. */
function sharesOf(combined: Float64Array, own: Float64Array, shares: Float64Array): void {
  const ofCombined = sizeOf(combined);
  const source = ofCombined > 0 ? combined : own;
  const total = ofCombined > 0 ? Math.max(1, ofCombined) : sizeOf(own);
  for (let i = 0; i < shares.length; i++) shares[i] = total > 0 ? (source[i] as number) / total : 0;
}

function sizeOf(parts: Float64Array): number {
  let size = 0;
  for (const part of parts) size += Math.abs(part);
  return size;
}

function emptyScore(count: number): EntityScore {
  return { score: 0, votes: new Float64Array(VOTERS.length), shares: new Float64Array(count) };
}

function emptyVerdict(count: number): RowVerdict {
  return {
    stage: 'warming_up',
    score: 0,
    firing: false,
    alarm: 'warming_up',
    expected: new Float64Array(count),
    spread: new Float64Array(count),
    residuals: new Float64Array(count),
    shares: new Float64Array(count),
  };
}
