import assert from 'node:assert/strict';
import test from 'node:test';
import type { Anomaly } from '../model/anomaly.ts';
import type { QuietRule } from '../model/feedback.ts';
import { anomalyOf, MINUTE, over, T0 } from './anomaly.fixture.ts';
import { replayFiling, type ReplayedFiling } from './filing-replay.ts';
import { quietPatterns } from './quiet-rules.ts';

const HOUR = 60 * MINUTE;

function replay(anomalies: readonly Anomaly[], rules: readonly QuietRule[] = []): ReplayedFiling {
  const steps = replayFiling(anomalies, rules, { gapMs: 5 * MINUTE, untilMs: T0 + 1000 * HOUR });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function stored(service: string, startMs: number, incidentId: string | null, overrides: Partial<Anomaly> = {}): Anomaly {
  return over(anomalyOf(service, startMs, { incidentId, ...overrides }), startMs + 5 * MINUTE);
}

const ruleOf = (anomaly: Anomaly): QuietRule => {
  const patterns = quietPatterns([anomaly], { match: 'entity', hours: null }, T0);
  return { id: 'in-1.1', label: 'false_alarm', by: 'ada', at: anomaly.startedAt, patterns };
};

/** Every hour cart alone; every other hour two minutes later front, which belongs to it. */
const HISTORY = Array.from({ length: 300 }, (_, hour) => {
  const startMs = T0 + hour * HOUR;
  const cart = stored('cart', startMs, `in-${hour}`);
  return hour % 2 === 0 ? [cart] : [cart, stored('front', startMs + 2 * MINUTE, `in-${hour}`)];
}).flat();

test('without a rule the stored incidents come out again', () => {
  const { called, incidents } = replay(HISTORY.toReversed());
  assert.equal(called.size, 450);
  assert.equal(incidents, 300);
});

test('with a rule what it holds back is missing, and incidents of nothing else with it', () => {
  const { called, incidents } = replay(HISTORY, [ruleOf(HISTORY[0] as Anomaly)]);
  assert.equal(called.size, 150);
  assert.equal(incidents, 150);
});

test('what a rule that is gone made quiet would call, and what was a habit would not', () => {
  const quiet = { since: '2025-10-08T10:00:00.000Z', reason: '' };
  const byRule = stored('cart', T0, null, { quiet: { ...quiet, rule: 'in-9.1' } });
  const byHabit = stored('cart', T0 + HOUR, null, { quiet });
  assert.deepEqual([...replay([byRule, byHabit]).called], [byRule.id]);
});

test('services that never shared an incident do not share one now, though they fail within minutes', () => {
  const apart = [stored('cart', T0, 'in-1'), stored('mail', T0 + 3 * MINUTE, 'in-2')];
  assert.equal(replay(apart).incidents, 2);
});

test('one that fires to this day calls when its time is over', () => {
  const firing = anomalyOf('cart', T0, { incidentId: 'in-1' });
  const rule = ruleOf(over(firing, T0 + 5 * MINUTE));
  assert.equal(replay([firing], [rule]).called.size, 1);
  assert.equal(replay([over(firing, T0 + 50 * MINUTE)], [rule]).called.size, 0);
});
