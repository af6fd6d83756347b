import { assert } from '../lib/assert.ts';
import type { Prng } from '../lib/prng.ts';

/**
 * Isolation forest (Liu, Ting, Zhou: "Isolation Forest", ICDM 2008) with the semantics of scikit-learn's IsolationForest:
 * rows are float32, a row goes left when `x <= threshold`, scores are negated so that lower means more abnormal.
 * All trees lie in one set of flat arrays in preorder: the left child of node k is k + 1.
 */
export interface IsolationForest {
  featureCount: number;
  /** Rows each tree was grown from; the path lengths are normalised by its average path length. */
  maxSamples: number;
  /** First node of each tree. */
  roots: Uint32Array;
  /** Feature compared at a node, or -1 at a leaf. */
  feature: Int16Array;
  /** At a leaf: the path length of every row that ends there (edges from the root, plus the average of the unbuilt rest). */
  threshold: Float64Array;
  /** Right child; at a leaf: the number of training rows that ended there. */
  right: Uint32Array;
}

const EULER_GAMMA = 0.5772156649015329;
export const LEAF = -1;

/** c(n): average path length of an unsuccessful search in a binary search tree of n rows (equation 1 of the paper). */
export function averagePathLength(n: number): number {
  if (n <= 1) return 0;
  if (n === 2) return 1;
  return 2 * (Math.log(n - 1) + EULER_GAMMA) - (2 * (n - 1)) / n;
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The largest float32 not above `value`: comparing a float32 with either gives the same answer. */
export function floatAtMost(value: number): number {
  const rounded = Math.fround(value);
  if (rounded <= value) return rounded;
  if (rounded === 0) return -(2 ** -149);
  float[0] = rounded;
  bits[0] = (bits[0] as number) + (rounded > 0 ? -1 : 1);
  return float[0];
}

/** `score_samples` of one row that starts at `at`, in (-1, 0); lower is more abnormal. */
export function scoreRow(forest: IsolationForest, row: Float32Array, at = 0): number {
  const { roots, feature, threshold, right } = forest;
  let total = 0;
  for (let tree = 0; tree < roots.length; tree++) {
    let node = roots[tree] as number;
    for (let f = feature[node] as number; f !== LEAF; f = feature[node] as number) {
      node = (row[at + f] as number) <= (threshold[node] as number) ? node + 1 : (right[node] as number);
    }
    total += threshold[node] as number;
  }
  return -(2 ** (-total / (roots.length * averagePathLength(forest.maxSamples))));
}

/** `score_samples` of rows in row-major order. */
export function scoreRows(forest: IsolationForest, rows: Float32Array): Float64Array {
  const scores = new Float64Array(rows.length / forest.featureCount);
  for (let i = 0; i < scores.length; i++) scores[i] = scoreRow(forest, rows, i * forest.featureCount);
  return scores;
}

/** Quantile with linear interpolation between order statistics, numpy's default. `sorted` ascending and not empty; q in 0..1. */
export function linearQuantile(sorted: ArrayLike<number>, q: number): number {
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const a = sorted[low] as number;
  const b = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  const t = position - low;
  return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}

/** `offset_`: -0.5 for "auto", else the contamination quantile of the training scores. */
export function offsetOf(trainingScores: Float64Array, contamination: number | 'auto'): number {
  return contamination === 'auto' ? -0.5 : linearQuantile(trainingScores.toSorted(), contamination);
}

/** `predict` from a score: -1 abnormal, 1 normal. */
export function predictLabel(score: number, offset: number): -1 | 1 {
  return score - offset < 0 ? -1 : 1;
}

export interface TrainingOptions {
  treeCount?: number;
  /** Cut to the number of rows. */
  maxSamples?: number;
}

/** A column whose range is not wider than this is constant (scikit-learn's FEATURE_THRESHOLD). */
const CONSTANT_RANGE = 1e-7;

/** Grows a forest from rows in row-major order, at least one; each tree from its own sample without replacement. */
export function trainForest(
  rows: Float32Array,
  featureCount: number,
  prng: Prng,
  options: TrainingOptions = {},
): IsolationForest {
  const rowCount = rows.length / featureCount;
  assert(Number.isInteger(rowCount) && rowCount > 0, 'training rows are complete and not empty');
  const treeCount = options.treeCount ?? 100;
  const maxSamples = Math.min(options.maxSamples ?? 256, rowCount);
  const grower = new TreeGrower(featureCount, maxSamples, treeCount, prng);
  const pool = Uint32Array.from({ length: rowCount }, (_, i) => i);
  const roots = new Uint32Array(treeCount);
  for (let tree = 0; tree < treeCount; tree++) {
    for (let i = 0; i < maxSamples; i++) {
      const j = i + prng.below(rowCount - i);
      const drawn = pool[j] as number;
      pool[j] = pool[i] as number;
      pool[i] = drawn;
      for (let f = 0; f < featureCount; f++) grower.columns[f * maxSamples + i] = rows[drawn * featureCount + f] as number;
    }
    roots[tree] = grower.grow();
  }
  const n = grower.nodeCount;
  const { feature, threshold, right } = grower;
  return {
    featureCount,
    maxSamples,
    roots,
    feature: feature.slice(0, n),
    threshold: threshold.slice(0, n),
    right: right.slice(0, n),
  };
}

class TreeGrower {
  /** The tree's sample, column by column. */
  readonly columns: Float32Array;
  readonly feature: Int16Array;
  readonly threshold: Float64Array;
  readonly right: Uint32Array;
  nodeCount = 0;
  readonly #order: Uint32Array;
  readonly #features: Int16Array;
  readonly #maxSamples: number;
  readonly #maxDepth: number;
  readonly #prng: Prng;
  #low = 0;
  #high = 0;

  constructor(featureCount: number, maxSamples: number, treeCount: number, prng: Prng) {
    const capacity = treeCount * (2 * maxSamples - 1);
    this.columns = new Float32Array(featureCount * maxSamples);
    this.feature = new Int16Array(capacity);
    this.threshold = new Float64Array(capacity);
    this.right = new Uint32Array(capacity);
    this.#order = new Uint32Array(maxSamples);
    this.#features = Int16Array.from({ length: featureCount }, (_, i) => i);
    this.#maxSamples = maxSamples;
    this.#maxDepth = Math.ceil(Math.log2(Math.max(maxSamples, 2)));
    this.#prng = prng;
  }

  /** Grows one tree from `columns` and returns its root. */
  grow(): number {
    for (let i = 0; i < this.#maxSamples; i++) this.#order[i] = i;
    return this.#build(0, this.#maxSamples, 0);
  }

  #build(from: number, to: number, depth: number): number {
    const node = this.nodeCount++;
    const f = depth < this.#maxDepth && to - from > 1 ? this.#drawFeature(from, to) : LEAF;
    this.feature[node] = f;
    if (f === LEAF) {
      this.threshold[node] = depth + averagePathLength(to - from);
      this.right[node] = to - from;
      return node;
    }
    const drawn = this.#low + this.#prng.next() * (this.#high - this.#low);
    // Rounding may reach the maximum, which would leave the right side empty.
    const threshold = drawn < this.#high ? floatAtMost(drawn) : this.#low;
    this.threshold[node] = threshold;
    const middle = this.#partition(from, to, f, threshold);
    this.#build(from, middle, depth + 1);
    this.right[node] = this.#build(middle, to, depth + 1);
    return node;
  }

  /** A random feature that is not constant in order[from, to), its range in #low and #high; LEAF when all are constant. */
  #drawFeature(from: number, to: number): number {
    const features = this.#features;
    for (let left = features.length; left > 0; left--) {
      const k = this.#prng.below(left);
      const f = features[k] as number;
      features[k] = features[left - 1] as number;
      features[left - 1] = f;
      this.#measure(from, to, f);
      if (this.#high > this.#low + CONSTANT_RANGE) return f;
    }
    return LEAF;
  }

  #measure(from: number, to: number, f: number): void {
    const base = f * this.#maxSamples;
    let low = Infinity;
    let high = -Infinity;
    for (let i = from; i < to; i++) {
      const value = this.columns[base + (this.#order[i] as number)] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    this.#low = low;
    this.#high = high;
  }

  #partition(from: number, to: number, f: number, threshold: number): number {
    const base = f * this.#maxSamples;
    const order = this.#order;
    let i = from;
    let j = to;
    while (i < j) {
      const row = order[i] as number;
      if ((this.columns[base + row] as number) <= threshold) i++;
      else {
        order[i] = order[--j] as number;
        order[j] = row;
      }
    }
    return i;
  }
}
