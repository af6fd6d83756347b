import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { isWon } from './forecast-contest.ts';
import { MIN_POINTS, SeriesModel } from './series-model.ts';
import type { SeriesReading } from './series-model.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const STEP_MS = 5 * 60_000;
const PER_DAY = DAY_MS / STEP_MS;

type Signal = (timeMs: number, index: number) => number;

/** Feeds `count` points from `fromIndex` on and returns what was read of each before it was learned. */
function feed(model: SeriesModel, signal: Signal, count: number, options = { fromIndex: 0, startMs: 0 }): SeriesReading[] {
  return Array.from({ length: count }, (_, i) => {
    const index = options.fromIndex + i;
    const timeMs = options.startMs + index * model.stepMs;
    const value = signal(timeMs, index);
    const reading: SeriesReading = { expected: NaN, spread: NaN, residual: NaN, departure: NaN, away: NaN };
    model.read(timeMs, value, reading);
    model.learn(timeMs, value, false);
    return reading;
  });
}

const noise = (seed: number, level = 100, spread = 10): Signal => {
  const prng = createPrng(seed);
  return () => level + spread * prng.normal();
};

/** Exact, so that days many weeks apart are the same to the last bit. */
const phaseOf = (timeMs: number): number => ((timeMs % DAY_MS) + DAY_MS) % DAY_MS;

const daily = (seed: number, spread = 5): Signal => {
  const prng = createPrng(seed);
  return (timeMs) => 100 + 60 * Math.sin((2 * Math.PI * phaseOf(timeMs)) / DAY_MS) + spread * prng.normal();
};

const at = (readings: readonly SeriesReading[], index: number): SeriesReading => readings.at(index) as SeriesReading;

function readAt(model: SeriesModel, index: number, value: number): SeriesReading {
  const reading: SeriesReading = { expected: NaN, spread: NaN, residual: NaN, departure: NaN, away: NaN };
  model.read(index * model.stepMs, value, reading);
  return reading;
}

test('a daily period is found and used: the value of noon is far off at midnight', () => {
  const model = new SeriesModel(STEP_MS);
  const readings = feed(model, daily(1), 6 * PER_DAY);
  assert.ok(isWon(model.state.day.contest));
  for (const [index, reading] of readings.slice(-PER_DAY).entries()) {
    const phase = index * STEP_MS;
    assert.ok(Math.abs(reading.expected - 100 - 60 * Math.sin((2 * Math.PI * phase) / DAY_MS)) < 15);
    assert.ok(Math.abs(reading.residual) < 8);
  }
  assert.ok(readAt(model, 6 * PER_DAY + PER_DAY / 4, 40).residual < -5);
});

test('a week whose days differ is told from its days', () => {
  const model = new SeriesModel(HOUR_MS);
  const prng = createPrng(2);
  const signal: Signal = (timeMs) => (Math.floor(timeMs / DAY_MS) % 7 < 5 ? 100 : 20) + 2 * prng.normal();
  feed(model, signal, 5 * 7 * 24);
  assert.ok(Math.abs(readAt(model, 5 * 7 * 24 + 5 * 24 + 12, 20).residual) < 3);
  assert.ok(readAt(model, 5 * 7 * 24 + 12, 20).expected > 80);
});

test('no period is invented in noise', () => {
  for (const seed of [3, 4, 5, 6, 7]) {
    const model = new SeriesModel(STEP_MS);
    feed(model, noise(seed), 10 * PER_DAY);
    assert.ok(!isWon(model.state.day.contest) && !isWon(model.state.week.contest), `seed ${String(seed)}`);
    // However narrow the errors of a period happen to be: it is not believed before it has won.
    model.state.day.spread = model.state.week.spread = 1e-6;
    assert.equal(readAt(model, 10 * PER_DAY, 100).expected, model.state.level.forecast + model.state.origin);
  }
});

test('nothing is said before 30 points, and a spike soon after is seen', () => {
  const model = new SeriesModel(1000);
  const readings = feed(model, noise(8, 100, 1), 40);
  for (const reading of readings.slice(0, MIN_POINTS)) assert.equal(reading.residual, 0);
  const spike = readAt(model, 40, 200);
  assert.ok(spike.residual > 8);
  assert.ok(Math.abs(readAt(model, 40, 101).residual) < 3);
});

test('an anomaly of hours is not absorbed while it lasts', () => {
  const model = new SeriesModel(60_000);
  const quiet = noise(9, 100, 3);
  feed(model, quiet, 3 * 1440);
  const readings = feed(model, () => quiet(0, 0) + 60, 600, { fromIndex: 3 * 1440, startMs: 0 });
  for (const reading of readings) assert.ok(reading.residual > 4);
});

test('a shift that stays becomes normal within about the length of the history', () => {
  const model = new SeriesModel(HOUR_MS);
  const quiet = noise(10, 100, 3);
  feed(model, quiet, 24 * 14);
  const readings = feed(model, () => quiet(0, 0) + 60, 24 * 21, { fromIndex: 24 * 14, startMs: 0 });
  assert.ok(at(readings, 24).residual > 4);
  assert.ok(Math.abs(at(readings, -1).residual) < 3);
  assert.ok(Math.abs(at(readings, -1).expected - 160) < 5);
});

test('frozen, nothing becomes normal', () => {
  const model = new SeriesModel(STEP_MS);
  feed(model, noise(11, 100, 3), 500);
  const before = readAt(model, 500, 150);
  for (let i = 500; i < 1500; i++) model.learn(i * STEP_MS, 150, true);
  const after = readAt(model, 1500, 150);
  assert.equal(after.expected, before.expected);
  assert.ok(after.residual > 5);
});

test('a constant series is quiet, and its first change is finite and large', () => {
  for (const level of [0, 7, -3e9]) {
    const model = new SeriesModel(STEP_MS);
    for (const reading of feed(model, () => level, 300)) assert.equal(reading.residual, 0);
    const { residual } = readAt(model, 300, level === 0 ? 100 : 3 * level);
    assert.ok(Number.isFinite(residual) && Math.abs(residual) > 10);
  }
});

test('the first event of a count that was always zero is a small deviation, a hundred are a large one', () => {
  const model = new SeriesModel(STEP_MS);
  feed(model, () => 0, 2000);
  const one = readAt(model, 2000, 1);
  const hundred = readAt(model, 2000, 100);
  assert.ok(one.residual > 0 && one.residual < 3);
  assert.ok(hundred.residual > 10 * one.residual);
});

test('a change within a few per cent of the level is below the minimum effect', () => {
  const model = new SeriesModel(STEP_MS);
  feed(model, noise(12, 1000, 0.01), 500);
  assert.ok(Math.abs(readAt(model, 500, 1030).residual) < 1);
});

test('bursts of a series that is mostly zero are far from it, larger ones farther', () => {
  const model = new SeriesModel(STEP_MS);
  const prng = createPrng(13);
  feed(model, () => (prng.next() < 0.05 ? 10 * prng.exponential() : 0), 10 * PER_DAY);
  assert.ok(readAt(model, 10 * PER_DAY, 800).residual > readAt(model, 10 * PER_DAY, 15).residual + 10);
  assert.ok(Math.abs(readAt(model, 10 * PER_DAY, 0).residual) < 1);
});

test('a spike departs, its end does not', () => {
  const model = new SeriesModel(STEP_MS);
  const quiet = noise(20, 100, 5);
  feed(model, quiet, 2000);
  const spike = feed(model, () => 400, 1, { fromIndex: 2000, startMs: 0 });
  assert.ok(at(spike, 0).departure > 10);
  const end = readAt(model, 2001, 100);
  assert.ok(end.residual < -10);
  assert.ok(end.departure <= 0 && end.departure >= -3);
});

test('a share of successes that rests at its ceiling is measured by the share of failures', () => {
  const model = new SeriesModel(STEP_MS);
  const prng = createPrng(22);
  feed(model, () => (prng.next() < 0.2 ? 100 - 0.5 * prng.next() : 100), 3 * PER_DAY);
  assert.ok(readAt(model, 3 * PER_DAY, 93).departure < -5);
  const middle = new SeriesModel(STEP_MS);
  feed(middle, noise(23, 100, 0.1), 3 * PER_DAY);
  assert.ok(readAt(middle, 3 * PER_DAY, 93).departure > -3);
});

test('what a series does on one day of ten departs less than it deviates', () => {
  const model = new SeriesModel(STEP_MS);
  const prng = createPrng(21);
  feed(model, () => 100 + prng.normal() * (prng.next() < 0.2 ? 60 : 5), 5 * PER_DAY);
  const { residual, departure } = readAt(model, 5 * PER_DAY, 250);
  assert.ok(departure > 0 && departure < 0.8 * residual);
});

test('missing values say nothing and change nothing; a gap and repeated stamps are survived', () => {
  const model = new SeriesModel(STEP_MS);
  const signal = daily(16);
  feed(model, signal, 4 * PER_DAY);
  const missing = readAt(model, 4 * PER_DAY, NaN);
  const before = structuredClone(model.state);
  assert.equal(missing.residual, 0);
  assert.equal(missing.departure, 0);
  model.learn(4 * PER_DAY * STEP_MS, NaN, false);
  assert.deepEqual(model.state, before);
  for (let i = 0; i < 10; i++) model.learn(4 * PER_DAY * STEP_MS, 100, false);
  const late = feed(model, signal, PER_DAY, { fromIndex: 9 * PER_DAY + 17, startMs: 0 });
  for (const reading of late) assert.ok(Math.abs(reading.residual) < 8);
});

test('a shift of time by whole weeks changes nothing', () => {
  for (const stepMs of [STEP_MS, 7 * 60_000, HOUR_MS]) {
    const run = (startMs: number): SeriesReading[] => feed(new SeriesModel(stepMs), daily(17), 3000, { fromIndex: 0, startMs });
    assert.deepEqual(run(0), run(-5 * 7 * DAY_MS));
  }
});

test('another unit changes nothing', () => {
  const run = (unit: number): SeriesReading[] => {
    const signal = daily(18);
    return feed(new SeriesModel(STEP_MS), (timeMs, index) => unit * signal(timeMs, index), 3000);
  };
  const plain = run(1);
  for (const unit of [1 / 1024, 1024]) {
    run(unit).forEach((reading, i) => {
      assert.ok(Math.abs(reading.residual - at(plain, i).residual) < 1e-4);
      assert.ok(Math.abs(reading.departure - at(plain, i).departure) < 1e-4);
    });
  }
});

test('a clone of the state goes on like the original, and it stays under 13 kB', () => {
  const signal = daily(19);
  const model = new SeriesModel(STEP_MS);
  feed(model, signal, 2000);
  const clone = new SeriesModel(STEP_MS, structuredClone(model.state));
  assert.deepEqual(readAt(clone, 2000, 90), readAt(model, 2000, 90));
  const bytes = (node: object): number =>
    Object.values(node as Record<string, unknown>).reduce<number>((sum, value) => {
      if (ArrayBuffer.isView(value)) return sum + value.byteLength;
      return sum + (typeof value === 'object' && value !== null ? bytes(value) : 8);
    }, 0);
  assert.ok(bytes(model.state) < 13_000);
});

test('a return from a spike is a departure from the last point, yet away from nothing', () => {
  const model = new SeriesModel(STEP_MS);
  const level: Signal = (_, index) => 100 + (index % 7) - 3;
  feed(model, level, 300);
  feed(model, () => 400, 1, { fromIndex: 300, startMs: 0 });
  const back = readAt(model, 301, 100);
  assert.equal(Math.abs(back.departure), 3);
  assert.ok(back.away < 1, String(back.away));
  assert.ok(readAt(model, 301, 500).away > 10);
});
