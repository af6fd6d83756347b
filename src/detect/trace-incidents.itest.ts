import assert from 'node:assert/strict';
import test from 'node:test';
import type { Incident } from '../model/incident.ts';
import { createDetector } from './engine.ts';
import { collect, createVerdicts, START_MS, STEP_MS, testConfig, type Verdicts } from './traffic.fixture.ts';
import { SHOP, TraceFleet, type CallFault, type FleetService } from './trace-fleet.fixture.ts';

const FAULT_MS = START_MS + 2 * 3_600_000;
const FAULT_END_MS = FAULT_MS + 300_000;
const END_MS = FAULT_END_MS + 900_000;

interface Run {
  fault: CallFault;
  at: string;
  name?: (service: string) => string;
  /** The detector is snapshot and replaced by a restored one at this step. */
  restartMs?: number;
}

const options = { config: testConfig(), clock: 'events' as const, seed: 1 };

function play({ fault, at, name = (service) => service, restartMs = -1 }: Run): { incidents: Incident[]; emitted: string[] } {
  const services = SHOP.map((service): FleetService => ({
    ...service,
    name: name(service.name),
    callees: service.callees.map(name),
  }));
  const fleet = new TraceFleet(services, (service, timeMs) =>
    service === name(at) && timeMs >= FAULT_MS && timeMs < FAULT_END_MS ? fault : {},
  );
  let detector = createDetector(options);
  const verdicts: Verdicts = createVerdicts();
  const emitted: string[] = [];
  for (let stepMs = START_MS; stepMs < END_MS; stepMs += STEP_MS) {
    if (stepMs === restartMs) {
      const payload = detector.snapshot();
      detector = createDetector(options);
      detector.restore(payload);
    }
    detector.observe(fleet.fill(name('front'), stepMs), stepMs, '');
    collect(detector, verdicts);
    for (const { id, causes } of verdicts.incidents.values()) emitted.push(`${id} ${JSON.stringify(causes)}`);
  }
  return { incidents: [...verdicts.incidents.values()], emitted };
}

const firstCause = ({ incidents }: { incidents: Incident[] }): Incident['causes'][number] | undefined => {
  assert.equal(incidents.length, 1);
  return incidents[0]?.causes[0];
};

test('a dependency that got slow is the first cause, for its own work', () => {
  const cause = firstCause(play({ at: 'table', fault: { extraWorkMs: 200 } }));
  assert.equal(cause?.service, 'table');
  assert.match(cause.reason, /its own work takes/);
});

test('a delay before a service is that service, though nothing of its own deviates', () => {
  const cause = firstCause(play({ at: 'stock', fault: { extraWayMs: 300 } }));
  assert.equal(cause?.service, 'stock');
  assert.match(cause.reason, /^stock has no anomaly of its own: the way from cart to stock and back takes/);
  assert.deepEqual(cause.evidence, []);
});

test('the deepest of the services that fail is the first cause', () => {
  const result = play({ at: 'table', fault: { failing: 0.5 } });
  assert.equal(firstCause(result)?.service, 'table');
  // Price is called no more when stock has failed.
  assert.deepEqual(result.incidents[0]?.services.toSorted(), ['cart', 'front', 'price', 'stock', 'table']);
});

test('names make no difference to the ranking', () => {
  const renamed = new Map([
    ['front', 'zz'],
    ['cart', 'stock'],
    ['stock', 'aa'],
    ['table', 'front'],
    ['price', 'mm'],
  ]);
  const [plain] = play({ at: 'stock', fault: { extraWayMs: 300 } }).incidents;
  const [other] = play({ at: 'stock', fault: { extraWayMs: 300 }, name: (service) => renamed.get(service) as string }).incidents;
  assert.deepEqual(
    other?.causes.map(({ rank, service }) => [rank, service]),
    plain?.causes.map(({ rank, service }) => [rank, renamed.get(service)]),
  );
});

test('a restart in the middle changes nothing that is said of causes', () => {
  const whole = play({ at: 'stock', fault: { extraWayMs: 300 } });
  for (const restartMs of [FAULT_MS - 60_000, FAULT_MS + 40_000]) {
    assert.deepEqual(play({ at: 'stock', fault: { extraWayMs: 300 }, restartMs }).emitted, whole.emitted);
  }
});
