import type { StoredModel } from '../model/model-record.ts';
import { FEATURES, SUB_WINDOW_MS, type Feature } from '../model/rollup.ts';
import { CleanWindows } from './clean-windows.ts';
import type { DetectConfig } from './config.ts';
import { openForestModel, trainForestModel, type ForestModel } from './forest-model.ts';
import { createTailCalibration, learnTail, tailEvidence, type TailCalibration } from './tail-calibration.ts';
import type { FeatureValues } from './window-features.ts';

/** The isolation forest as a voter on window_size features: its clean history, its model, its own calibration. */
export interface ForestVoter {
  /** Feature rows in configuration order, one a minute, oldest overwritten. */
  rows: Float32Array;
  rowCount: number;
  firstRowStep: number;
  lastRowStep: number;
  trainedAtStep: number;
  model: StoredModel | null;
  tail: TailCalibration;
  /** 1 for each of the last steps that a fixed threshold called abnormal, newest first. */
  flags: number[];
}

export interface ForestVerdict {
  /** `score_samples` convention. */
  score: number;
  /** -log10 p, or a flat strong value when a fixed threshold is met on most of the last steps. */
  evidence: number;
}

export const MAX_ROWS = 1440;
const MIN_ROWS = 256;
const RETRAIN_STEPS = 6 * 360;
/** The forest's `threshold` is its 0.1 % training quantile: 3.09 sigmas on a normal scale. */
const THRESHOLD_SIGMAS = 3.09;
const FIXED_EVIDENCE = 7;
const FLAG_MEMORY = 5;
const FLAGS_NEEDED = 3;

export function createForestVoter(): ForestVoter {
  return {
    rows: new Float32Array(0),
    rowCount: 0,
    firstRowStep: -1,
    lastRowStep: -1,
    trainedAtStep: -1,
    model: null,
    tail: createTailCalibration(),
    flags: [],
  };
}

function selectFeatures(values: FeatureValues, features: readonly Feature[]): Float64Array {
  return Float64Array.from(features, (feature) => values[FEATURES.indexOf(feature)] as number);
}

/** Adds one clean window; rows are kept in a ring of MAX_ROWS that grows as needed. */
export function learnWindow(state: ForestVoter, step: number, values: FeatureValues, features: readonly Feature[]): void {
  const width = features.length;
  const slot = state.rowCount % MAX_ROWS;
  if ((slot + 1) * width > state.rows.length) {
    const grown = new Float32Array(Math.min(MAX_ROWS, Math.max(64, slot * 2)) * width);
    grown.set(state.rows);
    state.rows = grown;
  }
  state.rows.set(selectFeatures(values, features), slot * width);
  if (state.rowCount === 0) state.firstRowStep = step;
  state.rowCount++;
  state.lastRowStep = step;
}

/** Trains on the kept rows when there are enough and the last training is old; returns the new model, to be stored. */
export function retrain(
  state: ForestVoter,
  service: string,
  step: number,
  config: DetectConfig,
  seed: number,
): StoredModel | undefined {
  if (state.rowCount < MIN_ROWS || (state.trainedAtStep >= 0 && step - state.trainedAtStep < RETRAIN_STEPS)) return undefined;
  const width = config.features.length;
  const kept = Math.min(state.rowCount, MAX_ROWS);
  const first = state.rowCount - kept;
  const windows: Float64Array[] = [];
  for (let row = first; row < state.rowCount; row++) {
    const at = (row % MAX_ROWS) * width;
    windows.push(Float64Array.from(state.rows.subarray(at, at + width)));
  }
  const endMs = (step + 1) * SUB_WINDOW_MS;
  state.trainedAtStep = step;
  state.tail = createTailCalibration();
  state.model = trainForestModel({
    service,
    windows: CleanWindows.learned(windows),
    features: config.features,
    contamination: config.contamination,
    seed,
    windowMs: config.window_size,
    trainedAtMs: endMs,
    trainedFromMs: Math.max((state.firstRowStep + 1) * SUB_WINDOW_MS - config.window_size, endMs - MAX_ROWS * 60_000),
    trainedToMs: (state.lastRowStep + 1) * SUB_WINDOW_MS,
  });
  return state.model;
}

export function openVoterModel(state: ForestVoter): ForestModel | null {
  return state.model ? openForestModel(state.model) : null;
}

function residualOf(model: ForestModel, score: number): number {
  const median = model.record.metrics.scoreMedian;
  const width = Math.max(1e-3, median - model.threshold);
  return (THRESHOLD_SIGMAS * (median - score)) / width;
}

/** Scores one window. With a number as `threshold` the vote is: below it on most of the last steps. */
export function voteOn(state: ForestVoter, model: ForestModel, values: FeatureValues, threshold: 'auto' | number): ForestVerdict {
  const score = model.scoreSamples(selectFeatures(values, model.record.features as Feature[]));
  if (threshold === 'auto') return { score, evidence: tailEvidence(state.tail, residualOf(model, score)) };
  state.flags = [score < threshold ? 1 : 0, ...state.flags].slice(0, FLAG_MEMORY);
  const flagged = state.flags.reduce((sum, flag) => sum + flag, 0);
  return { score, evidence: flagged >= FLAGS_NEEDED ? FIXED_EVIDENCE : 0 };
}

/** Learns the score of a clean, non-overlapping window. */
export function learnVote(state: ForestVoter, model: ForestModel, values: FeatureValues): void {
  learnTail(state.tail, residualOf(model, model.scoreSamples(selectFeatures(values, model.record.features as Feature[]))));
}
