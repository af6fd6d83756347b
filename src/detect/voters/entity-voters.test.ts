import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { EntityVoters, VOTERS } from './entity-voters.ts';
import type { EntityScore } from './voter-row.ts';

const STEP_MS = 60_000;

/** Series that follow one hidden load, with noise of their own. */
class Plant {
  readonly out: EntityScore;
  readonly #prng;
  readonly #voters: EntityVoters;
  readonly #values: Float64Array;
  readonly #residuals: Float64Array;
  #load = 0;
  #timeMs = 0;

  constructor(seriesCount: number, seed: number) {
    this.#prng = createPrng(seed);
    this.#voters = new EntityVoters({ seriesCount, stepMs: STEP_MS, seed });
    this.#values = new Float64Array(seriesCount);
    this.#residuals = new Float64Array(seriesCount);
    this.out = { score: 0, votes: new Float64Array(VOTERS.length), shares: new Float64Array(seriesCount) };
  }

  /** One row; `disturb` changes values and residuals, `frozen` passes to `learn`. */
  next(disturb?: (deviations: Float64Array) => void, frozen = false): EntityScore {
    this.#load = 0.95 * this.#load + 0.3 * this.#prng.normal();
    for (let j = 0; j < this.#values.length; j++) this.#residuals[j] = this.#load + 0.5 * this.#prng.normal();
    disturb?.(this.#residuals);
    for (let j = 0; j < this.#values.length; j++) this.#values[j] = 50 + 5 * (this.#residuals[j] as number);
    this.#timeMs += STEP_MS;
    const row = { timeMs: this.#timeMs, values: this.#values, residuals: this.#residuals };
    this.#voters.score(row, this.out);
    this.#voters.learn(row, frozen);
    return this.out;
  }

  run(rows: number, disturb?: (deviations: Float64Array) => void, frozen = false): number {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += this.next(disturb, frozen).score;
    return sum / rows;
  }
}

const shift = (j: number, by: number) => (r: Float64Array) => {
  r[j] = (r[j] as number) + by;
};

test('the mean evidence of ordinary rows is that of chance', () => {
  const plant = new Plant(6, 3);
  plant.run(2000);
  const mean = plant.run(2000);
  assert.ok(mean > 0.25 && mean < 0.65, `mean ${mean}`);
});

test('nothing is said before thirty rows', () => {
  const plant = new Plant(6, 4);
  assert.equal(plant.run(29, shift(0, 3)), 0);
});

test('a series that breaks its correlation scores high though its value is ordinary', () => {
  const plant = new Plant(8, 5);
  plant.run(3000);
  // Keeps only the own noise of series 2 and turns the common part round.
  const turned = (r: Float64Array): void => {
    r[2] = -3 * Math.sign(r[0] as number);
  };
  assert.ok(plant.run(12, turned) > 1.5);
});

test('an anomaly of a few hours is not learned, one of weeks is', () => {
  const plant = new Plant(3, 6);
  plant.run(14 * 1440);
  plant.run(60, shift(1, 6));
  const early = plant.run(60, shift(1, 6));
  const later = (plant.run(180, shift(1, 6)), plant.run(60, shift(1, 6)));
  assert.ok(later > 0.7 * early, `${early} then ${later}`);
  plant.run(14 * 1440, shift(1, 6));
  assert.ok(plant.run(60, shift(1, 6)) < 0.5 * early);
});

test('missing values are not evidence', () => {
  const voters = new EntityVoters({ seriesCount: 2, stepMs: STEP_MS, seed: 1 });
  const out = { score: 0, votes: new Float64Array(VOTERS.length), shares: new Float64Array(2) };
  const row = { timeMs: 0, values: Float64Array.of(NaN, NaN), residuals: Float64Array.of(0, 0) };
  for (let i = 0; i < 100; i++) {
    voters.score(row, out);
    voters.learn(row, false);
    assert.ok(Number.isFinite(out.score));
  }
  assert.ok(out.score < 0.5);
});

test('with one series the score rises with its residual alone', () => {
  const plant = new Plant(1, 8);
  plant.run(1000);
  const at = (residual: number): number =>
    plant.next((r) => {
      r[0] = residual;
    }).score;
  const scores = [0.1, 1, 3, 6, 12, 40].map(at);
  assert.deepEqual(
    scores.toSorted((a, b) => a - b),
    scores,
  );
  assert.equal(plant.out.shares[0], 1);
});

test('the same rows and seed give the same scores', () => {
  const [a, b] = [new Plant(4, 9), new Plant(4, 9)];
  for (let i = 0; i < 500; i++) assert.equal(a.next().score, b.next().score);
});
