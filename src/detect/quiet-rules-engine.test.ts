import assert from 'node:assert/strict';
import test from 'node:test';
import type { Anomaly } from '../model/anomaly.ts';
import type { QuietRule } from '../model/feedback.ts';
import type { Detector } from './detector.ts';
import { createDetector } from './engine.ts';
import { quietPatterns } from './quiet-rules.ts';
import { createVerdicts, during, HOUR_MS, play, START_MS, steady, testConfig, type SyntheticService } from './traffic.fixture.ts';

const MINUTE = 60_000;
const FIRST_MS = START_MS + HOUR_MS;
const AGAIN_MS = START_MS + 3 * HOUR_MS;

const openDetector = (): Detector => createDetector({ config: testConfig(), clock: 'events', seed: 1 });

/** Errors for ten minutes in the second hour, and from the fourth on for as long as given. */
function services(lastsMs: number, errorRate = 0.12): SyntheticService[] {
  const first = during(steady('a'), FIRST_MS, FIRST_MS + 10 * MINUTE, () => ({ errorRate: 0.12 }));
  return [during(first, AGAIN_MS, AGAIN_MS + lastsMs, () => ({ errorRate })), steady('b')];
}

/** A detector that has seen the first fault, of which somebody said that it was no alarm; restored from its snapshot since. */
function afterFeedback(traffic: readonly SyntheticService[]): Detector {
  const detector = openDetector();
  const { anomalies } = play({ detector, services: traffic, fromMs: START_MS, toMs: FIRST_MS + 30 * MINUTE });
  const [anomaly] = [...anomalies.values()] as [Anomaly];
  const patterns = quietPatterns([anomaly], { match: 'entity', hours: null }, FIRST_MS + 30 * MINUTE);
  const rule: QuietRule = { id: 'in-1.1', label: 'false_alarm', by: 'ada', at: anomaly.startedAt, patterns };
  detector.command({ type: 'quiet_rules', rules: [rule], revision: 1, atMs: FIRST_MS + 30 * MINUTE });
  const restored = openDetector();
  restored.restore(detector.snapshot());
  return restored;
}

function playOn(detector: Detector, traffic: readonly SyntheticService[], toMs: number) {
  return play({ detector, services: traffic, fromMs: FIRST_MS + 30 * MINUTE, toMs, verdicts: createVerdicts() });
}

test('the same fault again calls nobody after a restart, and is recorded with its end', () => {
  const traffic = services(10 * MINUTE);
  const { anomalies, incidents } = playOn(afterFeedback(traffic), traffic, AGAIN_MS + 30 * MINUTE);
  assert.equal(incidents.size, 0);
  const [again] = [...anomalies.values()];
  assert.equal(again?.quiet?.rule, 'in-1.1');
  assert.equal(again.state, 'resolved');
  assert.equal(again.incidentId, null);
});

test('a worse one calls, and so does one that does not end', () => {
  const worse = services(10 * MINUTE, 0.6);
  assert.equal(playOn(afterFeedback(worse), worse, AGAIN_MS + 5 * MINUTE).incidents.size, 1);
  const lasting = services(3 * HOUR_MS);
  const detector = afterFeedback(lasting);
  assert.equal(playOn(detector, lasting, AGAIN_MS + HOUR_MS - 5 * MINUTE).incidents.size, 0);
  const before = detector.status().quietAnomalies;
  const late = play({
    detector,
    services: lasting,
    fromMs: AGAIN_MS + HOUR_MS - 5 * MINUTE,
    toMs: AGAIN_MS + HOUR_MS + 5 * MINUTE,
  });
  const [incident] = late.incidents.values();
  const anomaly = late.anomalies.get(incident?.anomalyIds[0] ?? '');
  assert.deepEqual([before, detector.status().quietAnomalies], [1, 0]);
  assert.equal(anomaly?.incidentId, incident?.id);
  assert.equal(anomaly?.quiet ?? null, null);
});
