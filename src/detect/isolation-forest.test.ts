import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createPrng } from '../lib/prng.ts';
import {
  averagePathLength,
  floatAtMost,
  LEAF,
  linearQuantile,
  offsetOf,
  predictLabel,
  scoreRow,
  scoreRows,
  trainForest,
  type IsolationForest,
} from './isolation-forest.ts';

/** Forests, scores and offsets that scikit-learn computed; a leaf has left = right = -1. */
interface Golden {
  X: number[][];
  Q: number[][];
  cases: {
    name: string;
    params: { contamination?: number };
    offset_: number;
    max_samples_: number;
    trees: { left: number[]; right: number[]; feature: number[]; threshold: number[]; n: number[] }[];
    score_samples: number[];
    decision_function: number[];
    predict: number[];
    train_score_min: number;
    train_score_max: number;
  }[];
  c_of_n: Record<string, number>;
}

const fixture = new URL('../../test/fixtures/sklearn-forest.json.gz', import.meta.url);
const golden = JSON.parse(gunzipSync(readFileSync(fixture)).toString()) as Golden;

function flatten(rows: number[][]): Float32Array {
  return Float32Array.from(rows.flat());
}

function goldenForest({ trees, max_samples_: maxSamples }: Golden['cases'][number]): IsolationForest {
  const feature: number[] = [];
  const threshold: number[] = [];
  const right: number[] = [];
  const roots: number[] = [];
  for (const tree of trees) {
    const root = feature.length;
    roots.push(root);
    const depth = new Uint8Array(tree.left.length);
    tree.left.forEach((left, node) => {
      if (left === -1) {
        feature.push(LEAF);
        threshold.push((depth[node] as number) + averagePathLength(tree.n[node] as number));
        right.push(tree.n[node] as number);
        return;
      }
      assert.equal(left, node + 1);
      depth[left] = depth[tree.right[node] as number] = (depth[node] as number) + 1;
      feature.push(tree.feature[node] as number);
      threshold.push(tree.threshold[node] as number);
      right.push(root + (tree.right[node] as number));
    });
  }
  return {
    featureCount: golden.X[0]?.length as number,
    maxSamples,
    roots: Uint32Array.from(roots),
    feature: Int16Array.from(feature),
    threshold: Float64Array.from(threshold),
    right: Uint32Array.from(right),
  };
}

function assertClose(actual: ArrayLike<number>, expected: readonly number[], tolerance = 1e-12): void {
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) =>
    assert.ok(Math.abs((actual[i] as number) - value) <= tolerance, `${actual[i]} is not ${value} at ${i}`),
  );
}

test('average path lengths equal scikit-learn', () => {
  for (const [n, expected] of Object.entries(golden.c_of_n)) assertClose([averagePathLength(Number(n))], [expected]);
});

for (const golden_ of golden.cases) {
  test(`a forest grown by scikit-learn (${golden_.name}) scores the same rows within 1e-12`, () => {
    const scores = scoreRows(goldenForest(golden_), flatten(golden.Q));
    assertClose(scores, golden_.score_samples);
    assertClose(
      scores.map((score) => score - golden_.offset_),
      golden_.decision_function,
    );
    assert.deepEqual(
      Array.from(scores, (score) => predictLabel(score, golden_.offset_)),
      golden_.predict,
    );
  });

  test(`the offset and the range of the training scores (${golden_.name}) equal scikit-learn within 1e-12`, () => {
    const scores = scoreRows(goldenForest(golden_), flatten(golden.X));
    assertClose([offsetOf(scores, golden_.params.contamination ?? 'auto')], [golden_.offset_]);
    assertClose([Math.min(...scores), Math.max(...scores)], [golden_.train_score_min, golden_.train_score_max]);
  });
}

test('a linear quantile lies between its two neighbours and reaches both ends', () => {
  const sorted = Float64Array.of(1, 2, 4, 8);
  assert.deepEqual(
    [0, 0.5, 0.75, 1].map((q) => linearQuantile(sorted, q)),
    [1, 3, 5, 8],
  );
  assert.equal(linearQuantile(Float64Array.of(7), 0.3), 7);
});

test('the float32 at most a value is the nearest one not above it', () => {
  const prng = createPrng(3);
  for (let i = 0; i < 2_000; i++) {
    const value = prng.normal() * 10 ** (prng.below(80) - 40);
    const below = floatAtMost(value);
    assert.equal(below, Math.fround(below));
    assert.ok(below <= value);
    assert.ok(Math.fround(value) === below || Math.fround(value) > value);
  }
  assert.equal(floatAtMost(-1e-60), -(2 ** -149));
  assert.equal(floatAtMost(0.5), 0.5);
});

function gaussianRows(count: number, width: number, seed: number): Float32Array {
  const prng = createPrng(seed);
  return Float32Array.from({ length: count * width }, () => prng.normal());
}

test('a row far from the others scores lower than every one of them', () => {
  const rows = gaussianRows(1_000, 4, 1);
  const forest = trainForest(rows, 4, createPrng(1));
  const outlier = scoreRow(forest, Float32Array.of(8, 8, -8, 8));
  assert.ok(outlier < Math.min(...scoreRows(forest, rows)), `${outlier}`);
  assert.ok(outlier > -1 && outlier < -0.7);
});

test('the same seed grows the same forest and another seed another one', () => {
  const rows = gaussianRows(500, 3, 2);
  assert.deepEqual(trainForest(rows, 3, createPrng(9)), trainForest(rows, 3, createPrng(9)));
  assert.notDeepEqual(trainForest(rows, 3, createPrng(9)).threshold, trainForest(rows, 3, createPrng(10)).threshold);
});

test('every tree holds each of its samples in one leaf, no deeper than the depth limit', () => {
  const forest = trainForest(gaussianRows(600, 3, 4), 3, createPrng(5), { treeCount: 20, maxSamples: 100 });
  const ends = [...forest.roots.slice(1), forest.feature.length];
  forest.roots.forEach((root, tree) => {
    let rows = 0;
    for (let node = root; node < (ends[tree] as number); node++) {
      if (forest.feature[node] !== LEAF) continue;
      rows += forest.right[node] as number;
      const depth = (forest.threshold[node] as number) - averagePathLength(forest.right[node] as number);
      assert.ok(depth < 7 + 1e-9, `a leaf at depth ${depth}`);
      assert.ok((forest.right[node] as number) > 0);
    }
    assert.equal(rows, 100);
  });
});

test('constant columns are never split, and rows that are all equal make single leaves', () => {
  const prng = createPrng(6);
  const rows = Float32Array.from({ length: 900 }, (_, i) => (i % 3 === 1 ? prng.normal() : 5));
  const forest = trainForest(rows, 3, createPrng(7), { treeCount: 10 });
  assert.deepEqual(new Set(forest.feature), new Set([LEAF, 1]));
  const flat = trainForest(new Float32Array(300).fill(2), 3, createPrng(7), { treeCount: 10 });
  assert.deepEqual([...flat.feature], Array<number>(10).fill(LEAF));
  assert.equal(scoreRow(flat, Float32Array.of(2, 2, 2)), -0.5);
});

test('fewer rows than the sample size are all used', () => {
  assert.equal(trainForest(gaussianRows(40, 2, 8), 2, createPrng(1)).maxSamples, 40);
});
