import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addResidual, createResidualCourse, judgeCourse } from './regime.ts';

const MINUTE_MS = 60_000;

function courseOf(ticks: number, residual: (tick: number) => number) {
  const course = createResidualCourse();
  for (let tick = 0; tick < ticks; tick++) addResidual(course, residual(tick));
  return course;
}

test('what does not last is a spike or a drop by its direction', () => {
  assert.equal(
    judgeCourse(
      courseOf(5, () => 9),
      MINUTE_MS,
    ).regime,
    'spike',
  );
  assert.equal(
    judgeCourse(
      courseOf(5, () => -9),
      MINUTE_MS,
    ).regime,
    'drop',
  );
});

test('a level that stays is a shift, and the new normal once it has stayed twice as long', () => {
  const level = (tick: number): number => 8 + Math.sin(tick);
  assert.deepEqual(judgeCourse(courseOf(40, level), MINUTE_MS), { regime: 'shift', isNewNormal: false });
  assert.deepEqual(judgeCourse(courseOf(70, level), MINUTE_MS), { regime: 'shift', isNewNormal: true });
});

test('a level that keeps moving is a drift and never the new normal', () => {
  assert.deepEqual(
    judgeCourse(
      courseOf(300, (tick) => 3 + tick / 20 + Math.sin(tick)),
      MINUTE_MS,
    ),
    {
      regime: 'drift',
      isNewNormal: false,
    },
  );
});

test('an hourly series must last six ticks to be a shift', () => {
  assert.equal(
    judgeCourse(
      courseOf(4, () => 9),
      3_600_000,
    ).regime,
    'spike',
  );
  assert.equal(
    judgeCourse(
      courseOf(7, () => 9),
      3_600_000,
    ).regime,
    'shift',
  );
});

test('a course of a million ticks stays small', () => {
  const course = courseOf(1_000_000, () => 5);
  assert.ok(course.values.length <= 32);
  assert.equal(judgeCourse(course, 1000).regime, 'shift');
});
