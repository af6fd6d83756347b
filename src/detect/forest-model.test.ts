import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../lib/errors.ts';
import { createPrng } from '../lib/prng.ts';
import type { Feature } from '../model/rollup.ts';
import { MIN_TRAINING_WINDOWS, openForestModel, trainForestModel, type ForestTraining } from './forest-model.ts';
import { CleanWindows } from './clean-windows.ts';
import { decodeForest, encodeForest } from './forest-payload.ts';
import { lowTailThreshold } from './forest-threshold.ts';

const FEATURES: Feature[] = [
  'event_count',
  'error_rate',
  'avg_latency',
  'p95_latency',
  'p99_latency',
  'latency_stddev',
  'unique_endpoints',
];

function healthyWindow(next: () => number): Float64Array {
  const latency = 80 + 5 * next();
  return Float64Array.of(1000 + 40 * next(), 0.01 + 0.002 * next(), latency, 2 * latency, 3 * latency, 20 + next(), 6);
}

function training(overrides: Partial<ForestTraining> = {}): ForestTraining {
  const prng = createPrng(11);
  return {
    service: 'checkout',
    windows: CleanWindows.learned(Array.from({ length: 800 }, () => healthyWindow(() => prng.normal()))),
    features: FEATURES,
    contamination: 0.05,
    seed: 42,
    windowMs: 300_000,
    trainedAtMs: 86_400_000,
    trainedFromMs: 0,
    trainedToMs: 86_000_000,
    ...overrides,
  };
}

const stored = trainForestModel(training());
const model = openForestModel(stored);
const healthy = [1000, 0.01, 80, 160, 240, 20, 6];

test('a training record says what the forest was trained on and how its history scored', () => {
  const { record } = stored;
  assert.equal(record.trainedTo, '1970-01-01T23:53:20.000Z');
  assert.deepEqual(record.parameters, { nEstimators: 100, maxSamples: 256, contamination: 0.05, seed: 42, windowMs: 300_000 });
  assert.equal(record.metrics.trainingWindows, 800);
  assert.equal(record.dataHash, training().windows.hash());
  assert.equal(record.excludedWindows, 0);
  assert.ok(Math.abs(record.metrics.flaggedShare - 0.05) < 0.002, `${record.metrics.flaggedShare}`);
  const { scoreMin, scoreMedian, scoreMax } = record.metrics;
  assert.ok(-1 < scoreMin && scoreMin < record.offset && record.offset < scoreMedian && scoreMedian < scoreMax && scoreMax < 0);
});

test('contamination "auto" puts the offset at -0.5', () => {
  assert.equal(trainForestModel(training({ contamination: 'auto' })).record.offset, -0.5);
});

test('training is deterministic for a seed', () => {
  assert.deepEqual(trainForestModel(training()), stored);
  assert.notDeepEqual(trainForestModel(training({ seed: 43 })).payload, stored.payload);
});

test('a healthy window scores above the threshold and each kind of fault below it', () => {
  assert.ok(model.scoreSamples(healthy) > model.threshold);
  assert.equal(model.predict(healthy), 1);
  const faults = {
    slow: [1000, 0.01, 400, 900, 1500, 150, 6],
    failing: [1000, 0.5, 30, 60, 90, 10, 6],
    flooded: [9000, 0.05, 200, 500, 900, 60, 6],
  };
  for (const [name, fault] of Object.entries(faults)) {
    assert.ok(model.scoreSamples(fault) < model.threshold, `${name}: ${model.scoreSamples(fault)} against ${model.threshold}`);
    assert.equal(model.predict(fault), -1);
  }
});

test('the decision function is the score minus the offset', () => {
  assert.equal(model.decisionFunction(healthy), model.scoreSamples(healthy) - stored.record.offset);
});

test('the threshold lets few healthy windows through that the forest has not seen', () => {
  const prng = createPrng(99);
  let flagged = 0;
  for (let i = 0; i < 3_000; i++) if (model.scoreSamples(healthyWindow(() => prng.normal())) < model.threshold) flagged++;
  assert.ok(flagged <= 15, `${flagged} of 3000`);
});

test('the feature that deviates gets the largest share', () => {
  const shares = model.contributions([1000, 0.4, 80, 160, 240, 20, 6]);
  assert.equal(shares.indexOf(Math.max(...shares)), FEATURES.indexOf('error_rate'));
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12);
  assert.ok(shares.every((share) => share >= 0 && share <= 1));
});

test('a missing latency counts as the median and carries no share', () => {
  const shares = model.contributions([5000, 0.4, NaN, NaN, NaN, NaN, 6]);
  assert.deepEqual(shares.slice(2, 6), [0, 0, 0, 0]);
  const median = decodeForest(stored.payload).median;
  const filled = [1000, 0.01, ...median.slice(2, 6), 6];
  assert.equal(model.scoreSamples([1000, 0.01, NaN, Infinity, NaN, NaN, 6]), model.scoreSamples(filled));
});

test('an error rate that was always zero still shows when it rises', () => {
  const windows = training().windows.rows.map((row) => row.with(1, 0));
  const spread = openForestModel(trainForestModel(training({ windows: CleanWindows.learned(windows) })));
  const risen = [1000, 0.3, 80, 160, 240, 20, 6];
  assert.ok(spread.scoreSamples(risen) < spread.scoreSamples([1000, 0, 80, 160, 240, 20, 6]) - 0.03);
  assert.ok((spread.contributions(risen)[1] as number) > 0.9);
});

test('a history without latency can be learned', () => {
  const windows = training().windows.rows.map((row) => row.map((value, f) => (f >= 2 && f <= 5 ? NaN : value)));
  const quiet = openForestModel(trainForestModel(training({ windows: CleanWindows.learned(windows) })));
  assert.ok(quiet.scoreSamples([1000, 0.01, NaN, NaN, NaN, NaN, 6]) > quiet.threshold);
  assert.ok(quiet.scoreSamples([9000, 0.6, NaN, NaN, NaN, NaN, 6]) < quiet.threshold);
});

test('too short a history is refused by name', () => {
  const windows = training().windows.rows.slice(0, MIN_TRAINING_WINDOWS - 1);
  assert.throws(
    () => trainForestModel(training({ windows: CleanWindows.learned(windows) })),
    (error: HeliosError) => error.code === 'invalid_argument' && error.message.includes('checkout'),
  );
});

test('a history longer than what is scored for calibration is sampled evenly', () => {
  const prng = createPrng(1);
  const windows = Array.from({ length: 12_000 }, () => healthyWindow(() => prng.normal()));
  const { metrics } = trainForestModel(training({ windows: CleanWindows.learned(windows) })).record;
  assert.equal(metrics.trainingWindows, 12_000);
  assert.ok(Math.abs(metrics.flaggedShare - 0.05) < 0.001);
});

test('a stored forest comes back bit for bit', () => {
  const decoded = decodeForest(stored.payload);
  assert.deepEqual(encodeForest(decoded), stored.payload);
  assert.equal(decoded.threshold, model.threshold);
  const shifted = new Uint8Array(stored.payload.length + 3);
  shifted.set(stored.payload, 3);
  assert.deepEqual(decodeForest(shifted.subarray(3)), decoded);
});

test('a damaged payload is refused, never read past its end', () => {
  const refuses = (payload: Uint8Array): void =>
    assert.throws(
      () => decodeForest(payload),
      (error: HeliosError) => error.code === 'corrupt_data',
    );
  refuses(new Uint8Array(0));
  refuses(stored.payload.slice(0, 100));
  refuses(stored.payload.slice(0, -1));
  refuses(Buffer.concat([stored.payload, Buffer.of(0)]));
  refuses(stored.payload.with(0, 2));
  const prng = createPrng(5);
  for (let i = 0; i < 300; i++) {
    const payload = stored.payload.slice();
    payload[prng.below(payload.length)] = prng.below(256);
    try {
      decodeForest(payload);
    } catch (error) {
      assert.equal((error as HeliosError).code, 'corrupt_data');
    }
  }
  assert.throws(
    () => openForestModel({ record: { ...stored.record, features: ['event_count'] }, payload: stored.payload }),
    HeliosError,
  );
});

test('the tail threshold of exponential scores meets its false-alarm share', () => {
  const prng = createPrng(8);
  const draw = (): number => -0.4 - 0.01 * prng.exponential();
  const scores = Float64Array.from({ length: 4_000 }, draw).sort();
  const expected = -0.4 - 0.01 * Math.log(1 / 1e-3);
  assert.ok(Math.abs(lowTailThreshold(scores, 1e-3) - expected) < 0.006, `${lowTailThreshold(scores, 1e-3)} against ${expected}`);
});

test('a fault in the history hardly moves the tail threshold', () => {
  const prng = createPrng(8);
  const scores = Float64Array.from({ length: 2_000 }, () => -0.4 - 0.01 * prng.exponential());
  const clean = lowTailThreshold(scores.toSorted());
  const dirty = lowTailThreshold(scores.map((score, i) => (i < 10 ? -0.9 : score)).sort());
  assert.ok(Math.abs(clean - dirty) < 0.03, `${clean} against ${dirty}`);
});
