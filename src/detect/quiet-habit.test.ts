import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime } from '../lib/clock.ts';
import type { Anomaly } from '../model/anomaly.ts';
import { anomalyOf, MINUTE, over, T0 } from './anomaly.fixture.ts';
import { quietReason, rememberOccurrence, type Habit } from './quiet-habit.ts';

const DAY = 1440 * MINUTE;

function habitOf(starts: readonly number[]): Habit {
  const habit: Habit = [];
  for (const start of starts) rememberOccurrence(habit, over(anomalyOf('a', start), start + 10 * MINUTE));
  return habit;
}

const quietAfter = (habit: Habit, anomaly: Anomaly, minutes = 1) =>
  quietReason(habit, anomaly, (Date.parse(anomaly.startedAt) + minutes * MINUTE) / 10_000);

test('what comes at the same time of day, three days of the week, is quiet the fourth time and says why', () => {
  const habit = habitOf([T0 - 5 * DAY, T0 - 2 * DAY + 30 * MINUTE, T0 - DAY - 20 * MINUTE]);
  const quiet = quietAfter(habit, anomalyOf('a', T0));
  assert.equal(quiet?.reason, 'it came at this time on 3 of the last 7 days and is no worse');
  assert.equal(quiet?.since, isoTime(T0 + MINUTE + 10_000));
  assert.equal(quietAfter(habit.slice(1), anomalyOf('a', T0)), null);
  assert.equal(quietAfter(habit, anomalyOf('a', T0 + 6 * 60 * MINUTE)), null);
});

test('many on one day are one trouble; many on several days are a habit at any time', () => {
  const day = Array.from({ length: 12 }, (_, i) => T0 - (12 - i) * 40 * MINUTE);
  assert.equal(quietAfter(habitOf(day), anomalyOf('a', T0)), null);
  const week = Array.from({ length: 30 }, (_, i) => T0 - (30 - i) * 150 * MINUTE);
  assert.match(quietAfter(habitOf(week), anomalyOf('a', T0))?.reason ?? '', /^it came 30 times in the last 7 days/);
});

test('what comes at all times comes at this one too: that is no habit', () => {
  const habit = habitOf(Array.from({ length: 30 }, (_, i) => T0 - (30 - i) * 320 * MINUTE));
  assert.equal(quietAfter(habit, anomalyOf('a', T0)), null);
});

test('what is worse than usual calls: by effect, by severity, or by length', () => {
  const habit = habitOf([T0 - 3 * DAY, T0 - 2 * DAY, T0 - DAY]);
  const [entry] = anomalyOf('a', T0).attribution;
  assert.ok(entry);
  assert.equal(quietAfter(habit, anomalyOf('a', T0, { attribution: [{ ...entry, observed: 0.3 }] })), null);
  assert.equal(quietAfter(habit, anomalyOf('a', T0, { severity: 'critical' })), null);
  assert.notEqual(quietAfter(habit, anomalyOf('a', T0), 19), null);
  assert.equal(quietAfter(habit, anomalyOf('a', T0), 21), null);
});

test('only the newest occurrences are remembered', () => {
  assert.equal(habitOf(Array.from({ length: 100 }, (_, i) => T0 + i * DAY)).length, 32);
});
