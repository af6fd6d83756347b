import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPrng } from '../../lib/prng.ts';
import { EntityAlarm } from './entity-alarm.ts';

const STEP_MS = 60_000;
const SERIES = 5;
const OPTIONS = { stepMs: STEP_MS, falseAlarmBudget: 0.05, seriesCount: SERIES };

function setUp(rows: number) {
  const prng = createPrng(3);
  const alarm = new EntityAlarm(OPTIONS);
  let timeMs = 0;
  const residuals = (): Float64Array => Float64Array.from({ length: SERIES }, () => prng.normal());
  const feed = (row: Float64Array, votes: number, to = alarm): boolean => to.next(row, votes, timeMs);
  const step = (row = residuals(), votes = prng.exponential() / 2): boolean => feed(row, votes, ((timeMs += STEP_MS), alarm));
  let fired = 0;
  for (let i = 0; i < rows; i++) if (step()) fired++;
  return { alarm, step, residuals, fired, feed, nextTime: () => (timeMs += STEP_MS) };
}

test('noise alone is quiet', () => {
  const { fired, alarm } = setUp(3000);
  assert.equal(fired, 0);
  assert.equal(alarm.state, 'quiet');
});

test('a series far out fires, with its sign among the shares', () => {
  const { alarm, step, residuals } = setUp(2000);
  const row = residuals();
  row[2] = -40;
  assert.ok(step(row));
  assert.equal(alarm.state, 'firing');
  assert.ok((alarm.shares[2] as number) < -1);
});

test('a strange combination fires though no series is far out', () => {
  const { alarm, step, residuals } = setUp(2000);
  assert.ok(step(residuals(), 25));
  assert.ok(alarm.evidence > 5);
});

test('what voters still remember of a spike is over when the series are calm', () => {
  const { step, residuals } = setUp(2000);
  const row = residuals();
  row[2] = -40;
  assert.ok(step(row, 25));
  let fired = 0;
  for (let i = 0; i < 10; i++)
    if (
      step(
        residuals().map((residual) => residual / 10),
        25,
      )
    )
      fired++;
  assert.ok(fired <= 4, `${fired}`);
});

test('it is warming up on its first ticks', () => {
  assert.equal(setUp(10).alarm.state, 'warming_up');
});

test('a restored snapshot goes on like the original', () => {
  const { alarm, residuals, feed, nextTime } = setUp(500);
  const copy = new EntityAlarm(OPTIONS, structuredClone(alarm.snapshot()));
  for (let i = 0; i < 40; i++) {
    const row = residuals();
    if (i > 30) row[1] = 9;
    nextTime();
    assert.equal(feed(row, 0.3, copy), feed(row, 0.3, alarm));
    assert.equal(copy.evidence, alarm.evidence);
  }
});
