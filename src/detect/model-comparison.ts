import { rankCorrelation } from '../lib/rank-correlation.ts';
import type { ModelComparison, ModelVerdicts } from '../model/model-record.ts';
import type { Feature } from '../model/rollup.ts';
import type { ForestModel } from './forest-model.ts';
import { linearQuantile } from './isolation-forest.ts';

/** A stored window: values by feature, and whether a person says that it was abnormal. */
export interface JudgedWindow {
  values: Readonly<Partial<Record<Feature, number>>>;
  isAbnormal: boolean;
}

/** Share of the flagged that are abnormal, and of the abnormal that are flagged; null when there are none of them. */
export function precisionAndRecall(
  flags: readonly boolean[],
  truth: readonly boolean[],
): { precision: number | null; recall: number | null } {
  const hits = flags.filter((flag, i) => flag && truth[i]).length;
  const flagged = flags.filter(Boolean).length;
  const abnormal = truth.filter(Boolean).length;
  return { precision: flagged === 0 ? null : hits / flagged, recall: abnormal === 0 ? null : hits / abnormal };
}

interface Judgement extends ModelVerdicts {
  scores: number[];
  flags: boolean[];
}

function judge(model: ForestModel, windows: readonly JudgedWindow[], hasTruth: boolean): Judgement {
  const features = model.record.features as Feature[];
  const scores = windows.map(({ values }) =>
    model.scoreSamples(Float64Array.from(features, (feature) => values[feature] ?? NaN)),
  );
  const flags = scores.map((score) => score < model.offset);
  const sorted = scores.toSorted((a, b) => a - b);
  const truth = windows.map(({ isAbnormal }) => isAbnormal);
  const flagged = flags.filter(Boolean).length;
  return {
    version: model.record.version,
    flagged,
    flaggedShare: flagged / windows.length,
    scores,
    flags,
    quantiles: {
      p01: linearQuantile(sorted, 0.01),
      p05: linearQuantile(sorted, 0.05),
      p50: linearQuantile(sorted, 0.5),
      p95: linearQuantile(sorted, 0.95),
    },
    ...(hasTruth ? precisionAndRecall(flags, truth) : { precision: null, recall: null }),
  };
}

function verdictsOf({ scores: _, flags: __, ...verdicts }: Judgement): ModelVerdicts {
  return verdicts;
}

/** How two models judge the same windows, at least one. Without truth there is neither precision nor recall. */
export function compareModels(
  models: readonly [ForestModel, ForestModel],
  windows: readonly JudgedWindow[],
  hasTruth: boolean,
): Pick<ModelComparison, 'windows' | 'versions' | 'agreement' | 'bothFlagged' | 'rankCorrelation'> {
  const a = judge(models[0], windows, hasTruth);
  const b = judge(models[1], windows, hasTruth);
  const correlation = rankCorrelation(a.scores, b.scores);
  return {
    windows: windows.length,
    versions: [verdictsOf(a), verdictsOf(b)],
    agreement: a.flags.filter((flag, i) => flag === b.flags[i]).length / windows.length,
    bothFlagged: a.flags.filter((flag, i) => flag && b.flags[i]).length,
    rankCorrelation: Number.isNaN(correlation) ? null : correlation,
  };
}
