import assert from 'node:assert/strict';
import test from 'node:test';
import type { Anomaly } from '../model/anomaly.ts';
import { anomalyOf, kinshipOf, MINUTE, over, T0 } from './anomaly.fixture.ts';
import { createIncidentDesk, fileAnomaly, findGroup, judgeIncident, openGroups, type IncidentDesk } from './incident-desk.ts';
import type { Kinship } from './kinship.ts';

const GAP = 5 * MINUTE;
const SHOP = kinshipOf('front>cart>stock', 'front>payment>bank', 'report>warehouse');

function file(desk: IncidentDesk, anomaly: Anomaly, kinship: Kinship = SHOP, atMs = Date.parse(anomaly.detectedAt)) {
  return fileAnomaly(desk, anomaly, kinship, GAP, atMs);
}

const typesOf = (desk: IncidentDesk, id: string): string[] =>
  (findGroup(desk, id)?.incident.events ?? []).map(({ type }) => type);

test('a fault and what it does to its callers, minutes later, are one incident', () => {
  const desk = createIncidentDesk();
  const [, first] = file(desk, anomalyOf('stock', T0));
  const [, second] = file(desk, anomalyOf('cart', T0 + 2 * MINUTE));
  const [, third] = file(desk, anomalyOf('front', T0 + 4 * MINUTE, { signal: 'latency' }));
  assert.deepEqual([second.id, third.id], [first.id, first.id]);
  assert.deepEqual(typesOf(desk, first.id), ['opened', 'joined', 'joined']);
  assert.equal(third.causes[0]?.service, 'stock');
});

test('two faults minutes apart in parts of the graph that do not reach each other are two incidents', () => {
  const desk = createIncidentDesk();
  const [, stock] = file(desk, anomalyOf('stock', T0));
  file(desk, anomalyOf('front', T0 + 20_000));
  const [, bank] = file(desk, anomalyOf('bank', T0 + 3 * MINUTE));
  assert.notEqual(bank.id, stock.id);
  const [, slow] = file(desk, anomalyOf('front', T0 + 3 * MINUTE + 20_000, { signal: 'latency' }));
  assert.equal(slow.id, bank.id, 'what the second fault does to a service that still suffers from the first goes to the second');
});

test('strangers that start within a minute have one cause until they prove otherwise', () => {
  const desk = createIncidentDesk();
  const [stock, first] = file(desk, anomalyOf('stock', T0));
  const [warehouse, second] = file(desk, anomalyOf('warehouse', T0 + 30_000));
  assert.equal(second.id, first.id);
  const [, , { incidents, moved }] = file(desk, over(stock, T0 + 10 * MINUTE), SHOP, T0 + 12 * MINUTE);
  const split = incidents.find(({ splitFrom }) => splitFrom === first.id);
  assert.ok(split);
  assert.deepEqual(split.services, ['warehouse']);
  assert.equal(split.status, 'open');
  assert.deepEqual([...moved], [[warehouse.id, split.id]]);
  assert.equal(findGroup(desk, first.id)?.incident.status, 'resolved');
  assert.deepEqual(typesOf(desk, first.id), ['opened', 'joined', 'split', 'resolved']);
  assert.deepEqual(typesOf(desk, split.id), ['split']);
  const [, ended] = file(desk, over(warehouse, T0 + 20 * MINUTE), SHOP, T0 + 22 * MINUTE);
  assert.equal(ended.id, split.id);
  assert.equal(ended.status, 'resolved');
});

test('without a graph time alone joins, and nothing is split while nobody knows better', () => {
  const desk = createIncidentDesk();
  const unknown = kinshipOf();
  const [a, first] = file(desk, anomalyOf('a', T0), unknown);
  const [, second] = file(desk, anomalyOf('b', T0 + 4 * MINUTE), unknown);
  assert.equal(second.id, first.id);
  const [, , { incidents }] = file(desk, over(a, T0 + 8 * MINUTE), unknown);
  assert.deepEqual(incidents, []);
});

test('a common cause that shows late merges the incidents of its callers, and the merged one says where it went', () => {
  const desk = createIncidentDesk();
  const shared = kinshipOf('cart>store', 'search>store');
  const [, cart] = file(desk, anomalyOf('cart', T0), shared);
  const [search, other] = file(desk, anomalyOf('search', T0 + 2 * MINUTE), shared);
  assert.notEqual(other.id, cart.id);
  judgeIncident(desk, { type: 'acknowledge', incidentId: other.id, by: 'kim', atMs: T0 + 3 * MINUTE });
  const store = anomalyOf('store', T0 + 30_000, { signal: 'latency' });
  const [filed, whole, { incidents, moved }] = file(desk, store, shared, T0 + 4 * MINUTE);
  assert.equal(filed.incidentId, cart.id);
  assert.deepEqual(whole.services.toSorted(), ['cart', 'search', 'store']);
  assert.equal(whole.acknowledgedBy, 'kim');
  assert.deepEqual(
    incidents.map(({ id, mergedInto, status }) => [id, mergedInto, status]),
    [[other.id, cart.id, 'resolved']],
  );
  assert.deepEqual([...moved], [[search.id, cart.id]]);
  assert.deepEqual(typesOf(desk, cart.id), ['opened', 'joined', 'merged']);
  assert.deepEqual(typesOf(desk, other.id), ['opened', 'acknowledged', 'merged']);
  const [, later] = file(desk, over(search, T0 + 9 * MINUTE), shared, T0 + 11 * MINUTE);
  assert.equal(later.id, cart.id);
  assert.equal(openGroups(desk).length, 1);
});

test('services that move together are one incident without any graph', () => {
  const together: Kinship = { reaches: () => false, kin: () => 'related' };
  const strangers: Kinship = { reaches: () => false, kin: () => 'unrelated' };
  for (const [kinship, count] of [
    [together, 1],
    [strangers, 2],
  ] as const) {
    const desk = createIncidentDesk();
    file(desk, anomalyOf('a', T0), kinship);
    file(desk, anomalyOf('b', T0 + 3 * MINUTE), kinship);
    assert.equal(openGroups(desk).length, count);
  }
});

test('a storm of hundreds of services is one incident, with a history that stays bounded and keeps its beginning', () => {
  const desk = createIncidentDesk();
  const storm: Kinship = { reaches: (_, callee) => callee === 's0', kin: () => 'unknown' };
  for (let i = 0; i < 300; i++) file(desk, anomalyOf(`s${i}`, T0 + i * 1000), storm);
  const [group] = openGroups(desk);
  assert.equal(openGroups(desk).length, 1);
  assert.equal(group?.incident.causes[0]?.service, 's0');
  assert.equal(group?.incident.events?.length, 100);
  assert.equal(group?.incident.events?.[0]?.type, 'opened');
});

test('what a person does stands in the history, and a resolved incident is not split', () => {
  const desk = createIncidentDesk();
  const [stock, { id }] = file(desk, anomalyOf('stock', T0));
  file(desk, anomalyOf('warehouse', T0 + 30_000));
  judgeIncident(desk, { type: 'resolve', incidentId: id, by: 'kim', atMs: T0 + MINUTE });
  file(desk, over(stock, T0 + 10 * MINUTE), SHOP, T0 + 12 * MINUTE);
  assert.equal(desk.groups.length, 1);
  const last = findGroup(desk, id)?.incident.events?.at(-1);
  assert.deepEqual([last?.type, last?.by], ['resolved', 'kim']);
});
