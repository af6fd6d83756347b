import assert from 'node:assert/strict';
import test from 'node:test';
import { createDetector } from './engine.ts';
import type { EntityState } from './entity-state.ts';
import { decodeState } from './state-codec.ts';
import { during, play, START_MS, steady, testConfig } from './traffic.fixture.ts';

const MINUTE_MS = 60_000;
const FAULT_MS = START_MS + 60 * MINUTE_MS;
const FAULT_END_MS = FAULT_MS + 15 * MINUTE_MS;

test('the detector trains its forests on no window that touches an anomaly of the service', () => {
  const config = testConfig();
  const detector = createDetector({ config, clock: 'events', seed: 1 });
  const shop = during(steady('shop', { rate: 5 }), FAULT_MS, FAULT_END_MS, () => ({ errorRate: 0.5, latencyMs: 500 }));
  const { anomalies } = play({ detector, services: [shop], fromMs: START_MS, toMs: FAULT_END_MS + 60 * MINUTE_MS });
  assert.ok([...anomalies.values()].some(({ signal }) => signal === 'error_rate'));
  const { entities } = decodeState(detector.snapshot()) as { entities: EntityState[] };
  const { rows, rowCount } = entities[0]?.forest ?? assert.fail('no entity');
  const column = config.features.indexOf('error_rate');
  const errorRates = Array.from({ length: rowCount }, (_, i) => rows[i * config.features.length + column] as number);
  assert.ok(rowCount > 80, `${rowCount} windows of the good times`);
  // A single minute of the fault in a window of five would show 0.1.
  assert.ok(Math.max(...errorRates) < 0.05, String(Math.max(...errorRates)));
});
