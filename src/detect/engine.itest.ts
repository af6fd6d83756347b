import assert from 'node:assert/strict';
import test from 'node:test';
import { createDetector } from './engine.ts';
import { DAY_MS, play, seasonal, START_MS, testConfig } from './traffic.fixture.ts';

test('three quiet days of seasonal traffic, a weekend among them, give no incident', () => {
  const detector = createDetector({ config: testConfig(), clock: 'events', seed: 1 });
  const rates = [0.05, 1, 5];
  const services = rates.map((rate, i) => seasonal(`service-${i}`, { rate, errorRate: 0.002 * (i + 1) }));
  const fromMs = START_MS + 3 * DAY_MS;
  const { incidents } = play({ detector, services, fromMs, toMs: fromMs + 3 * DAY_MS, burstiness: 0.25 });
  assert.deepEqual(
    [...incidents.values()].map((incident) => incident.title),
    [],
  );
  assert.equal(detector.status().lateEvents, 0);
  assert.equal(detector.status().activeModels.length, 3);
});

test('the state of ten services with a day of history is under 2 MB', () => {
  const detector = createDetector({ config: testConfig(), clock: 'events', seed: 1 });
  const services = Array.from({ length: 10 }, (_, i) => seasonal(`service-${i}`, { rate: 0.4 }));
  play({ detector, services, fromMs: START_MS, toMs: START_MS + DAY_MS });
  assert.ok(detector.snapshot().length < 2e6, `${detector.snapshot().length} bytes`);
});
