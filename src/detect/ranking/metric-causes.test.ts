import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { plantFault, TOPOLOGIES, type Topology } from './graph-system.fixture.ts';
import { rankMetricCauses } from './metric-causes.ts';
import type { MetricCauseInput, RankedEntity } from './metric-input.ts';

const SEEDS = [40, 41, 42, 43, 44];

/** Whether the cause is first and alone there. */
function isFirst(seed: number, topology: Topology, change = (input: MetricCauseInput) => input): boolean {
  const { input, cause } = plantFault(seed, topology, seed % 2 === 0 ? 'latency' : 'failures');
  const { byEntity } = rankMetricCauses(change(input));
  return byEntity[0]?.entity === cause && byEntity[1]?.rank === 2;
}

test('a planted fault is ranked first in nine of ten random systems of every topology', () => {
  const runs = TOPOLOGIES.flatMap((topology) => SEEDS.map((seed) => isFirst(seed, topology)));
  assert.ok(runs.filter(Boolean).length >= 0.9 * runs.length, `seeds ${SEEDS.join(', ')}`);
});

test('a planted fault is found when nobody says where the symptom was seen', () => {
  const runs = SEEDS.map((seed) => isFirst(seed, 'tree', ({ entities, calls }) => ({ entities, calls: calls ?? [] })));
  assert.ok(runs.filter(Boolean).length >= 4, `seeds ${SEEDS.join(', ')}`);
});

test('renaming and reordering entities and series changes no score', () => {
  const { input } = plantFault(3, 'layers', 'latency');
  const renamed = (name: string): string => `x${name}y`;
  const other: MetricCauseInput = {
    entities: input.entities.toReversed().map((entity) => ({
      name: renamed(entity.name),
      series: entity.series.toReversed().map((series) => ({ ...series, name: `${series.name}z` })),
    })),
    calls: (input.calls ?? []).map(([from, to]) => [renamed(from), renamed(to)] as const).toReversed(),
    entry: { entity: renamed(input.entry?.entity ?? ''), series: `${input.entry?.series}z` },
  };
  const scores = (from: MetricCauseInput, name: (value: string) => string): Record<string, string> =>
    Object.fromEntries(rankMetricCauses(from).byEntity.map((cause) => [name(cause.entity), cause.score.toFixed(9)]));
  assert.deepEqual(
    scores(other, (name) => name),
    scores(input, renamed),
  );
});

function entity(name: string, anomalous: number[], more: Partial<RankedEntity> = {}): RankedEntity {
  const prng = createPrng(5);
  const normal = Array.from({ length: 60 }, () => 10 + prng.normal());
  return { name, series: [{ name: 'load', normal, anomalous }], ...more };
}

test('without a graph the larger change comes first, with its direction and figures in the reason', () => {
  const { byEntity, bySeries } = rankMetricCauses({ entities: [entity('a', [14]), entity('b', [2])] });
  assert.deepEqual(
    byEntity.map(({ entity: name, direction, rank }) => [name, direction, rank]),
    [
      ['b', 'down', 1],
      ['a', 'up', 2],
    ],
  );
  assert.match(byEntity[0]?.reason ?? '', /load of b is down, 2 \(usually [\d.]+\), [\d.]+ times/);
  assert.equal(bySeries.length, 2);
});

test('equal changes tie in score and rank, and change evidence parts them', () => {
  const tied = rankMetricCauses({ entities: [entity('a', [20]), entity('b', [20]), entity('c', [10])] }).byEntity;
  assert.deepEqual(
    tied.map(({ rank }) => rank),
    [1, 1, 3],
  );
  const parted = rankMetricCauses({ entities: [entity('a', [20]), entity('b', [20], { changed: true })] }).byEntity;
  assert.equal(parted[0]?.entity, 'b');
  assert.match(parted[0]?.reason ?? '', /changed shortly before/);
});

test('an entity without values in the anomalous window is no candidate, and nothing in gives nothing out', () => {
  assert.deepEqual(
    rankMetricCauses({ entities: [entity('a', [NaN]), entity('b', [12])] }).byEntity.map(({ entity: name }) => name),
    ['b'],
  );
  assert.deepEqual(rankMetricCauses({ entities: [] }), { bySeries: [], byEntity: [] });
});

test('a declared transit component is never first on the path of a fault', () => {
  const { input, cause } = plantFault(11, 'tree', 'latency');
  const entities = input.entities.map((each) => (each.name === cause ? { ...each, kind: 'transit' as const } : each));
  assert.notEqual(rankMetricCauses({ ...input, entities }).byEntity[0]?.entity, cause);
});

test('an entity that the graph does not know stays a candidate', () => {
  const { input } = plantFault(11, 'tree', 'latency');
  const { byEntity } = rankMetricCauses({ ...input, entities: [...input.entities, entity('disk', [9000])] });
  assert.ok((byEntity.find(({ entity: name }) => name === 'disk')?.rank ?? 99) <= 3);
});

test('time waited for a callee is not blamed on the waiting caller', () => {
  const prng = createPrng(9);
  const series = (name: string, base: number, now: number, role?: 'client-duration') => ({
    name,
    unit: 's',
    ...(role ? { role } : {}),
    normal: Array.from({ length: 60 }, () => base + 0.01 * prng.normal()),
    anomalous: [now, now],
  });
  const entities = [
    { name: 'front', series: [series('served', 1, 1.05), series('waited', 0.8, 3, 'client-duration')] },
    { name: 'back', series: [series('served', 0.8, 3)] },
  ];
  const { byEntity } = rankMetricCauses({ entities, calls: [['front', 'back']] });
  assert.equal(byEntity[0]?.entity, 'back');
});
