import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime } from '../lib/clock.ts';
import type { Change } from '../model/incident.ts';
import { createDetector } from './engine.ts';
import { during, HOUR_MS, play, START_MS, steady, testConfig, type Condition } from './traffic.fixture.ts';

const MINUTE = 60_000;
const SHIFT_MS = START_MS + HOUR_MS;
const FOR_EVER_MS = START_MS + 100 * HOUR_MS;
const detector = () => createDetector({ config: testConfig(), clock: 'events', seed: 1 });

function shifted(change: (usual: Condition) => Partial<Condition>) {
  return [during(steady('a', { rate: 5 }), SHIFT_MS, FOR_EVER_MS, change), steady('b', { rate: 5 })];
}

const deployment: Change = {
  id: 'ch-1',
  at: isoTime(SHIFT_MS - MINUTE),
  service: 'a',
  type: 'deployment',
  version: '2',
  previousVersion: '1',
  description: '',
  source: 'api',
};

const SHIFTS = [
  { name: 'errors', change: () => ({ errorRate: 0.1 }), worse: { errorRate: 0.6 }, signal: 'error_rate' },
  { name: 'latency', change: () => ({ latencyMs: 120 }), worse: { latencyMs: 500 }, signal: 'latency' },
  { name: 'traffic', change: () => ({ rate: 20 }), worse: { rate: 80 }, signal: 'traffic' },
] as const;

for (const { name, change, worse, signal } of SHIFTS) {
  test(`a shift of ${name} that stays is proposed once as the new normal, and accepted is what is usual from then on`, () => {
    const one = detector();
    const services = shifted(change);
    const verdicts = play({ detector: one, services, fromMs: START_MS, toMs: SHIFT_MS });
    one.command({ type: 'change', change: deployment });
    play({ detector: one, services, fromMs: SHIFT_MS, toMs: SHIFT_MS + 40 * MINUTE, verdicts });
    const [anomaly] = verdicts.anomalies.values();
    assert.equal(verdicts.incidents.size, 1);
    assert.equal(anomaly?.signal, signal);
    assert.equal(anomaly?.regime, 'shift');
    assert.deepEqual(anomaly?.newNormal, { state: 'proposed', since: anomaly?.startedAt, deploy: 'ch-1' });
    const incidentId = anomaly?.incidentId as string;
    const proposals = verdicts.incidents.get(incidentId)?.events?.filter(({ type }) => type === 'new_normal_proposed');
    assert.equal(proposals?.length, 1);

    const atMs = SHIFT_MS + 40 * MINUTE;
    const accepted = one.command({ type: 'new_normal', incidentId, decision: 'accept', by: 'kim', atMs });
    assert.equal(accepted?.status, 'resolved');
    assert.equal(accepted?.newNormal?.state, 'accepted');
    play({ detector: one, services, fromMs: atMs, toMs: atMs + HOUR_MS, verdicts });
    assert.equal(verdicts.anomalies.size, 1, 'the new level calls nobody');
    assert.equal(verdicts.anomalies.get(anomaly?.id)?.state, 'resolved');
    assert.equal(verdicts.anomalies.get(anomaly?.id)?.newNormal?.state, 'accepted');
    const broken = shifted(() => worse);
    play({ detector: one, services: broken, fromMs: atMs + HOUR_MS, toMs: atMs + HOUR_MS + 5 * MINUTE, verdicts });
    assert.deepEqual(
      [...verdicts.anomalies.values()].slice(1).map((later) => later.signal),
      [signal],
    );
  });
}

test('without a change the proposal takes an hour, and rejected it stays an anomaly', () => {
  const one = detector();
  const services = shifted(() => ({ errorRate: 0.1 }));
  const verdicts = play({ detector: one, services, fromMs: START_MS, toMs: SHIFT_MS + 50 * MINUTE });
  const [incident] = verdicts.incidents.values();
  const incidentId = incident?.id as string;
  assert.equal(incident?.newNormal, null);
  const reject = { type: 'new_normal', incidentId, decision: 'reject', by: 'kim', atMs: SHIFT_MS + HOUR_MS } as const;
  assert.equal(one.command(reject), undefined, 'there is nothing to decide yet');
  play({ detector: one, services, fromMs: SHIFT_MS + 50 * MINUTE, toMs: SHIFT_MS + 70 * MINUTE, verdicts });
  assert.equal(one.command(reject)?.newNormal?.state, 'rejected');
  play({ detector: one, services, fromMs: SHIFT_MS + 70 * MINUTE, toMs: SHIFT_MS + 200 * MINUTE, verdicts });
  const [anomaly] = verdicts.anomalies.values();
  assert.deepEqual([anomaly?.state, anomaly?.newNormal?.state], ['firing', 'rejected']);
  assert.equal(verdicts.anomalies.size, 1);
  const types = verdicts.incidents.get(incidentId)?.events?.map(({ type }) => type);
  assert.deepEqual(types, ['opened', 'new_normal_proposed', 'new_normal_rejected']);
});

test('a service that stays away may be accepted as gone, and calls again only after it came back', () => {
  const one = detector();
  const services = shifted(() => ({ rate: 0 }));
  const verdicts = play({ detector: one, services, fromMs: START_MS, toMs: SHIFT_MS + 70 * MINUTE });
  const [anomaly] = verdicts.anomalies.values();
  assert.deepEqual([anomaly?.signal, anomaly?.regime, anomaly?.newNormal?.state], ['silence', 'shift', 'proposed']);
  assert.deepEqual(one.status().silent, { late: 0, expectedZero: 0, dead: 1 });
  const incidentId = anomaly?.incidentId as string;
  const atMs = SHIFT_MS + 70 * MINUTE;
  assert.equal(one.command({ type: 'new_normal', incidentId, decision: 'accept', by: 'kim', atMs })?.status, 'resolved');
  assert.deepEqual(one.status().silent, { late: 0, expectedZero: 1, dead: 0 });
  play({ detector: one, services, fromMs: atMs, toMs: atMs + HOUR_MS, verdicts });
  assert.equal(verdicts.anomalies.size, 1);
});

test('a growing latency is a drift', () => {
  const slow = {
    name: 'a',
    at: (timeMs: number) => ({
      rate: 10,
      errorRate: 0.01,
      latencyMs: 50 * (1 + Math.max(0, timeMs - SHIFT_MS) / (20 * MINUTE)),
    }),
  };
  const services = [slow, steady('b', { rate: 5 })];
  const { emitted } = play({ detector: detector(), services, fromMs: START_MS, toMs: SHIFT_MS + 40 * MINUTE });
  const regimes = emitted.filter(({ signal }) => signal === 'latency').map(({ regime }) => regime);
  assert.equal(regimes.at(-1), 'drift');
});
