import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { createMetricDetector } from './metric-engine.ts';
import type { MetricVerdict, SeriesFinding } from './metric-detector.ts';

const T0 = Date.parse('2026-03-02T00:00:00Z');
const MINUTE_MS = 60_000;

interface Kept extends Omit<MetricVerdict, 'findings'> {
  findings: SeriesFinding[];
}

interface Run {
  minutes: number;
  /** Added to all stamps, milliseconds. */
  shiftMs?: number;
  rename?: (name: string) => string;
  /** Multiplies all values. */
  unit?: number;
  fault?: (minute: number, series: string) => number;
}

function run({ minutes, shiftMs = 0, rename = (name) => name, unit = 1, fault = () => 0 }: Run): Kept[] {
  const kept: Kept[] = [];
  const detector = createMetricDetector({
    seed: 1,
    falseAlarmBudget: 0.05,
    onVerdict: (verdict) => kept.push({ ...verdict, findings: [...verdict.findings] }),
  });
  const prng = createPrng(7);
  for (let minute = 0; minute < minutes; minute++) {
    const timeMs = T0 + shiftMs + minute * MINUTE_MS;
    for (const series of ['cpu', 'memory', 'queue']) {
      const value = 100 + 10 * prng.normal() + 10 * fault(minute, series);
      detector.observe(rename('shop'), rename(series), timeMs, unit * value);
    }
    detector.advance(timeMs + MINUTE_MS);
  }
  return kept;
}

const scoresOf = (verdicts: readonly Kept[]): number[] => verdicts.map(({ score }) => score);

test('every tick gets one verdict, in order, stamped with its points', () => {
  const verdicts = run({ minutes: 90 });
  assert.deepEqual(
    verdicts.map(({ timeMs }) => (timeMs - T0) / MINUTE_MS),
    Array.from({ length: 90 }, (_, i) => i),
  );
  assert.ok(verdicts.every(({ stepMs, score }) => stepMs === MINUTE_MS && score >= 0));
});

test('a jump of one series fires within minutes, names that series and its direction, and ends with it', () => {
  const verdicts = run({
    minutes: 400,
    fault: (minute, series) => (series === 'queue' && minute >= 300 && minute < 320 ? 20 : 0),
  });
  const firing = verdicts.flatMap(({ firing: isFiring }, minute) => (isFiring ? [minute] : []));
  assert.ok((firing[0] as number) >= 300 && (firing[0] as number) <= 303, `fires at ${firing[0]}`);
  assert.ok((firing.at(-1) as number) < 330, `ends at ${firing.at(-1)}`);
  const first = (verdicts[firing[0] as number] as Kept).findings[0] as SeriesFinding;
  assert.equal(first.series, 'queue');
  assert.ok(first.share > 0.5 && first.residual > 10);
  assert.ok(first.high < first.observed);
});

test('noise alone does not fire', () => {
  assert.equal(run({ minutes: 1500 }).filter(({ firing }) => firing).length, 0);
});

test('verdicts do not depend on names, on whole weeks, or on the unit', () => {
  const fault = (minute: number): number => (minute > 200 && minute < 210 ? 6 : 0);
  const plain = scoresOf(run({ minutes: 300, fault }));
  assert.deepEqual(scoresOf(run({ minutes: 300, fault, rename: (name) => `${20 - name.length}-${name}` })), plain);
  assert.deepEqual(scoresOf(run({ minutes: 300, fault, shiftMs: 5 * 7 * 86_400_000 })), plain);
  for (const [i, score] of scoresOf(run({ minutes: 300, fault, unit: 1024 })).entries()) {
    assert.ok(Math.abs(score - (plain[i] as number)) < 1e-6, `minute ${i}`);
  }
});

test('a verdict does not change with what comes after it', () => {
  const fault = (minute: number): number => (minute >= 200 ? 8 : 0);
  assert.deepEqual(scoresOf(run({ minutes: 250, fault })), scoresOf(run({ minutes: 400, fault })).slice(0, 250));
});
