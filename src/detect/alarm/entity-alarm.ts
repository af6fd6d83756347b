import { AlarmRule } from './alarm-rule.ts';
import type { AlarmMemory, AlarmOptions, AlarmState } from './alarm-rule.ts';
import { EvidenceSum } from './evidence-sum.ts';
import type { EvidenceSumState } from './evidence-sum.ts';

/** Plain data. */
export interface EntityAlarmState {
  sum: EvidenceSumState;
  ofSeries: AlarmMemory;
  ofVoters: AlarmMemory;
  /** Rows without a departure since the last one in the voters' episode; NaN when no series has departed in it. */
  calmRows: number;
}

/** A row with a departure of this many spreads; so many rows without one end what began with one. */
const DEPARTURE = 3;
const RELEASE_ROWS = 2;
/** The states of both rules, the one that says most first. */
const BY_WEIGHT: readonly AlarmState[] = ['firing', 'muted_frequent', 'settled', 'pending', 'warming_up', 'quiet'];

/**
 * Fires for an entity with series: when its series deviate, each by its own tail (`EvidenceSum`), or when their combination is strange
 * (the score of the voters). Both share the budget of false
 * alarms. One series alone is no combination.
 */
export class EntityAlarm {
  private readonly sum: EvidenceSum;
  private readonly ofSeries: AlarmRule;
  private readonly ofVoters: AlarmRule;
  private readonly parts: Float64Array;
  private readonly isCombination: boolean;
  private calmRows: number;

  constructor(options: AlarmOptions & { seriesCount: number }, state?: EntityAlarmState) {
    const { stepMs, seriesCount, falseAlarmBudget } = options;
    this.isCombination = seriesCount > 1;
    const share = { stepMs, falseAlarmBudget: falseAlarmBudget / (this.isCombination ? 2 : 1) };
    this.sum = new EvidenceSum(seriesCount, stepMs, state?.sum);
    this.ofSeries = new AlarmRule(share, state?.ofSeries);
    this.ofVoters = new AlarmRule(share, state?.ofVoters);
    this.parts = new Float64Array(seriesCount);
    this.calmRows = state?.calmRows ?? NaN;
  }

  get state(): AlarmState {
    if (!this.isCombination || this.calmRows >= RELEASE_ROWS) return this.ofSeries.state;
    return BY_WEIGHT.find((state) => state === this.ofSeries.state || state === this.ofVoters.state) as AlarmState;
  }

  /** Strongest evidence of the last tick, -log10 p. */
  get evidence(): number {
    return Math.max(this.ofSeries.evidence, this.ofVoters.evidence);
  }

  /** Signed part of each series in the evidence of the last row; valid until the next one. */
  get shares(): Float64Array {
    return this.parts;
  }

  snapshot(): EntityAlarmState {
    return { sum: this.sum.state, ofSeries: this.ofSeries.memory, ofVoters: this.ofVoters.memory, calmRows: this.calmRows };
  }

  /** Takes in the signed departures of a row, in spreads, and the voters' score of it; whether the entity fires. */
  next(residuals: Float64Array, votersScore: number, timeMs: number): boolean {
    const score = this.sum.next(residuals, this.parts);
    if (residuals.some((residual) => residual !== 0)) this.sum.learn(residuals);
    const kind = leadOf(this.parts);
    const bySeries = this.ofSeries.next(score, timeMs, kind);
    return (this.isCombination && this.fireByVoters(residuals, votersScore, timeMs, kind)) || bySeries;
  }

  /** Voters remember a spike for several rows; an episode that a series has led ends when the series are calm again. */
  private fireByVoters(departures: Float64Array, score: number, timeMs: number, kind: string): boolean {
    const isFiring = this.ofVoters.next(score, timeMs, kind);
    if (!isFiring) this.calmRows = NaN;
    else if (departures.some((departure) => Math.abs(departure) >= DEPARTURE)) this.calmRows = 0;
    else this.calmRows++;
    return isFiring && !(this.calmRows >= RELEASE_ROWS);
  }
}

/** The series that leads and where to: episodes are compared by it. */
function leadOf(shares: Float64Array): string {
  let lead = 0;
  for (let i = 1; i < shares.length; i++) {
    if (Math.abs(shares[i] as number) > Math.abs(shares[lead] as number)) lead = i;
  }
  return `${lead}${(shares[lead] ?? 0) < 0 ? '-' : '+'}`;
}
