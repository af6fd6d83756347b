import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../lib/errors.ts';
import { configSchema } from './config.ts';
import { overrideDetection } from './overrides.ts';

const current = { ...configSchema.parse({}).anomaly_detection, contamination: 0.2 };

function problemsOf(overrides: Record<string, unknown>): string[] {
  try {
    overrideDetection(current, overrides);
  } catch (error) {
    assert.ok(error instanceof HeliosError);
    assert.equal(error.code, 'invalid_argument');
    assert.equal(error.details.field, 'overrides');
    return error.details['problems'] as string[];
  }
  return [];
}

test('keys are full or short, values as in the file or as text; all others keep their present value', () => {
  const overridden = overrideDetection(current, {
    false_alarm_budget: '1',
    'anomaly_detection.incident_gap': '15m',
    features: 'event_count,error_rate',
    threshold: -0.6,
  });
  const { config, overrides, present } = overridden;
  assert.deepEqual(config, {
    ...current,
    false_alarm_budget: 1,
    incident_gap: 900_000,
    features: ['event_count', 'error_rate'],
    threshold: -0.6,
  });
  assert.equal(overrides['anomaly_detection.incident_gap'], '15m');
  assert.equal(present['anomaly_detection.incident_gap'], '5m');
  assert.deepEqual(Object.keys(present).toSorted(), Object.keys(overrides).toSorted());
  assert.deepEqual(overrideDetection(current, {}), { config: current, overrides: {}, present: {} });
});

test('what the configuration would refuse is refused in the same words', () => {
  assert.deepEqual(problemsOf({ false_alarm_bugdet: 1 }), [
    'false_alarm_bugdet: unknown key anomaly_detection.false_alarm_bugdet; did you mean anomaly_detection.false_alarm_budget?',
  ]);
  assert.match(problemsOf({ false_alarm_budget: 'many' })[0] ?? '', /must be a number above 0 up to 100, not "many"/);
  assert.match(problemsOf({ incident_gap: 'soon' })[0] ?? '', /"soon" is not a duration such as 30s, 5m or 7d/);
  assert.equal(problemsOf({ false_alarm_budget: 0, contamination: 3 }).length, 2);
});

test('other sections, null and a key given twice are refused', () => {
  assert.deepEqual(problemsOf({ 'log.segment_size': '1MiB' }), [
    'log.segment_size: only keys of anomaly_detection can be overridden',
  ]);
  assert.match(problemsOf({ contamination: null })[0] ?? '', /not null$/);
  assert.match(problemsOf({ contamination: 0.1, 'anomaly_detection.contamination': 0.2 })[0] ?? '', /is given twice$/);
  assert.equal(problemsOf(JSON.parse('{"__proto__":1}') as Record<string, unknown>).length, 1);
});
