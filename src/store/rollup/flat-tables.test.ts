import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { CellHistograms } from './cell-histograms.ts';
import { CellIndex } from './cell-index.ts';
import { Dictionary } from './dictionary.ts';
import { PairCounter } from './pair-counter.ts';

test('pairs are counted as a map of maps counts them, through growth and after a clear', () => {
  const prng = createPrng(5);
  const pairs = new PairCounter(16);
  for (let round = 0; round < 3; round++) {
    const twin = new Map<number, Map<number, number>>();
    for (let i = 0; i < 20_000; i++) {
      const owner = prng.below(700);
      const id = prng.below(40) * 1_000_003;
      const counts = twin.get(owner) ?? new Map<number, number>();
      assert.equal(pairs.add(owner, id, 1), !counts.has(id));
      twin.set(owner, counts.set(id, (counts.get(id) ?? 0) + 1));
    }
    for (let owner = 0; owner < 800; owner++) {
      const found = new Map<number, number>();
      pairs.forEach(owner, (id, count) => found.set(id, count));
      assert.deepEqual(found, twin.get(owner) ?? new Map());
    }
    assert.equal(
      pairs.size,
      [...twin.values()].reduce((sum, counts) => sum + counts.size, 0),
    );
    pairs.clear();
  }
});

test('histograms of cells are counted as a map of maps counts them, few cells or many, and after a clear', () => {
  const prng = createPrng(8);
  const histograms = new CellHistograms();
  for (const cells of [3, 2000, 40]) {
    const twin = new Map<number, Map<number, number>>();
    for (let i = 0; i < 10_000; i++) {
      const [cell, bucket, count] = [prng.below(cells), prng.below(1280), 1 + prng.below(5)];
      histograms.add(cell, bucket, count);
      const counts = twin.get(cell) ?? new Map<number, number>();
      twin.set(cell, counts.set(bucket, (counts.get(bucket) ?? 0) + count));
    }
    for (let cell = 0; cell < cells + 600; cell++) {
      const found = new Map<number, number>();
      histograms.forEach(cell, (bucket, count) => found.set(bucket, count));
      assert.deepEqual(found, twin.get(cell) ?? new Map());
    }
    histograms.clear();
  }
});

test('cells are numbered from 0 in order of first sight, through growth and after a clear', () => {
  const prng = createPrng(6);
  const cells = new CellIndex();
  for (let round = 0; round < 2; round++) {
    const twin = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const entity = 1 + prng.below(100);
      const bucket = prng.below(100) - 50 + 2 ** 33;
      const key = `${entity}:${bucket}`;
      if (!twin.has(key)) twin.set(key, twin.size);
      assert.equal(cells.find(entity, bucket), twin.get(key));
    }
    assert.equal(cells.size, twin.size);
    cells.clear();
  }
});

test('a full dictionary gives every further name the id of "other"', () => {
  const dictionary = new Dictionary(3);
  assert.deepEqual(
    ['a', 'b', 'c'].map((name) => dictionary.idOf(name)),
    [1, 2, 3],
  );
  assert.deepEqual(
    ['d', 'e', 'a', 'other'].map((name) => dictionary.idOf(name)),
    [4, 4, 1, 4],
  );
  assert.deepEqual(
    dictionary.pending().map(({ name }) => name),
    ['a', 'b', 'c', 'other'],
  );
  dictionary.settle();
  assert.deepEqual(dictionary.pending(), []);
});

test('a loaded dictionary goes on above the largest stored id', () => {
  const dictionary = new Dictionary(10);
  dictionary.load([{ id: 7, name: 'x' }]);
  assert.deepEqual(
    ['x', 'y'].map((name) => dictionary.idOf(name)),
    [7, 8],
  );
  assert.deepEqual(dictionary.pending(), [{ id: 8, name: 'y' }]);
});
