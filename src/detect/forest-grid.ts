import { createPrng } from '../lib/prng.ts';
import { rankCorrelation } from '../lib/rank-correlation.ts';
import type { GridRow, GridTable } from '../model/model-record.ts';
import { FEATURES, type Feature } from '../model/rollup.ts';
import { fitScaler, spreadConstantColumns, standardise } from './forest-scaler.ts';
import { linearQuantile, scoreRow, trainForest } from './isolation-forest.ts';

/** Windows of one service in order of time, all FEATURES in their order, and which are abnormal where that is known. */
export interface GridHistory {
  rows: readonly Float64Array[];
  truth: readonly boolean[] | null;
}

export interface GridOptions {
  histories: readonly GridHistory[];
  treeCounts: readonly number[];
  sampleCounts: readonly number[];
  contaminations: readonly number[];
  featureSets: readonly (readonly Feature[])[];
}

/** Half a week of windows of 5 min; longer histories are thinned to this. */
const MAX_ROWS = 1_000;
/** Windows in a block; blocks go to the two halves in turn, so that both have seen every time of day. */
const BLOCK = 12;
const MIN_ROWS = 64;

/** What of a search is fixed unless asked for otherwise. */
export const DEFAULT_GRID = { treeCounts: [50, 100, 200], sampleCounts: [64, 128, 256], contaminations: [0.01, 0.02, 0.05, 0.1] };

interface Tally {
  correlations: number[];
  kappas: number[];
  hits: number;
  flagged: number;
  abnormal: number;
}

interface HalfModel {
  scores: Float64Array;
  /** Ascending scores of the rows that it was trained on. */
  own: Float64Array;
}

function thinned({ rows, truth }: GridHistory): GridHistory {
  if (rows.length <= MAX_ROWS) return { rows, truth };
  const chosen = Array.from({ length: MAX_ROWS }, (_, i) => Math.floor((i * rows.length) / MAX_ROWS));
  return { rows: chosen.map((i) => rows[i] as Float64Array), truth: truth && chosen.map((i) => truth[i] as boolean) };
}

const halfOf = (index: number): number => Math.floor(index / BLOCK) % 2;

/** Trains on one half of the rows, scores all. */
function halfModel(
  { rows }: GridHistory,
  half: number,
  features: readonly Feature[],
  treeCount: number,
  maxSamples: number,
): HalfModel {
  const columns = features.map((feature) => FEATURES.indexOf(feature));
  const picked = rows.map((row) => Float64Array.from(columns, (column) => row[column] as number));
  const training = picked.filter((_, i) => halfOf(i) === half);
  const scaler = fitScaler(training, features);
  const width = features.length;
  const flat = new Float32Array(training.length * width);
  training.forEach((row, i) => standardise(scaler, row, flat, i * width));
  // Each half has a seed of its own: what only one draw of the trees shows is no property of the data.
  const prng = createPrng(half + 1);
  spreadConstantColumns(flat, scaler, features, prng);
  const forest = trainForest(flat, width, prng, { treeCount, maxSamples });
  const row = new Float32Array(width);
  const scores = Float64Array.from(picked, (values) => {
    standardise(scaler, values, row, 0);
    return scoreRow(forest, row);
  });
  return { scores, own: scores.filter((_, i) => halfOf(i) === half).sort() };
}

/** Flags of all rows by one half's model, at the contamination of its own rows. */
function flagsOf({ scores, own }: HalfModel, contamination: number): boolean[] {
  const offset = linearQuantile(own, contamination);
  return Array.from(scores, (score) => score < offset);
}

/** Agreement beyond chance (Cohen, "A coefficient of agreement for nominal scales", 1960): flagging more does not agree by itself. */
function kappaOf(a: readonly boolean[], b: readonly boolean[]): number {
  const shareOf = (flags: readonly boolean[]): number => flags.filter(Boolean).length / flags.length;
  const [p, q] = [shareOf(a), shareOf(b)];
  const byChance = p * q + (1 - p) * (1 - q);
  return (a.filter((flag, i) => flag === b[i]).length / a.length - byChance) / (1 - byChance);
}

function count(tally: Tally, models: readonly [HalfModel, HalfModel], contamination: number, { truth }: GridHistory): void {
  const flags = [flagsOf(models[0], contamination), flagsOf(models[1], contamination)] as const;
  tally.correlations.push(rankCorrelation(models[0].scores, models[1].scores));
  tally.kappas.push(kappaOf(flags[0], flags[1]));
  if (!truth) return;
  for (const [i, isAbnormal] of truth.entries()) {
    // Judged by the model that has not seen it.
    const isFlagged = (flags[1 - halfOf(i)] as readonly boolean[])[i] as boolean;
    if (isAbnormal) tally.abnormal++;
    if (isFlagged) tally.flagged++;
    if (isAbnormal && isFlagged) tally.hits++;
  }
}

function meanOf(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  return finite.length === 0 ? 0 : finite.reduce((sum, value) => sum + value, 0) / finite.length;
}

function scored(row: Pick<GridRow, 'trees' | 'samples' | 'contamination' | 'features'>, tally: Tally): GridRow {
  const { correlations, kappas, hits, flagged, abnormal } = tally;
  const [agreement, kappa] = [meanOf(correlations), meanOf(kappas)];
  const hasTruth = abnormal > 0;
  const precision = flagged > 0 ? hits / flagged : 0;
  const f1 = flagged + abnormal > 0 ? (2 * hits) / (flagged + abnormal) : 0;
  return {
    ...row,
    rankAgreement: agreement,
    flagAgreement: kappa,
    stability: (agreement + kappa) / 2,
    precision: hasTruth ? precision : null,
    recall: hasTruth ? hits / abnormal : null,
    f1: hasTruth ? f1 : null,
  };
}

/** What rows are compared by: F1 where truth is known, else stability. */
function gridMerit({ f1, stability }: GridRow): number {
  return f1 ?? stability;
}

/** The features asked for, all there are, and the ones asked for without those that only say how much traffic there is. */
export function gridFeatureSets(configured: readonly Feature[]): Feature[][] {
  const traffic: readonly Feature[] = ['event_count', 'unique_endpoints', 'event_velocity'];
  const quality = configured.filter((feature) => !traffic.includes(feature));
  const sets = [[...configured], [...FEATURES], quality].filter((set) => set.length > 0);
  return sets.filter((set, i) => sets.findIndex((other) => other.toSorted().join() === set.toSorted().join()) === i);
}

/** Rows whose merit differs by less are equally good: it is within what another draw of the trees moves. */
const EQUAL_MERIT = 0.01;

/** The cheapest of the best rows. */
function bestOfGrid(rows: readonly GridRow[]): GridRow | undefined {
  const top = Math.max(...rows.map(gridMerit));
  const cost = ({ trees, samples, features }: GridRow): number => trees * samples * features.length;
  return rows
    .filter((row) => gridMerit(row) >= top - EQUAL_MERIT)
    .toSorted((a, b) => cost(a) - cost(b) || gridMerit(b) - gridMerit(a))[0];
}

/** The table, best first, with the row to keep; undefined without rows. */
export function gridTableOf(rows: readonly GridRow[]): GridTable | undefined {
  const best = bestOfGrid(rows);
  return best && { rows: rows.toSorted((a, b) => gridMerit(b) - gridMerit(a)), best };
}

/**
 * Every combination of hyper-parameters over all histories. Stability, which takes no labels: two forests from different halves of
 * the time and different seeds judge the same windows; the mean of the rank correlation of their scores and of the agreement
 * (Cohen's kappa) of what they flag. With truth also precision and recall of windows judged by the half that has not seen them. Yields the share
 * done after each forest pair, some tens of milliseconds, so that the caller can do other things between.
 */
export function* searchForestGrid(options: GridOptions): Generator<number, GridRow[]> {
  const { treeCounts, sampleCounts, contaminations, featureSets } = options;
  const histories = options.histories.filter(({ rows }) => rows.length >= MIN_ROWS).map(thinned);
  const total = featureSets.length * treeCounts.length * sampleCounts.length * histories.length;
  const table: GridRow[] = [];
  let done = 0;
  if (total === 0) return table;
  for (const features of featureSets) {
    for (const trees of treeCounts) {
      for (const samples of sampleCounts) {
        const tallies = contaminations.map((): Tally => ({ correlations: [], kappas: [], hits: 0, flagged: 0, abnormal: 0 }));
        for (const history of histories) {
          const models = [0, 1].map((half) => halfModel(history, half, features, trees, samples)) as [HalfModel, HalfModel];
          contaminations.forEach((contamination, i) => count(tallies[i] as Tally, models, contamination, history));
          yield ++done / total;
        }
        contaminations.forEach((contamination, i) =>
          table.push(scored({ trees, samples, contamination, features: [...features] }, tallies[i] as Tally)),
        );
      }
    }
  }
  return table;
}
