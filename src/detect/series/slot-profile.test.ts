import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSlotProfile, learnSlotProfile, readSlotProfile } from './slot-profile.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

test('a phase is forecast by the median of its visits and its neighbours, once it was visited twice', () => {
  const profile = createSlotProfile(DAY_MS, HOUR_MS, 3, HOUR_MS);
  const values = [5, 5, 500];
  values.forEach((value, day) => {
    for (let hour = 0; hour < 24; hour++) {
      if (day === 0) assert.ok(Number.isNaN(readSlotProfile(profile, hour * HOUR_MS)) || hour >= 4);
      learnSlotProfile(profile, day * DAY_MS + hour * HOUR_MS, value);
    }
  });
  assert.equal(readSlotProfile(profile, 3 * DAY_MS + 12 * HOUR_MS), 5);
});

test('slots divide the period whatever the step, and one slot holds any number of points', () => {
  for (const stepMs of [1000, 7 * 60_000, 50 * 60_000, HOUR_MS]) {
    const profile = createSlotProfile(DAY_MS, 15 * 60_000, 3, stepMs);
    assert.equal(profile.slots * profile.slotMs, DAY_MS);
    assert.ok(profile.slotMs >= stepMs);
  }
  const profile = createSlotProfile(DAY_MS, 15 * 60_000, 3, 1000);
  for (let i = 0; i < 5000; i++) learnSlotProfile(profile, i * 1000, i < 900 ? 1 : 2);
  assert.equal(profile.values[0], 1);
  assert.equal(profile.values[3], 2);
});
