import assert from 'node:assert/strict';
import test from 'node:test';
import { isoTime } from '../lib/clock.ts';
import type { Anomaly, Attribution } from '../model/anomaly.ts';
import type { Change } from '../model/incident.ts';
import { effectRatio, leadOf, summarise } from './anomaly-summary.ts';
import { rankCauses } from './cause-ranking.ts';
import { createIncidentDesk, fileAnomaly, judgeIncident, openGroups, recordChange } from './incident-desk.ts';
import type { Kinship } from './kinship.ts';
import { anomalySeverity, incidentSeverity, scoreOf } from './severity.ts';

const T0 = Date.UTC(2025, 9, 8, 10);
const MINUTE = 60_000;
const GAP = 5 * MINUTE;
const NO_CALLS: Kinship = { reaches: () => false, kin: () => 'unknown' };

function entry(overrides: Partial<Attribution> = {}): Attribution {
  return { feature: 'error_rate', direction: 'up', expected: 0.008, low: 0, high: 0.02, observed: 0.12, share: 1, ...overrides };
}

function anomaly(service: string, startMs: number, overrides: Partial<Anomaly> = {}): Anomaly {
  return {
    id: `an-${service}-${startMs}`,
    service,
    signal: 'error_rate',
    state: 'firing',
    startedAt: isoTime(startMs),
    detectedAt: isoTime(startMs + 20_000),
    resolvedAt: null,
    stage: 'baseline',
    severity: 'high',
    score: 0.8,
    rawScore: null,
    attribution: [entry()],
    window: { from: isoTime(startMs), to: isoTime(startMs + 10_000) },
    baseline: { from: isoTime(startMs - 3_600_000), to: isoTime(startMs), description: '' },
    incidentId: null,
    ...overrides,
  };
}

function change(service: string, atMs: number): Change {
  const id = `ch-${service}-${atMs}`;
  return {
    id,
    at: isoTime(atMs),
    service,
    type: 'deployment',
    version: '2.1.0',
    previousVersion: '2.0.0',
    description: '',
    source: 'service.version',
  };
}

const resolved = (one: Anomaly, atMs: number): Anomaly => ({ ...one, state: 'resolved', resolvedAt: isoTime(atMs) });

test('anomalies of several services that start close together are one incident', () => {
  const desk = createIncidentDesk();
  const [first, opened] = fileAnomaly(desk, anomaly('payment-service', T0), NO_CALLS, GAP, T0);
  const [second, grown] = fileAnomaly(desk, anomaly('cart', T0 + 3 * MINUTE), NO_CALLS, GAP, T0 + 3 * MINUTE);
  assert.equal(second.incidentId, first.incidentId);
  assert.equal(opened.title, 'payment-service: error rate 12 % (expected 0.8 %)');
  assert.equal(grown.title, 'payment-service: error rate 12 % (expected 0.8 %), 2 services affected');
  assert.deepEqual(grown.services, ['payment-service', 'cart']);
  assert.deepEqual(grown.anomalyIds, [first.id, second.id]);
});

test('anomalies far apart are two incidents, and a chain ends after three gaps', () => {
  const desk = createIncidentDesk();
  const ids = [0, 4, 8, 12, 16, 20].map(
    (minutes) => fileAnomaly(desk, anomaly(`s${minutes}`, T0 + minutes * MINUTE), NO_CALLS, GAP, T0)[1].id,
  );
  assert.equal(new Set(ids.slice(0, 4)).size, 1);
  assert.notEqual(ids[4], ids[0]);
  assert.equal(ids[5], ids[4]);
  assert.notEqual(fileAnomaly(desk, anomaly('z', T0 + 60 * MINUTE), NO_CALLS, GAP, T0)[1].id, ids[5]);
});

test('another signal of a service that is still firing joins its incident however late', () => {
  const desk = createIncidentDesk();
  const [, incident] = fileAnomaly(desk, anomaly('a', T0), NO_CALLS, GAP, T0);
  const late = anomaly('a', T0 + 60 * MINUTE, { signal: 'latency' });
  assert.equal(fileAnomaly(desk, late, NO_CALLS, GAP, T0)[1].id, incident.id);
});

test('an incident is resolved with its last anomaly and opens again when the fault comes back within the gap', () => {
  const desk = createIncidentDesk();
  const [one] = fileAnomaly(desk, anomaly('a', T0), NO_CALLS, GAP, T0);
  const [two] = fileAnomaly(desk, anomaly('b', T0 + MINUTE), NO_CALLS, GAP, T0 + MINUTE);
  assert.equal(fileAnomaly(desk, resolved(one, T0 + 2 * MINUTE), NO_CALLS, GAP, T0 + 4 * MINUTE)[1].status, 'open');
  const [, done] = fileAnomaly(desk, resolved(two, T0 + 3 * MINUTE), NO_CALLS, GAP, T0 + 5 * MINUTE);
  assert.equal(done.status, 'resolved');
  assert.equal(done.resolvedAt, isoTime(T0 + 3 * MINUTE));
  const [, again] = fileAnomaly(desk, anomaly('a', T0 + 7 * MINUTE), NO_CALLS, GAP, T0 + 8 * MINUTE);
  assert.equal(again.id, done.id);
  assert.equal(again.status, 'open');
  assert.equal(again.resolvedAt, null);
});

test('acknowledging keeps an incident open; resolving by hand ends it for good', () => {
  const desk = createIncidentDesk();
  const [one, incident] = fileAnomaly(desk, anomaly('a', T0), NO_CALLS, GAP, T0);
  judgeIncident(desk, { type: 'acknowledge', incidentId: incident.id, by: 'kim', atMs: T0 + MINUTE });
  const [, later] = fileAnomaly(desk, { ...one, severity: 'critical' }, NO_CALLS, GAP, T0 + 2 * MINUTE);
  assert.equal(later.status, 'acknowledged');
  assert.equal(later.acknowledgedBy, 'kim');
  judgeIncident(desk, { type: 'resolve', incidentId: incident.id, by: 'kim', atMs: T0 + 3 * MINUTE });
  const [, closed] = fileAnomaly(desk, resolved(one, T0 + 9 * MINUTE), NO_CALLS, GAP, T0 + 9 * MINUTE);
  assert.equal(closed.status, 'resolved');
  assert.equal(closed.resolvedAt, isoTime(T0 + 3 * MINUTE));
  assert.equal(openGroups(desk).length, 0);
  assert.notEqual(fileAnomaly(desk, anomaly('a', T0 + 10 * MINUTE), NO_CALLS, GAP, T0 + 10 * MINUTE)[1].id, incident.id);
  assert.equal(judgeIncident(desk, { type: 'resolve', incidentId: 'in-none', by: '', atMs: T0 }), undefined);
});

test('a deployment shortly before is named as evidence, also when it is reported late', () => {
  const desk = createIncidentDesk();
  const [one] = fileAnomaly(desk, anomaly('a', T0), NO_CALLS, GAP, T0);
  const [incident] = recordChange(desk, change('a', T0 - 2 * MINUTE), NO_CALLS, T0);
  assert.deepEqual(incident?.causes[0]?.evidence, [one.id, change('a', T0 - 2 * MINUTE).id]);
  assert.match(incident?.causes[0]?.reason ?? '', /2 min after a deployment to 2\.1\.0/);
  assert.deepEqual(recordChange(desk, change('a', T0 - 2 * MINUTE), NO_CALLS, T0), []);
  assert.deepEqual(recordChange(desk, change('elsewhere', T0), NO_CALLS, T0), []);
});

test('the earliest and strongest deviation ranks first', () => {
  const member = (service: string, startedMs: number, ratio: number) => ({
    id: service,
    service,
    signal: 'error_rate' as const,
    startedMs,
    firing: true,
    endedMs: -1,
    severity: 'high' as const,
    score: 0.8,
    ratio,
    summary: 'x',
  });
  const order = (members: ReturnType<typeof member>[], changes: Change[] = []) =>
    rankCauses(members, changes, NO_CALLS).map((cause) => cause.service);
  assert.deepEqual(order([member('late', T0 + 3 * MINUTE, 8), member('early', T0, 8)]), ['early', 'late']);
  assert.deepEqual(order([member('weak', T0, 2), member('strong', T0, 30)]), ['strong', 'weak']);
  assert.deepEqual(order([member('a', T0, 8), member('b', T0, 8)], [change('b', T0 - MINUTE)]), ['b', 'a']);
  assert.deepEqual(order([member('a', T0, 8), member('b', T0, 8)], [change('b', T0 - 60 * MINUTE)]), ['a', 'b']);
});

test('incidents stay bounded, closed ones go first', () => {
  const desk = createIncidentDesk();
  const [, open] = fileAnomaly(desk, anomaly('open', T0), NO_CALLS, GAP, T0);
  for (let i = 1; i <= 300; i++) {
    const [one] = fileAnomaly(desk, anomaly(`s${i}`, T0 + i * 60 * MINUTE), NO_CALLS, GAP, T0);
    fileAnomaly(desk, resolved(one, T0 + i * 60 * MINUTE), NO_CALLS, GAP, T0);
  }
  assert.equal(desk.groups.length, 200);
  assert.deepEqual(
    openGroups(desk).map((group) => group.incident.id),
    [open.id],
  );
});

test('summaries carry the number that matters, with its expectation', () => {
  const latency = entry({ feature: 'p95_latency', observed: 412.3, expected: 95.2 });
  const stddev = entry({ feature: 'latency_stddev', observed: 300, expected: 50 });
  const slow = anomaly('a', T0, { signal: 'latency', attribution: [stddev, latency] });
  assert.equal(leadOf(slow), latency);
  assert.equal(summarise(slow), 'p95 latency 412 ms (expected 95 ms)');
  const count = entry({ feature: 'event_count', direction: 'down', observed: 0, expected: 201.6 });
  assert.equal(summarise(anomaly('a', T0, { signal: 'silence', attribution: [count] })), 'no events in 10 s (expected 202)');
  assert.equal(summarise(anomaly('a', T0, { signal: 'silence', attribution: [] })), 'no events in 10 s');
  assert.equal(
    summarise(anomaly('a', T0, { signal: 'traffic', attribution: [{ ...count, observed: 31 }] })),
    'events 31 in 10 s (expected 202)',
  );
  assert.equal(summarise(anomaly('a', T0, { signal: 'multivariate', attribution: [] })), 'unusual combination of features');
  const speed = entry({ feature: 'event_velocity', observed: 6.54, expected: 0.1 });
  assert.equal(
    summarise(anomaly('a', T0, { signal: 'multivariate', attribution: [speed] })),
    'change of traffic 6.5 events/s (expected 0.1 events/s)',
  );
  assert.equal(effectRatio(anomaly('a', T0, { attribution: [] })), 1);
  assert.equal(Math.round(effectRatio(anomaly('a', T0))), 15);
});

test('severity grows with the effect, the share of traffic and the number of services', () => {
  assert.equal(anomalySeverity('error_rate', [entry({ observed: 0.02 })], 0.1), 'low');
  assert.equal(anomalySeverity('error_rate', [entry({ observed: 0.05 })], 0.1), 'medium');
  assert.equal(anomalySeverity('error_rate', [entry({ observed: 0.05 })], 0.5), 'high');
  assert.equal(anomalySeverity('error_rate', [entry({ observed: 0.6 })], 0.5), 'critical');
  assert.equal(anomalySeverity('silence', [], 0.1), 'high');
  assert.equal(anomalySeverity('latency', [entry({ feature: 'p95_latency', observed: 500, expected: 100 })], 0.1), 'high');
  const drop = entry({ feature: 'event_count', direction: 'down', observed: 50, expected: 100 });
  assert.equal(anomalySeverity('traffic', [drop], 0.1), 'medium');
  assert.equal(anomalySeverity('traffic', [{ ...drop, direction: 'up', observed: 250 }], 0.1), 'low');
  assert.equal(anomalySeverity('multivariate', [], 0.9), 'low');
  assert.equal(incidentSeverity(['low', 'high', 'medium'], 2), 'high');
  assert.equal(incidentSeverity(['low', 'high', 'medium'], 6), 'critical');
});

test('scores rise with evidence between 0 and 1', () => {
  assert.equal(scoreOf(0), 0);
  assert.ok(scoreOf(6) === 0.5 && scoreOf(20) > 0.89 && scoreOf(1000) <= 1);
});
