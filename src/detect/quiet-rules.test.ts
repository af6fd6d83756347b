import assert from 'node:assert/strict';
import test from 'node:test';
import type { Anomaly, Attribution } from '../model/anomaly.ts';
import type { DayHours, QuietPattern, QuietRule } from '../model/feedback.ts';
import { anomalyOf, kinshipOf, MINUTE, over, T0 } from './anomaly.fixture.ts';
import { IncidentFiling } from './incident-filing.ts';
import { quietPatterns } from './quiet-rules.ts';
import { decodeState, encodeState } from './state-codec.ts';
import type { IncidentDesk } from './incident-desk.ts';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GAP = 5 * MINUTE;

interface Scope {
  match?: QuietPattern['match'];
  hours?: DayHours;
}

/** The rule of an incident of these anomalies, ten minutes long each. */
function ruleFrom(anomalies: Anomaly[], { match = 'entity', hours }: Scope = {}): QuietRule {
  const ended = anomalies.map((anomaly) => over(anomaly, Date.parse(anomaly.startedAt) + 10 * MINUTE));
  const patterns = quietPatterns(ended, { match, hours: hours ?? null }, T0 + DAY);
  return { id: 'in-1.1', label: hours ? 'expected' : 'false_alarm', by: 'ada', at: '2025-10-08T11:00:00.000Z', patterns };
}

function openFiling(...rules: QuietRule[]) {
  const moved = new Map<string, string>();
  const filing = new IncidentFiling({
    kinship: kinshipOf('front>cart'),
    gapMs: GAP,
    onMoved: (incidentOf) => incidentOf.forEach((incident, id) => moved.set(id, incident)),
  });
  filing.setRules({ rules, revision: 1 }, T0);
  const file = (anomaly: Anomaly): string | null => filing.file(anomaly, Date.parse(anomaly.detectedAt));
  return { filing, file, moved };
}

const SEEN = anomalyOf('cart', T0);
const later = (overrides: Partial<Anomaly> = {}, startMs = T0 + DAY): Anomaly => anomalyOf('cart', startMs, overrides);
const led = (entry: Partial<Attribution>): Partial<Anomaly> => ({
  attribution: [{ ...(SEEN.attribution[0] as Attribution), ...entry }],
});

test('an anomaly like the one that was no alarm is recorded with the reason and calls nobody', () => {
  const { filing, file } = openFiling(ruleFrom([SEEN]));
  const anomaly = later();
  assert.equal(file(anomaly), null);
  const [stored] = filing.drain().anomalies;
  assert.deepEqual(stored?.quiet, {
    since: anomaly.detectedAt,
    reason: 'ada said on 2025-10-08 that this is a false alarm',
    rule: 'in-1.1',
  });
  assert.equal(filing.file(over(anomaly, T0 + DAY + 5 * MINUTE), T0 + DAY + 5 * MINUTE), null);
  const drained = filing.drain();
  assert.equal(drained.incidents.length, 0);
  assert.equal(drained.anomalies[0]?.quiet?.rule, 'in-1.1');
  assert.equal(filing.hushedCount, 0);
});

test('it calls when it is another service, signal, feature or direction, graver, or a quarter stronger', () => {
  const others: Anomaly[] = [
    anomalyOf('front', T0 + DAY),
    later({ signal: 'latency' }),
    later({ signal: 'latency', ...led({ feature: 'p95_latency', observed: 0.1 }) }),
    later(led({ direction: 'down' })),
    later({ severity: 'critical' }),
    // Seen was 0.112 above what is expected.
    later(led({ observed: 0.008 + 0.1401 })),
  ];
  for (const anomaly of others) assert.notEqual(openFiling(ruleFrom([SEEN])).file(anomaly), null);
  assert.equal(openFiling(ruleFrom([SEEN])).file(later(led({ observed: 0.008 + 0.1399 }))), null);
});

test('events are compared as a ratio: twice as many of a busy hour are as many as twice those of a quiet one', () => {
  const seen = anomalyOf('cart', T0, { signal: 'traffic', ...led({ feature: 'event_count', expected: 99, observed: 199 }) });
  const rule = ruleFrom([seen]);
  const at = (expected: number, observed: number): Anomaly =>
    later({ signal: 'traffic', ...led({ feature: 'event_count', expected, observed }) });
  assert.equal(openFiling(rule).file(at(9999, 24_998)), null);
  assert.notEqual(openFiling(rule).file(at(9999, 25_001)), null);
});

test('one that gets worse than what was seen calls then', () => {
  const { filing, file } = openFiling(ruleFrom([SEEN]));
  assert.equal(file(later()), null);
  const worse = later(led({ observed: 0.5 }));
  assert.notEqual(filing.file(worse, T0 + DAY + MINUTE), null);
  const { anomalies, incidents } = filing.drain();
  assert.equal(anomalies[0]?.quiet ?? null, null);
  assert.deepEqual(incidents[0]?.anomalyIds, [worse.id]);
});

test('one that lasts longer than an hour, or twice as long as what was seen, calls when that is over', () => {
  const { filing, file, moved } = openFiling(ruleFrom([SEEN]));
  const anomaly = later();
  file(anomaly);
  const endMs = T0 + DAY + HOUR;
  assert.equal(filing.wakesAtMs, endMs);
  filing.wake(endMs - 1);
  assert.equal(filing.drain().incidents.length, 0);
  filing.wake(endMs + 10 * MINUTE);
  const [incident] = filing.drain().incidents;
  assert.deepEqual(incident?.anomalyIds, [anomaly.id]);
  assert.equal(incident.updatedAt, new Date(endMs).toISOString());
  assert.equal(moved.get(anomaly.id), incident.id);
  const long = { ...SEEN, state: 'resolved' as const, resolvedAt: new Date(T0 + 2 * HOUR).toISOString() };
  assert.equal(quietPatterns([long], { match: 'entity', hours: null }, T0)[0]?.durationMs, 4 * HOUR);
});

test('hours that were given bind a rule to them, past midnight too, and to their end', () => {
  const nightMs = Date.UTC(2025, 9, 8, 23, 30);
  const seen = anomalyOf('cart', nightMs);
  const rule = ruleFrom([seen], { hours: { from: 23, to: 1 } });
  const startAt = (hour: number, minute: number): Anomaly => later({}, Date.UTC(2025, 9, 20, hour, minute));
  assert.equal(openFiling(rule).file(startAt(0, 59)), null);
  assert.notEqual(openFiling(rule).file(startAt(1, 0)), null);
  assert.notEqual(openFiling(rule).file(startAt(22, 59)), null);
  const { filing, file } = openFiling(rule);
  file(startAt(0, 30));
  assert.equal(filing.wakesAtMs, Date.UTC(2025, 9, 20, 1));
});

test('a rule of a service holds wherever it runs, one of an entity only there', () => {
  const seen = anomalyOf('prod/shop/cart', T0);
  const elsewhere = anomalyOf('stage/shop/cart', T0 + DAY);
  assert.notEqual(openFiling(ruleFrom([seen])).file(elsewhere), null);
  assert.equal(openFiling(ruleFrom([seen], { match: 'service' })).file(elsewhere), null);
});

test('taking rules back lets what they held back call at once, and older rules that come late change nothing', () => {
  const { filing, file } = openFiling(ruleFrom([SEEN]));
  file(later());
  filing.setRules({ rules: [], revision: 3 }, T0 + DAY + 2 * MINUTE);
  assert.equal(filing.drain().incidents.length, 1);
  filing.setRules({ rules: [ruleFrom([SEEN])], revision: 2 }, T0 + DAY + 3 * MINUTE);
  assert.notEqual(file(later({}, T0 + 2 * DAY)), null);
});

test('an anomaly that has called goes on calling when a rule for it comes', () => {
  const { filing, file } = openFiling();
  const anomaly = later();
  const incidentId = file(anomaly);
  filing.setRules({ rules: [ruleFrom([SEEN])], revision: 2 }, T0 + DAY + MINUTE);
  assert.equal(filing.file({ ...anomaly, score: 0.9 }, T0 + DAY + 2 * MINUTE), incidentId);
});

test('rules and what they hold back are part of the state of the desk', () => {
  const { filing, file } = openFiling(ruleFrom([SEEN]));
  file(later());
  const restored = openFiling();
  restored.filing.desk = decodeState(encodeState(filing.desk)) as IncidentDesk;
  assert.equal(restored.filing.hushedCount, 1);
  assert.equal(restored.file(later({}, T0 + 2 * DAY)), null);
});

test('a service that is silent again calls nobody, but for longer than it was', () => {
  const silent = (startMs: number, expected: number): Anomaly =>
    anomalyOf('cart', startMs, {
      signal: 'silence',
      ...led({ feature: 'event_count', direction: 'down', expected, observed: 0 }),
    });
  const { filing, file } = openFiling(ruleFrom([silent(T0, 40)]));
  assert.equal(file(silent(T0 + DAY, 4000)), null);
  filing.wake(T0 + DAY + HOUR);
  assert.equal(filing.drain().incidents.length, 1);
});
