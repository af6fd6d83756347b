import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createPrng } from '../../lib/prng.ts';
import { AlarmRule, neededEvidence } from './alarm-rule.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface Feed {
  rule: AlarmRule;
  stepMs: number;
  timeMs: number;
  noise: () => number;
}

function feedOf(stepMs: number, seed: number): Feed {
  const prng = createPrng(seed);
  const rule = new AlarmRule({ stepMs, falseAlarmBudget: 0.05 });
  return { rule, stepMs, timeMs: 0, noise: () => Math.abs(prng.normal()) };
}

/** Feeds `ticks` scores; number of ticks that fired. */
function feed(to: Feed, ticks: number, extra = 0, kind = ''): number {
  let fired = 0;
  for (let i = 0; i < ticks; i++) {
    if (to.rule.next(extra + to.noise(), to.timeMs, kind)) fired++;
    to.timeMs += to.stepMs;
  }
  return fired;
}

test('a smaller budget and a finer step ask for more evidence', () => {
  assert.ok(
    neededEvidence({ stepMs: 1000, falseAlarmBudget: 0.05 }) > neededEvidence({ stepMs: 3_600_000, falseAlarmBudget: 0.05 }),
  );
  assert.ok(
    Math.abs(neededEvidence({ stepMs: 86_400, falseAlarmBudget: 0.1 }) - 4) < 1e-9,
    'a thousand ticks a day and one alarm in ten days are one tick in 10,000',
  );
});

test('a month of noise stays within twice the budget and a little', () => {
  let episodes = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const to = feedOf(5 * MINUTE_MS, seed);
    let was = false;
    for (let i = 0; i < 8640; i++) {
      const fires = feed(to, 1) > 0;
      if (fires && !was) episodes++;
      was = fires;
    }
  }
  assert.ok(episodes <= 2 * 150 * 0.05 + 2, `${episodes} in 150 days`);
});

test('strong evidence fires on the first tick, at steps of a second, a minute and an hour', () => {
  for (const stepMs of [1000, MINUTE_MS, 60 * MINUTE_MS]) {
    const to = feedOf(stepMs, 11);
    feed(to, 1000);
    assert.equal(feed(to, 1, 25), 1, `step ${stepMs}`);
    assert.equal(to.rule.state, 'firing');
  }
});

test('weak evidence is pending first and fires when it lasts', () => {
  const to = feedOf(MINUTE_MS, 12);
  feed(to, 5000);
  assert.equal(feed(to, 1, 2.8), 0);
  assert.ok(feed(to, 12, 2.8) > 0);
});

test('one weak tick is no alarm', () => {
  const to = feedOf(MINUTE_MS, 13);
  feed(to, 5000);
  assert.equal(feed(to, 1, 2.8), 0);
  assert.equal(feed(to, 20), 0);
});

test('nothing fires while warming up', () => {
  const to = feedOf(MINUTE_MS, 14);
  assert.equal(feed(to, 20, 100), 0);
  assert.equal(to.rule.state, 'warming_up');
});

test('an alarm is released after calm ticks', () => {
  const to = feedOf(MINUTE_MS, 15);
  feed(to, 1000);
  assert.equal(feed(to, 5, 30), 5);
  feed(to, 12);
  assert.equal(to.rule.state, 'quiet');
});

test('what has fired for six hours is settled until it gets worse', () => {
  const to = feedOf(5 * MINUTE_MS, 16);
  feed(to, 3000);
  assert.ok(feed(to, 71, 30) > 50);
  feed(to, 10, 30);
  assert.ok(feed(to, 500, 30) === 0, to.rule.state);
  feed(to, 1, 5000);
  assert.equal(to.rule.state, 'firing');
});

test('missing ticks break persistence', () => {
  const to = feedOf(MINUTE_MS, 17);
  feed(to, 5000);
  let fired = 0;
  for (let i = 0; i < 12; i++) {
    fired += feed(to, 1, 2.8);
    to.timeMs += 30 * MINUTE_MS;
  }
  assert.equal(fired, 0);
});

test('a daily habit is muted from its third day on, until it gets worse', () => {
  const to = feedOf(5 * MINUTE_MS, 18);
  feed(to, 5000);
  const states: string[] = [];
  for (let day = 0; day < 6; day++) {
    feed(to, 2, 60, 'disk up');
    states.push(to.rule.state);
    feed(to, DAY_MS / to.stepMs - 2);
  }
  assert.deepEqual(states.slice(0, 3), ['firing', 'firing', 'muted_frequent']);
  assert.ok(!states.slice(3).includes('firing'));
  feed(to, 2, 200_000, 'disk up');
  assert.equal(to.rule.state, 'firing');
});

test('several episodes of one day are one trouble and no habit', () => {
  const to = feedOf(MINUTE_MS, 19);
  feed(to, 5000);
  for (let episode = 0; episode < 6; episode++) {
    assert.ok(feed(to, 3, 60, 'cpu up') > 0, `episode ${episode}`);
    feed(to, 30);
  }
});

test('a restored memory goes on like the original', () => {
  const to = feedOf(MINUTE_MS, 20);
  feed(to, 600);
  const copy = new AlarmRule({ stepMs: MINUTE_MS, falseAlarmBudget: 0.05 }, structuredClone(to.rule.memory));
  for (let i = 0; i < 60; i++) {
    const score = to.noise() + (i > 40 ? 5 : 0);
    assert.equal(copy.next(score, to.timeMs), to.rule.next(score, to.timeMs));
    assert.equal(copy.evidence, to.rule.evidence);
    to.timeMs += MINUTE_MS;
  }
});
