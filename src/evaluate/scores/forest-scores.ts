import { predictLabel, scoreRows, trainForest } from '../../detect/isolation-forest.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import { meanFigure, shareFigure, type Figure } from '../figure.ts';
import type { ForestCase } from '../layouts/forest-export.ts';
import type { TabularRows } from '../layouts/tabular-rows.ts';
import { areaUnderRoc, averagePrecision } from '../measures/average-precision.ts';

/** The spread of five seeds is as large as the tolerance that they would be held against. */
const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const PARITY = 1e-12;

/** adbench (README section 8): a forest of 100 trees x 256 rows fitted and scored on all rows, mean over twenty seeds. */
export function scoreTabularRows(sets: readonly TabularRows[], prng: Prng, onSet: (name: string) => void = () => {}): Figure[] {
  const roc: number[] = [];
  const precision: number[] = [];
  const figures = sets.flatMap(({ name, rows, width, labels }) => {
    onSet(name);
    const scores = SEEDS.map((seed) => scoreRows(trainForest(rows, width, createPrng(seed)), rows).map((score) => -score));
    const own = scores.map((score) => areaUnderRoc(score, labels));
    const ownPrecision = scores.map((score) => averagePrecision(score, labels));
    roc.push(...own);
    precision.push(...ownPrecision);
    return [meanFigure(`${name}: AUROC`, own, 'seeds', prng), meanFigure(`${name}: AUC-PR`, ownPrecision, 'seeds', prng)];
  });
  return [...figures, meanFigure('AUROC', roc, 'sets x seeds', prng), meanFigure('AUC-PR', precision, 'sets x seeds', prng)];
}

/** sklearn-golden (README section 9): scores, decisions and labels equal those of scikit-learn. */
export function scoreForestCases(cases: readonly ForestCase[]): Figure[] {
  return cases.map(({ name, forest, offset, queries, expected }) => {
    const scores = scoreRows(forest, queries);
    const equal = Array.from(scores).filter(
      (score, i) =>
        Math.abs(score - (expected.scores[i] as number)) <= PARITY &&
        Math.abs(score - offset - (expected.decisions[i] as number)) <= PARITY &&
        predictLabel(score, offset) === expected.labels[i],
    ).length;
    return shareFigure(`${name}: queries scored as by scikit-learn`, equal, scores.length, 'queries');
  });
}
