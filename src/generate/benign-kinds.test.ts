import assert from 'node:assert/strict';
import test from 'node:test';
import type { BenignName } from './benign-kinds.ts';
import { BENIGN_KINDS, BENIGN_NAMES } from './benign-kinds.ts';
import type { Condition } from './condition.ts';
import { EventStream } from './event-stream.ts';
import { createFleet } from './fleet.ts';
import { FleetTimeline } from './fleet-timeline.ts';

const SEED = 4;
const START_MS = Date.parse('2025-10-08T10:00:00Z');
const FROM_MS = START_MS + 600_000;
const SERVICE = 3;
const fleet = createFleet(SEED, 10);

interface Row {
  service: number;
  path: string | undefined;
  lagMs: number;
  span: string;
}

/** A minute of deliveries, ten seconds into something harmless at the fourth service, or with nothing at all. */
function minute(kind?: BenignName, effect: Record<string, number> = {}): Row[] {
  const condition: Condition = {
    kind: kind ?? '',
    benign: true,
    startMs: FROM_MS - 10_000,
    endMs: FROM_MS + 600_000,
    service: SERVICE,
    effect: { size: 0.5, ...effect },
  };
  const timeline = new FleetTimeline(fleet, kind ? [condition] : [], SEED);
  const stream = new EventStream({ fleet, timeline, seed: SEED, requestRate: 20, startMs: START_MS }, FROM_MS - 200_000);
  stream.advanceTo(FROM_MS + 300_000, () => {});
  const rows: Row[] = [];
  stream.advanceTo(FROM_MS + 360_000, (hops, row) => {
    const endpoint = hops.endpoints[row];
    rows.push({
      service: endpoint?.service ?? -1,
      path: hops.moved[row] === 1 ? endpoint?.movedPath : endpoint?.path,
      lagMs: (hops.deliveredMs[row] as number) - (hops.timestampMs[row] as number),
      span: hops.ids.subarray(row * 9 + 4, row * 9 + 6).join(),
    });
  });
  return rows;
}

const usual = minute();
const own = (rows: readonly Row[]): Row[] => rows.filter(({ service }) => service === SERVICE);
const near = (actual: number, expected: number, tolerance: number): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);

test('a campaign multiplies the traffic of the whole fleet', () => {
  near(minute('campaign', { trafficFactor: 2 }).length / usual.length, 2, 0.15);
});

test('a job adds its share to one service', () => {
  const rows = minute('cron_peak', { addedShare: 1 });
  near(own(rows).length / own(usual).length, 2, 0.2);
  assert.equal(rows.filter(({ service }) => service === 0).length, usual.filter(({ service }) => service === 0).length);
});

test('an impatient client repeats its share of the requests', () => {
  near(minute('client_retry', { repeatedShare: 0.5 }).length / usual.length, 1.5, 0.12);
});

test('requests move to a new path, and stay there when the move is over', () => {
  const effect = { movedShare: 1, latencyFactor: 1, endpointDraw: 0.4 };
  const paths = new Set(own(minute('new_endpoint', effect)).map(({ path }) => path));
  assert.ok(paths.has('/v2/search'), [...paths].join(' '));
  const condition = { kind: 'new_endpoint', benign: true, startMs: START_MS, endMs: FROM_MS, service: SERVICE };
  const timeline = new FleetTimeline(fleet, [{ ...condition, effect: { size: 1, ...effect } }], SEED);
  assert.equal(timeline.at(FROM_MS + 86_400_000).services[SERVICE]?.movedShare, 1);
});

test('late events are those of a good day, delivered later', () => {
  const rows = own(minute('late_events', { delaySeconds: 30, share: 1, everywhere: 0 }));
  assert.ok(rows.length > 100);
  assert.ok(rows.every(({ lagMs }) => lagMs >= 15_000 && lagMs <= 30_000));
  const others = minute('late_events', { delaySeconds: 30, share: 1, everywhere: 0 }).filter(
    ({ service }) => service !== SERVICE,
  );
  assert.ok(others.every(({ lagMs }) => lagMs === 0));
});

test('duplicates are delivered twice with the same ids', () => {
  const rows = minute('duplicate_events', { share: 0.4, everywhere: 1 });
  near(rows.length / usual.length, 1.4, 0.1);
  const spans = new Set(rows.map(({ span }) => span));
  assert.ok(spans.size < rows.length - 0.2 * usual.length);
});

test('a skewed clock says another time than that of delivery, for its service alone', () => {
  const rows = minute('clock_skew', { skewSeconds: -20 });
  assert.ok(own(rows).every(({ lagMs }) => lagMs === 20_000));
  assert.ok(rows.filter(({ service }) => service !== SERVICE).every(({ lagMs }) => lagMs === 0));
});

test('a holiday takes its share of the users away', () => {
  const condition = { kind: 'holiday', benign: true, startMs: START_MS - 36_000_000, endMs: START_MS + 50_400_000, service: 0 };
  const timeline = new FleetTimeline(fleet, [{ ...condition, effect: { size: 1, trafficFactor: 0.5 } }], SEED);
  const healthy = new FleetTimeline(fleet, [], SEED);
  near(timeline.at(START_MS).trafficFactor / healthy.at(START_MS).trafficFactor, 0.5, 1e-9);
});

test('every kind draws numbers inside what is documented at both ends', () => {
  for (const name of BENIGN_NAMES) {
    for (const size of [0, 1]) {
      const effect = BENIGN_KINDS[name].draw(size, () => 0.5);
      assert.ok(
        Object.values(effect).every((value) => Number.isFinite(value)),
        name,
      );
    }
  }
});
