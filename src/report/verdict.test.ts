import assert from 'node:assert/strict';
import test from 'node:test';
import { ManualClock, isoTime } from '../lib/clock.ts';
import { collectFacts } from './facts.ts';
import { createPatience } from './patience.ts';
import {
  anomaly,
  attribution,
  badDeployment,
  change,
  MINUTE,
  ONSET_MS,
  poorData,
  scenario,
  SECOND,
  testConfig,
} from './scenario.fixture.ts';
import type { Scenario } from './scenario.fixture.ts';
import { judge } from './verdict.ts';
import type { Judgement } from './verdict.ts';

async function judged({ store, incident }: Scenario): Promise<Judgement> {
  return judge(await collectFacts(store, incident, testConfig, createPatience(new ManualClock())));
}

function codes({ reasons }: Judgement): string[] {
  return reasons.map(({ code }) => code);
}

const errors = anomaly('an-1', 'payment', 'error_rate', { attribution: [attribution('error_rate', 0.01, 0.3)] });

test('a deployment minutes before a strong first deviation confirms the cause', async () => {
  const judgement = await judged(badDeployment());
  assert.equal(judgement.verdict, 'CONFIRMED');
  assert.equal(judgement.trigger?.change.id, 'ch-1');
  assert.deepEqual(codes(judgement), ['change_before', 'first_to_deviate', 'new_template']);
});

test('a change 16 minutes before, a weak effect or a baseline still learned leave it at likely', async () => {
  const weak = anomaly('an-1', 'payment', 'error_rate', { attribution: [attribution('error_rate', 0.01, 0.05)] });
  const near = [change('ch-1', 'payment', 10 * MINUTE)];
  const scenarios = [
    scenario([], [errors], [change('ch-1', 'payment', 16 * MINUTE)]),
    scenario([], [weak], near),
    scenario([], [{ ...errors, stage: 'warming_up' }], near),
  ];
  assert.deepEqual(
    (await Promise.all(scenarios.map(judged))).map(({ verdict }) => verdict),
    ['LIKELY', 'LIKELY', 'LIKELY'],
  );
});

test('a service that deviated earlier keeps a change elsewhere from being confirmed', async () => {
  const earlier = anomaly('an-2', 'database', 'latency', {
    startedAt: isoTime(ONSET_MS - 30 * SECOND),
    attribution: [attribution('p95_latency', 5, 50)],
  });
  const judgement = await judged(scenario([], [errors, earlier], [change('ch-1', 'payment', 3 * MINUTE)]));
  assert.equal(judgement.verdict, 'LIKELY');
});

test('a change of another service, after the onset or too long ago is no trigger', async () => {
  const changes = [
    change('ch-1', 'search', MINUTE),
    change('ch-2', 'payment', -2 * MINUTE),
    change('ch-3', 'payment', 61 * MINUTE),
  ];
  const judgement = await judged(scenario([], [errors], changes));
  assert.equal(judgement.verdict, 'INCONCLUSIVE');
  assert.equal(judgement.trigger, undefined);
  assert.deepEqual(codes(judgement), ['nothing_corroborates']);
});

test('recovery soon after a rollback confirms the cause', async () => {
  const end = isoTime(ONSET_MS + 8 * MINUTE);
  const rollback = change('ch-1', 'payment', -3 * MINUTE, { type: 'rollback' });
  const over = { ...errors, state: 'resolved', resolvedAt: end } as const;
  const closed = { status: 'resolved', resolvedAt: end, updatedAt: end } as const;
  const judgement = await judged(scenario([], [over], [rollback], closed));
  assert.equal(judgement.verdict, 'CONFIRMED');
  assert.deepEqual(judgement.reasons[0]?.ms, 5 * MINUTE);
});

test('with no cause, or nothing that points anywhere, the verdict is inconclusive', async () => {
  assert.deepEqual(codes(await judged(scenario([], [errors], [], { causes: [] }))), ['no_cause']);
  const judgement = await judged(poorData());
  assert.equal(judgement.verdict, 'INCONCLUSIVE');
  assert.deepEqual(codes(judgement), ['warming_up', 'nothing_corroborates']);
});
