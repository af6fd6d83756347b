import assert from 'node:assert/strict';
import test from 'node:test';
import { createDetector } from './engine.ts';
import {
  addRow,
  collect,
  createVerdicts,
  during,
  fillStep,
  HOUR_MS,
  newBatch,
  play,
  START_MS,
  steady,
  STEP_MS,
  testConfig,
  type Condition,
} from './traffic.fixture.ts';
import { createPrng } from '../lib/prng.ts';

const MINUTE = 60_000;
const FAULT_MS = START_MS + HOUR_MS;

function after(change: Partial<Condition>, minutes: number) {
  const services = [during(steady('a', { rate: 5 }), FAULT_MS, FAULT_MS + 9 * HOUR_MS, () => change), steady('b', { rate: 5 })];
  const detector = createDetector({ config: testConfig(), clock: 'events', seed: 1 });
  return play({ detector, services, fromMs: START_MS, toMs: FAULT_MS + minutes * MINUTE });
}

test('more requests that are served as well as usual are recorded and call nobody', () => {
  const verdicts = after({ rate: 12 }, 10);
  const [anomaly] = verdicts.anomalies.values();
  assert.equal(anomaly?.signal, 'traffic');
  assert.match(anomaly?.quiet?.reason ?? '', /served as well as usual/);
  assert.equal(verdicts.incidents.size, 0);
});

test('more requests call when errors come with them, or when they are far beyond what was ever served', () => {
  const overloaded = after({ rate: 12, errorRate: 0.2 }, 10);
  assert.ok([...overloaded.anomalies.values()].some(({ signal, quiet }) => signal === 'error_rate' && !quiet));
  assert.equal(overloaded.incidents.size, 1);
  assert.equal(after({ rate: 60 }, 10).incidents.size, 1);
});

test('traffic that stays at a lower level for half an hour without a change has found it, and the anomaly is over', () => {
  const [early] = after({ rate: 1.5 }, 25).anomalies.values();
  assert.deepEqual([early?.signal, early?.state], ['traffic', 'firing']);
  const verdicts = after({ rate: 1.5 }, 45);
  const [anomaly] = verdicts.anomalies.values();
  assert.deepEqual([anomaly?.regime, anomaly?.state], ['shift', 'resolved']);
  assert.equal(verdicts.anomalies.size, 1);
});

test('requests much slower than nearly all ever were are an anomaly of latency though the p95 stays', () => {
  const detector = createDetector({ config: testConfig(), clock: 'events', seed: 1 });
  const verdicts = createVerdicts();
  const batch = newBatch();
  for (let at = START_MS; at < FAULT_MS + 20 * MINUTE; at += STEP_MS) {
    fillStep(batch, [steady('a', { rate: 5 })], at, createPrng(at / STEP_MS));
    const prng = createPrng(at / STEP_MS + 1);
    const slow = at >= FAULT_MS ? 2 : 0;
    for (let i = 0; i < slow; i++) if (prng.next() < 0.5) addRow(batch, 'a', at + 5000, false, 3000);
    detector.observe(batch, at, '');
    collect(detector, verdicts);
  }
  assert.deepEqual(
    [...verdicts.anomalies.values()].map(({ signal }) => signal),
    ['latency'],
  );
});

test('events that come late leave open how many there were: no loss of traffic is reported meanwhile', () => {
  const run = (lateShare: number) => {
    const detector = createDetector({ config: testConfig(), clock: 'wall', seed: 1 });
    const verdicts = createVerdicts();
    const batch = newBatch();
    for (let at = START_MS; at < FAULT_MS + 5 * MINUTE; at += STEP_MS) {
      fillStep(batch, [steady('a', { rate: at < FAULT_MS ? 8 : 8 * 0.45 })], at, createPrng(at / STEP_MS));
      const prng = createPrng(at / STEP_MS + 1);
      const late = at >= FAULT_MS + 20_000 ? 80 * lateShare : 0;
      for (let i = 0; i < late; i++) {
        addRow(batch, 'a', at - 20_000 + prng.next() * STEP_MS, false, 50);
      }
      detector.observe(batch, at + STEP_MS, 'agent');
      collect(detector, verdicts, at + STEP_MS);
    }
    return [...verdicts.anomalies.values()].map(({ signal }) => signal);
  };
  assert.deepEqual(run(0), ['traffic']);
  assert.deepEqual(run(0.4), []);
});
