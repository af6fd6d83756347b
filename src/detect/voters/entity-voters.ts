import { attribute } from './attribution.ts';
import { NeighbourReservoir } from './neighbour-reservoir.ts';
import { energyContribution, largestContribution, largestResidual, residualEnergy, residualEvidence } from './residual-votes.ts';
import { RowTrust } from './row-trust.ts';
import { ScoreTail } from './score-tail.ts';
import { ViewDistance } from './view-distance.ts';
import type { EntityScore, VoterRow } from './voter-row.ts';
import { WindowFeatures } from './window-features.ts';

/** Order of `EntityScore.votes`. */
export const VOTERS = ['tail', 'energy', 'level', 'residual', 'drift', 'neighbours'] as const;
const TAIL = 0;
const ENERGY = 1;
const FIRST_VIEW = 2;
const NEIGHBOURS = VOTERS.length - 1;

/** Levels move together, so that what their correlation leaves is small; residuals are half noise of their own. */
const LEVEL_RIDGE = 0.02;
const RESIDUAL_RIDGE = 0.5;
const JOINT_VIEWS = 3;

const DAY_MS = 86_400_000;
/** Voters remember two weeks, within these numbers of rows. */
const MEMORY_DAYS = 14;
const MIN_MEMORY_ROWS = 2000;
const MAX_MEMORY_ROWS = 20_000;

export interface EntityVotersOptions {
  seriesCount: number;
  stepMs: number;
  seed: number;
}

/**
 * The score of a row of several series of one entity: each voter's raw score becomes a p-value by its own past, and the combined
 * score is the mean of -log10 p, that is the geometric mean of the p-values, which holds up to a factor e under any dependence (Vovk and
 * Wang: "Combining p-values via averaging", Biometrika 2020). Causal: call `score` and then `learn` for every row, in order of
 * time. With one series the score is that series' tail alone.
 */
export class EntityVoters {
  private readonly seriesCount: number;
  private readonly features: WindowFeatures;
  private readonly views: ViewDistance[];
  private readonly neighbours: NeighbourReservoir;
  /** Levels, then drifts, then held residuals, of all series. */
  private readonly joint: Float64Array;
  private readonly votes = new Float64Array(VOTERS.length);
  private readonly evidences = new Float64Array(VOTERS.length);
  private readonly contributions: Float64Array;
  private readonly tails: ScoreTail[];
  private readonly combinedTail: ScoreTail;
  private readonly trust: RowTrust;
  private combined = 0;

  constructor({ seriesCount, stepMs, seed }: EntityVotersOptions) {
    const days = (MEMORY_DAYS * DAY_MS) / stepMs;
    const memoryRows = Math.round(Math.min(MAX_MEMORY_ROWS, Math.max(MIN_MEMORY_ROWS, days)));
    const features = new WindowFeatures(seriesCount, memoryRows);
    const views = [features.level, features.held, features.longDrift];
    this.seriesCount = seriesCount;
    this.features = features;
    this.views = views.map((view) => new ViewDistance(view, memoryRows, view === features.level ? LEVEL_RIDGE : RESIDUAL_RIDGE));
    this.joint = new Float64Array(JOINT_VIEWS * seriesCount);
    this.neighbours = new NeighbourReservoir(this.joint.length, memoryRows, seed);
    this.contributions = new Float64Array(VOTERS.length * seriesCount);
    this.tails = VOTERS.map(() => new ScoreTail(memoryRows));
    this.combinedTail = new ScoreTail(memoryRows);
    this.trust = new RowTrust(stepMs);
  }

  score(row: VoterRow, out: EntityScore): void {
    const votes = this.votes;
    this.features.read(row.values, row.residuals);
    votes.fill(0);
    votes[TAIL] = largestResidual(row.residuals);
    if (this.seriesCount > 1) this.poll();
    out.votes.set(votes);
    out.score = this.combine();
    this.combined = out.score;
    this.attribute(row, out);
  }

  /** Adds the row last scored. `frozen` while an incident of the entity is open. */
  learn(row: VoterRow, frozen: boolean): void {
    const strength = strengthOf(this.combined);
    const weight = this.trust.weigh(this.combinedTail.evidence(strength), frozen);
    this.combinedTail.learn(strength, weight);
    for (let k = 0; k < VOTERS.length; k++) (this.tails[k] as ScoreTail).learn(this.votes[k] as number, weight);
    if (this.seriesCount > 1) {
      for (const view of this.views) view.learn(weight);
      this.neighbours.learn(this.joint, weight);
    }
    this.features.learn(row.values, row.residuals, weight);
  }

  private poll(): void {
    const features = this.features;
    this.votes[ENERGY] = residualEnergy(features.held);
    for (let k = 0; k < this.views.length; k++) this.votes[FIRST_VIEW + k] = (this.views[k] as ViewDistance).score();
    this.joint.set(features.level);
    this.joint.set(features.drift, this.seriesCount);
    this.joint.set(features.held, 2 * this.seriesCount);
    this.votes[NEIGHBOURS] = this.neighbours.score(this.joint);
  }

  private combine(): number {
    if (this.seriesCount === 1) {
      this.evidences[TAIL] = residualEvidence(this.votes[TAIL] as number);
      return this.evidences[TAIL];
    }
    let sum = 0;
    for (let k = ENERGY; k < VOTERS.length; k++) {
      this.evidences[k] = (this.tails[k] as ScoreTail).evidence(this.votes[k] as number);
      sum += this.evidences[k] as number;
    }
    return sum / (VOTERS.length - ENERGY);
  }

  private neighbourContribution(j: number): number {
    let size = 0;
    let sum = 0;
    for (let at = j; at < this.joint.length; at += this.seriesCount) {
      const difference = this.neighbours.difference(this.joint, at);
      size += Math.abs(difference);
      sum += difference;
    }
    return size * Math.sign(sum);
  }

  private attribute(row: VoterRow, out: EntityScore): void {
    const n = this.seriesCount;
    const all = this.contributions;
    for (let j = 0; j < n; j++) {
      const residual = row.residuals[j] as number;
      all[TAIL * n + j] = largestContribution(residual);
      all[ENERGY * n + j] = energyContribution(this.features.held[j] as number);
      all[NEIGHBOURS * n + j] = this.neighbourContribution(j);
    }
    for (let k = 0; k < this.views.length; k++) (this.views[k] as ViewDistance).contributions(all, (FIRST_VIEW + k) * n);
    attribute(all, this.evidences, out.score, out.shares);
  }
}

/** A score whose logarithm is the evidence, for a tail that works on logarithms. */
function strengthOf(evidence: number): number {
  return 10 ** Math.min(evidence, 30) - 1;
}
