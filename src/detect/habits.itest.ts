import assert from 'node:assert/strict';
import test from 'node:test';
import { createDetector } from './engine.ts';
import { createVerdicts, DAY_MS, during, HOUR_MS, play, START_MS, steady, testConfig } from './traffic.fixture.ts';

const MINUTE = 60_000;
const detector = () => createDetector({ config: testConfig(), clock: 'events', seed: 1 });

test('a burst at the same hour of every day is quiet from the fourth day on, and a worse one calls', () => {
  const one = detector();
  const verdicts = createVerdicts();
  for (let day = 0; day < 6; day++) {
    const fromMs = START_MS + day * DAY_MS;
    const burst = () => ({ errorRate: day === 5 ? 0.6 : 0.05 });
    const noisy = during(steady('a', { errorRate: 0.005 }), fromMs + 40 * MINUTE, fromMs + 50 * MINUTE, burst);
    // Nights between are skipped: a stream may jump.
    play({ detector: one, services: [noisy, steady('b')], fromMs, toMs: fromMs + HOUR_MS, verdicts });
  }
  const { anomalies, incidents } = verdicts;
  const bursts = [...anomalies.values()].filter(({ signal }) => signal === 'error_rate');
  assert.deepEqual(
    bursts.map(({ quiet }) => (quiet ?? null) !== null),
    [false, false, false, true, true, false],
  );
  assert.deepEqual(
    bursts.map(({ incidentId }) => incidentId !== null),
    [true, true, true, false, false, true],
  );
  assert.match(bursts[3]?.quiet?.reason ?? '', /at this time on 3 of the last 7 days/);
  assert.equal(incidents.size, 4);
});

test('learning is frozen for a day at most, and for good once a person has rejected the new normal', () => {
  const shiftMs = START_MS + HOUR_MS;
  const services = [during(steady('a', { rate: 2 }), shiftMs, Infinity, () => ({ latencyMs: 200 })), steady('b', { rate: 1 })];
  const run = (reject: boolean) => {
    const one = detector();
    const verdicts = play({ detector: one, services, fromMs: START_MS, toMs: shiftMs + 2 * HOUR_MS });
    const [anomaly] = verdicts.anomalies.values();
    const incidentId = anomaly?.incidentId as string;
    assert.equal(anomaly?.newNormal?.state, 'proposed');
    if (reject) one.command({ type: 'new_normal', incidentId, decision: 'reject', by: 'kim', atMs: shiftMs + 2 * HOUR_MS });
    play({ detector: one, services, fromMs: shiftMs + 2 * HOUR_MS, toMs: shiftMs + 30 * HOUR_MS, verdicts });
    assert.equal(verdicts.anomalies.size, 1);
    return verdicts.anomalies.get(anomaly?.id)?.state;
  };
  assert.equal(run(false), 'resolved');
  assert.equal(run(true), 'firing');
});
