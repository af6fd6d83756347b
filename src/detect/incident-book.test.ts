import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import type { FiledAlert } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import { anomalyOf, MINUTE, over, T0 } from './anomaly.fixture.ts';
import { createCoMovement, encodeMovement, recordMovement } from './co-movement.ts';
import { createIncidentBook, type IncidentBook } from './incident-book.ts';
import { createTold, hear, type Told } from './partition-run.fixture.ts';
import { encodeState } from './state-codec.ts';
import { testConfig } from './traffic.fixture.ts';

const open = (): IncidentBook => createIncidentBook(testConfig());
const EDGES: FiledAlert = {
  type: 'edges',
  partition: 0,
  atMs: T0 - MINUTE,
  edges: [
    { caller: 'front', callee: 'cart', count: 9 },
    { caller: 'cart', callee: 'stock', count: 9 },
    { caller: 'job', callee: 'table', count: 9 },
  ],
};

function told(anomaly: Anomaly, atMs: number, changes: Partial<Extract<FiledAlert, { type: 'anomaly' }>> = {}): FiledAlert {
  return { type: 'anomaly', partition: 0, atMs, anomaly, evidence: [], ...changes };
}

/** An anomaly's whole life, said at these times. */
function life(service: string, startMs: number, endMs: number): FiledAlert[] {
  const anomaly = anomalyOf(service, startMs);
  return [told(anomaly, startMs + 20_000), told(over(anomaly, endMs), endMs + 120_000)];
}

const DAY: FiledAlert[] = [
  EDGES,
  ...life('stock', T0, T0 + 10 * MINUTE),
  ...life('cart', T0 + 10_000, T0 + 11 * MINUTE),
  ...life('front', T0 + 30_000, T0 + 9 * MINUTE),
  ...life('table', T0 + 3 * MINUTE, T0 + 8 * MINUTE),
];

const inTime = (alerts: readonly FiledAlert[]): FiledAlert[] => alerts.toSorted((a, b) => a.atMs - b.atMs);

function play(
  book: IncidentBook,
  alerts: readonly FiledAlert[],
  untilsMs: readonly number[],
  each = (_: IncidentBook) => _,
): Told {
  const told = createTold();
  let fromMs = -Infinity;
  for (const untilMs of [...untilsMs, Infinity]) {
    book = each(book);
    hear(told, book.apply(alerts.filter(({ atMs }) => atMs > fromMs && atMs <= untilMs)));
    fromMs = untilMs;
  }
  return told;
}

test('a chain of callers is one incident, and a fault beside it that starts later another', () => {
  const { incidents, anomalies } = play(open(), DAY, []);
  assert.deepEqual(
    [...incidents.values()].map(({ services, status }) => [services.toSorted(), status]),
    [
      [['cart', 'front', 'stock'], 'resolved'],
      [['table'], 'resolved'],
    ],
  );
  for (const { id, incidentId } of anomalies.values()) {
    assert.ok(incidents.get(incidentId as string)?.anomalyIds.includes(id));
  }
});

test('the order in which alerts of one settlement come, how they are cut and restarts change nothing', () => {
  const whole = play(open(), DAY, []);
  for (let seed = 1; seed <= 10; seed++) {
    const prng = createPrng(seed);
    const order = new Map(DAY.map((alert) => [alert, prng.next()]));
    const mixed = DAY.toSorted((a, b) => (order.get(a) as number) - (order.get(b) as number));
    const cuts = Array.from({ length: 4 }, () => T0 + Math.floor(prng.next() * 14 * MINUTE)).toSorted((a, b) => a - b);
    const cut = play(open(), mixed, cuts, (book) => {
      const next = open();
      next.restore(book.snapshot());
      return next;
    });
    assert.deepEqual(cut.incidents, whole.incidents, `seed ${seed}`);
    assert.deepEqual(cut.anomalies, whole.anomalies, `seed ${seed}`);
  }
});

test('what was said before changes nothing when it is said again, and an end is never taken back', () => {
  const book = open();
  const before = play(book, DAY, []);
  const state = book.snapshot();
  assert.deepEqual(book.apply(DAY.filter(({ type }) => type === 'anomaly')), { anomalies: [], incidents: [], changes: [] });
  assert.deepEqual(book.snapshot(), state);
  const twice = play(open(), [...DAY, ...inTime(DAY).slice(2)], [T0 + 5 * MINUTE]);
  assert.deepEqual(twice.incidents, before.incidents);
});

test('an older form of an anomaly that comes late does not replace a newer one', () => {
  const book = open();
  const anomaly = anomalyOf('cart', T0);
  book.apply([told({ ...anomaly, severity: 'critical' }, T0 + 60_000)]);
  assert.deepEqual(book.apply([told(anomaly, T0 + 20_000)]).anomalies, []);
  const late = book.apply([told(anomalyOf('front', T0 + 5000), T0 + 30_000)]);
  assert.equal(late.incidents[0]?.anomalyIds.length, 2, 'another anomaly is taken as it comes');
});

test('quiet anomalies belong to no incident', () => {
  const quiet = anomalyOf('cart', T0, { quiet: { since: '2025-10-08T10:00:00.000Z', reason: 'it came often' } });
  const { anomalies, incidents } = open().apply([told(quiet, T0 + 20_000)]);
  assert.deepEqual([anomalies.map(({ incidentId }) => incidentId), incidents], [[null], []]);
});

test('services known to move together are kin without a call between them', () => {
  const apart = (moves: boolean): number => {
    const prng = createPrng(3);
    const movement = createCoMovement();
    for (let minute = 0; minute < 120; minute++)
      recordMovement(movement, minute, Math.round(1000 * Math.exp(0.3 * prng.normal())), 1000);
    const said = moves ? { movement: encodeMovement(movement) } : {};
    const alerts = [
      EDGES,
      told(anomalyOf('stock', T0), T0 + 20_000, said),
      told(anomalyOf('table', T0 + 2 * MINUTE), T0 + 3 * MINUTE, said),
    ];
    return play(open(), alerts, []).incidents.size;
  };
  assert.deepEqual([apart(true), apart(false)], [1, 2]);
});

test('what metrics say of a callee of another partition makes it a cause', () => {
  const evidence = [{ service: 'stock', points: 0.5, reason: 'cpu of stock is up', showsAs: 'metric' as const }];
  const alerts = [EDGES, told(anomalyOf('cart', T0), T0 + 20_000), told(anomalyOf('front', T0), T0 + 30_000, { evidence })];
  const [incident] = [...play(open(), alerts, []).incidents.values()];
  const cause = incident?.causes.find(({ service }) => service === 'stock');
  assert.match(cause?.reason ?? '', /cpu of stock is up/);
});

test('people acknowledge, resolve, decide and tell of changes; what concerns the detectors goes to them', () => {
  const book = open();
  const proposal = { state: 'proposed' as const, since: '2025-10-08T10:00:00.000Z', deploy: null };
  book.apply([EDGES, told(anomalyOf('cart', T0, { newNormal: proposal, regime: 'shift' }), T0 + 20_000)]);
  const posted = book.command({ type: 'change', change: changeOf('ch-1') });
  assert.ok(!('refusal' in posted) && posted.incident);
  const { incident } = posted;
  const said = { incidentId: incident.id, by: 'kim', atMs: T0 + MINUTE };
  assert.deepEqual(book.command({ type: 'resolve', ...said, incidentId: 'in-none' }), { refusal: 'not_found' });
  for (const decision of [
    { type: 'acknowledge' as const, ...said },
    { type: 'new_normal' as const, decision: 'accept' as const, ...said },
    { type: 'resolve' as const, ...said },
  ]) {
    const answer = book.command(decision);
    assert.ok(!('refusal' in answer));
    assert.deepEqual(
      answer.control.map(({ type }) => type),
      [decision.type],
    );
    assert.deepEqual(
      answer.incidents.map(({ id }) => id),
      [incident.id],
    );
  }
  assert.equal(book.openIncidents(), 0);
  const other = open();
  const [opened] = other.apply([told(anomalyOf('cart', T0), T0 + 20_000)]).incidents;
  const refused = other.command({ type: 'new_normal', decision: 'accept', ...said, incidentId: opened?.id ?? '' });
  assert.deepEqual(refused, { refusal: 'conflict' });
});

const changeOf = (id: string) => ({
  id,
  at: new Date(T0 - MINUTE).toISOString(),
  service: 'cart',
  type: 'configuration' as const,
  version: null,
  previousVersion: null,
  description: 'pool size',
  source: 'api' as const,
});

test('its state stays bounded over weeks of incidents, and forgets those that are over', () => {
  const book = open();
  let largest = 0;
  for (let hour = 0; hour < 500; hour++) {
    const startMs = T0 + hour * 60 * MINUTE;
    for (let service = 0; service < 5; service++)
      book.apply(life(`s${(hour * 5 + service) % 700}`, startMs, startMs + 5 * MINUTE));
    if (hour === 250) largest = book.snapshot().length;
  }
  assert.ok(book.snapshot().length < 1.05 * largest + 20_000, `${largest} to ${book.snapshot().length} bytes`);
});

test('bytes that are no state are refused', () => {
  assert.throws(() => open().restore(Uint8Array.of(1, 2, 3)), { code: 'corrupt_data' });
  assert.throws(() => open().restore(encodeState({ version: 99 })), { code: 'corrupt_data' });
});
