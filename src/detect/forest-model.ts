import { isoTime } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { createPrng } from '../lib/prng.ts';
import type { ModelRecord, StoredModel } from '../model/model-record.ts';
import type { Feature } from '../model/rollup.ts';
import type { CleanWindows } from './clean-windows.ts';
import { lowTailThreshold } from './forest-threshold.ts';
import { decodeForest, encodeForest } from './forest-payload.ts';
import { fitScaler, spreadConstantColumns, standardise } from './forest-scaler.ts';
import { linearQuantile, offsetOf, predictLabel, scoreRow, scoreRows, trainForest } from './isolation-forest.ts';

export interface ForestTraining {
  service: string;
  /** Raw feature values in the order of `features`; NaN where a window has none (no latency). */
  windows: CleanWindows;
  features: readonly Feature[];
  contamination: number | 'auto';
  seed: number;
  windowMs: number;
  trainedAtMs: number;
  trainedFromMs: number;
  trainedToMs: number;
  /** 100 unless given. */
  treeCount?: number;
  /** 256 unless given; cut to the number of windows. */
  maxSamples?: number;
}

/** An isolation forest with its scaler, ready to score raw windows. Scores: `score_samples` convention, lower is worse. */
export interface ForestModel {
  readonly record: ModelRecord;
  /** scikit-learn's `offset_`: below it a window counts as abnormal for `predict`. */
  readonly offset: number;
  /** Score below which about one normal window in 1,000 falls, from the low tail of the training scores. */
  readonly threshold: number;
  scoreSamples(window: ArrayLike<number>): number;
  decisionFunction(window: ArrayLike<number>): number;
  /** -1 abnormal, 1 normal. */
  predict(window: ArrayLike<number>): -1 | 1;
  /** Share of each feature in the score, 0..1, summing to 1, or all 0 when no single one drives it. */
  contributions(window: ArrayLike<number>): number[];
}

/** Fewer windows than this say nothing about what is normal. */
export const MIN_TRAINING_WINDOWS = 32;
const TREE_COUNT = 100;
const MAX_SAMPLES = 256;
/** Offset, threshold and metrics come from at most this many windows, evenly spaced, so that training stays short. */
const MAX_SCORED_WINDOWS = 5_000;

/** Deterministic for its input. Throws `invalid_argument` when there are fewer than MIN_TRAINING_WINDOWS windows. */
export function trainForestModel(training: ForestTraining): StoredModel {
  const { service, features, contamination, seed, windowMs } = training;
  const { treeCount = TREE_COUNT, maxSamples = MAX_SAMPLES } = training;
  const windows = training.windows.rows;
  if (windows.length < MIN_TRAINING_WINDOWS) {
    const detail = `its history has ${windows.length} windows, ${MIN_TRAINING_WINDOWS} are needed`;
    throw new HeliosError('invalid_argument', `cannot train a model for ${service}: ${detail}`, {
      details: { field: 'service' },
    });
  }
  const prng = createPrng(seed);
  const scaler = fitScaler(windows, features);
  const rows = new Float32Array(windows.length * features.length);
  windows.forEach((row, i) => standardise(scaler, row, rows, i * features.length));
  const history = evenlySpaced(rows, features.length);
  spreadConstantColumns(rows, scaler, features, prng);
  const forest = trainForest(rows, features.length, prng, { treeCount, maxSamples });
  const scores = scoreRows(forest, history).sort();
  const offset = offsetOf(scores, contamination);
  const record: ModelRecord = {
    version: '',
    service,
    state: 'inactive',
    model: 'isolation_forest',
    trainedAt: isoTime(training.trainedAtMs),
    trainedFrom: isoTime(training.trainedFromMs),
    trainedTo: isoTime(training.trainedToMs),
    features: [...features],
    parameters: { nEstimators: treeCount, maxSamples: forest.maxSamples, contamination, seed, windowMs },
    offset,
    dataHash: training.windows.hash(),
    excludedWindows: training.windows.excluded,
    metrics: {
      trainingWindows: windows.length,
      scoreMin: scores[0] as number,
      scoreMedian: linearQuantile(scores, 0.5),
      scoreMax: scores.at(-1) as number,
      flaggedShare: scores.filter((score) => predictLabel(score, offset) === -1).length / scores.length,
    },
  };
  return { record, payload: encodeForest({ forest, ...scaler, threshold: lowTailThreshold(scores) }) };
}

/** Throws `corrupt_data` when the payload is damaged or does not fit its record. */
export function openForestModel(stored: StoredModel): ForestModel {
  const { record } = stored;
  const { forest, median, scale, threshold } = decodeForest(stored.payload);
  const width = forest.featureCount;
  if (width !== record.features.length) {
    throw new HeliosError('corrupt_data', `cannot open model ${record.version}: its payload has ${width} features`);
  }
  const scaler = { median, scale };
  const row = new Float32Array(width);
  const scoreSamples = (window: ArrayLike<number>): number => {
    standardise(scaler, window, row, 0);
    return scoreRow(forest, row);
  };
  return {
    record,
    offset: record.offset,
    threshold,
    scoreSamples,
    decisionFunction: (window) => scoreSamples(window) - record.offset,
    predict: (window) => predictLabel(scoreSamples(window), record.offset),
    contributions(window) {
      const score = scoreSamples(window);
      const gains = Array.from(row, (value, f) => {
        row[f] = 0;
        const gain = Math.max(0, scoreRow(forest, row) - score);
        row[f] = value;
        return gain;
      });
      const total = gains.reduce((sum, gain) => sum + gain, 0);
      return total > 0 ? gains.map((gain) => gain / total) : gains;
    },
  };
}

function evenlySpaced(rows: Float32Array, width: number): Float32Array {
  const count = rows.length / width;
  if (count <= MAX_SCORED_WINDOWS) return rows.slice();
  const chosen = new Float32Array(MAX_SCORED_WINDOWS * width);
  for (let i = 0; i < MAX_SCORED_WINDOWS; i++) {
    const from = Math.floor((i * count) / MAX_SCORED_WINDOWS) * width;
    chosen.set(rows.subarray(from, from + width), i * width);
  }
  return chosen;
}
