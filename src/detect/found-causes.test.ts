import assert from 'node:assert/strict';
import test from 'node:test';
import { anomalyOf, kinshipOf, over, T0, MINUTE } from './anomaly.fixture.ts';
import { rankCauses, type CauseEvidence } from './cause-ranking.ts';
import { findCauses, metricEvidence, traceEvidence } from './found-causes.ts';
import { createIncidentDesk, fileAnomaly } from './incident-desk.ts';
import { memberOf } from './incident-grouping.ts';

const GRAPH = kinshipOf('front>cart>stock');
const GAP_MS = 5 * MINUTE;
const found = (service: string, points: number): CauseEvidence => ({
  service,
  points,
  reason: 'it was measured',
  showsAs: 'latency',
});

test('a service without an anomaly of its own is a cause by what was measured of it, and explains its caller', () => {
  const causes = rankCauses([memberOf(anomalyOf('cart', T0))], [], GRAPH, [found('stock', 1.2), found('cart', 1)]);
  assert.deepEqual(
    causes.map(({ rank, service, signal, evidence }) => [rank, service, signal, evidence.length]),
    [
      [1, 'stock', 'latency', 0],
      [2, 'cart', 'error_rate', 1],
    ],
  );
  assert.equal(causes[0]?.reason, 'stock has no anomaly of its own: it was measured.');
  assert.match(causes[1]?.reason ?? '', /explained by stock on its call path/);
});

test('a caller that behaves differently because a callee is in trouble is no cause for that', () => {
  const members = [memberOf(anomalyOf('cart', T0)), memberOf(anomalyOf('stock', T0 + 20_000, { signal: 'silence' }))];
  const evidence = { ...found('cart', 1.4), isExplicable: true };
  assert.equal(rankCauses(members, [], GRAPH, [evidence])[0]?.service, 'stock');
});

test('weak evidence is left out, and the share of a metric counts from what is unusual', () => {
  const cause = (service: string, score: number) => ({ service, signal: 'self_time' as const, score, reason: 'slow.' });
  const named = traceEvidence([cause('a', 3), cause('b', 1), cause('c', 0.5)], []);
  assert.deepEqual(
    named.map(({ service, reason }) => [service, reason]),
    [
      ['a', 'slow'],
      ['b', 'slow'],
    ],
  );
  assert.deepEqual(traceEvidence([cause('a', 0.05)], []), []);
  const metric = { series: 'cpu', direction: 'up' as const, rank: 1, reason: 'cpu is up.' };
  const [first, ...rest] = metricEvidence([
    { ...metric, entity: 'a', score: 1 },
    { ...metric, entity: 'b', score: 0.5 },
  ]);
  assert.deepEqual([first?.service, first?.points, rest.length], ['a', 0.6, 0]);
});

test('who calls a silent service less is not blamed by traces', () => {
  const causes = [{ service: 'front', signal: 'behaviour' as const, score: 4, reason: 'x.', callsLess: 'cart' }];
  assert.equal(traceEvidence(causes, []).length, 1);
  assert.deepEqual(traceEvidence(causes, [memberOf(anomalyOf('cart', T0, { signal: 'silence' }))]), []);
});

test('causes are looked for at the opening, when anomalies join, a minute later and at the end, and else stay as they are', () => {
  const desk = createIncidentDesk();
  const asked: number[] = [];
  const look = (nowMs: number): number =>
    findCauses(
      desk.groups,
      (_, untilMs) => {
        asked.push((untilMs - T0) / 1000);
        return [found('stock', 1.2)];
      },
      { changes: [], graph: GRAPH },
      nowMs,
    ).length;
  fileAnomaly(desk, anomalyOf('cart', T0), GRAPH, GAP_MS, T0 + 20_000);
  const changed = [20, 30].map((second) => look(T0 + 1000 * second));
  fileAnomaly(desk, anomalyOf('front', T0 + 10_000), GRAPH, GAP_MS, T0 + 40_000);
  for (const second of [40, 50, 80, 90, 200]) changed.push(look(T0 + 1000 * second));
  for (const service of ['cart', 'front']) {
    const startMs = service === 'cart' ? T0 : T0 + 10_000;
    fileAnomaly(desk, over(anomalyOf(service, startMs), T0 + 300_000), GRAPH, GAP_MS, T0 + 300_000);
  }
  for (const second of [310, 320]) changed.push(look(T0 + 1000 * second));
  assert.deepEqual(asked, [20, 40, 80, 300]);
  assert.deepEqual(changed, [1, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(desk.groups[0]?.incident.causes[0]?.service, 'stock');
  assert.equal(desk.groups[0].incident.status, 'resolved');
});
