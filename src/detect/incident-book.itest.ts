import assert from 'node:assert/strict';
import test from 'node:test';
import { createGenerator } from '../generate/generator.ts';
import { createDetector } from './engine.ts';
import { createTold, hear, PartitionFleet, settleRun, type Told } from './partition-run.fixture.ts';
import { testConfig } from './traffic.fixture.ts';

const HOUR_MS = 3_600_000;
const SEED = 2;

interface BadDay {
  engine: Told;
  fleets: PartitionFleet[];
}

/** One generated stream through one detector that sees all, and through the detectors of partitions. */
function playBadDay(): BadDay {
  const generator = createGenerator({
    seed: SEED,
    startMs: Date.UTC(2025, 9, 6, 8),
    durationMs: 4 * HOUR_MS,
    rate: 25,
    warmUpMs: 2 * HOUR_MS,
    faults: ['cascade', 'silence', 'bad_deployment'],
  });
  const options = { config: testConfig(), clock: 'events' as const, seed: 1 };
  const detector = createDetector(options);
  const engine = createTold();
  const fleets = [new PartitionFleet({ partitions: 1 }), new PartitionFleet({ partitions: 4 })];
  const next = generator.batches(generator.startMs);
  for (let toMs = generator.startMs + 1000; toMs <= generator.endMs; toMs += 1000) {
    for (const { client, batch } of next(toMs)) {
      detector.observe(batch, toMs, client);
      hear(engine, detector.advance(null));
      for (const fleet of fleets) fleet.observe(batch, client);
    }
  }
  return { engine, fleets };
}

/** What an incident is, by the anomalies in it; causes draw on traces, which only the one detector looks at. */
function essence({ incidents }: Told): unknown[] {
  const rows = [...incidents.values()].map(({ anomalyIds, services, status, startedAt, resolvedAt, mergedInto }) => ({
    anomalyIds: anomalyIds.toSorted(),
    services: services.toSorted(),
    status,
    startedAt,
    resolvedAt,
    isMerged: mergedInto !== null,
  }));
  return rows.toSorted((a, b) => (String(a.anomalyIds) < String(b.anomalyIds) ? -1 : 1));
}

/** Incidents that one anomaly opened alone: of several in one step the one detector takes another first. */
function openedAlone({ incidents, anomalies }: Told): string[] {
  const alone = [...incidents.values()].filter(({ anomalyIds }) => {
    const times = anomalyIds.map((id) => anomalies.get(id)?.detectedAt ?? '').toSorted();
    return times[0] !== times[1];
  });
  return alone.map(({ id }) => id).toSorted();
}

const { engine, fleets } = playBadDay();
const [one, four] = fleets.map(({ run }) => settleRun(run)) as [Told, Told];

test(`a generated bad day gives the incidents of one detector, whether one partition or four tell it (seed ${SEED})`, () => {
  assert.ok(engine.incidents.size >= 3);
  for (const told of [one, four]) {
    assert.deepEqual([...told.anomalies.keys()].toSorted(), [...engine.anomalies.keys()].toSorted());
    assert.deepEqual(essence(told), essence(engine));
    assert.deepEqual(openedAlone(told), openedAlone(engine));
  }
  assert.deepEqual(four.incidents, one.incidents);
});

test('a cascade over services of several partitions is one incident', () => {
  const cascade = [...four.incidents.values()].find(({ services }) => services.length > 2);
  const partitions = new Set(
    fleets[1]?.run.alerts.flatMap((alert) =>
      alert.type === 'anomaly' && cascade?.anomalyIds.includes(alert.anomaly.id) ? [alert.partition] : [],
    ),
  );
  assert.ok(partitions.size > 1);
});

test('when the book is asked, and how much at once, changes nothing', () => {
  const { alerts, watermarks } = (fleets[1] as PartitionFleet).run;
  const seldom = watermarks.filter((_, i) => i % 97 === 0);
  assert.deepEqual(settleRun({ alerts, watermarks: seldom }).incidents, four.incidents);
  assert.deepEqual(settleRun({ alerts, watermarks: [] }).incidents, four.incidents);
});
