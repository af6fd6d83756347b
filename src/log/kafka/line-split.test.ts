import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { recordOf } from '../record.fixture.ts';
import { columnsOf } from './kafka.fixture.ts';
import { createEventSplitter, createMetricSplitter, type LineSplit } from './line-split.ts';
import { EntitySpread } from './entity-spread.ts';
import { partitionOfEntity } from './partition-of.ts';

function partitionsOf({ partition, count }: LineSplit): number[] {
  return [...partition.subarray(0, count)];
}

function metricRecord(heads: readonly object[]): Parameters<ReturnType<typeof createMetricSplitter>['split']>[0] {
  const lines = heads.map((head) => `${JSON.stringify(head).slice(0, -1)},"points":[[1731000000000,1]]}\n`);
  return { ...recordOf('', 0), bytes: Buffer.from(lines.join('')), count: lines.length };
}

const HEAD = { name: 'm', kind: 'gauge', unit: '', service: 'shop', environment: '', namespace: '', labels: {} };

test('events go by their entity, whatever table of names their columns refer to', () => {
  const splitter = createEventSplitter(new EntitySpread(7, []), null, () => 0);
  const services = Array.from({ length: 2000 }, (_, i) => `service-${i % 40}`);
  const expected = services.map((service) => partitionOfEntity(service, 7));
  const columns = columnsOf(0, services);
  assert.deepEqual(partitionsOf(splitter.split(columns).main), expected);
  const { batch: _, ...unscanned } = columns;
  assert.deepEqual(partitionsOf(splitter.split(unscanned).main), expected, 'without columns the lines are scanned');
  assert.equal(splitter.split(columns).traces, null);
});

test('events without a trace stay out of the topic of traces', () => {
  const splitter = createEventSplitter(new EntitySpread(3, []), 5, () => 0);
  assert.equal(splitter.split(columnsOf(0, ['a', 'b'])).traces, null);
  const line = '{"timestamp":"2025-10-08T10:30:45Z","service":"a","level":"INFO","message":"m"';
  const bytes = Buffer.from(`${line},"trace_id":"0af7651916cd43dd8448eb211c80319c"}\n${line}}\n`);
  const { traces } = splitter.split({ ...recordOf('', 0), bytes, count: 2 });
  assert.ok(traces);
  const [traced, plain] = partitionsOf(traces);
  assert.ok((traced as number) >= 0 && (traced as number) < 5);
  assert.equal(plain, -1);
});

test('events of a hot service are spread evenly over the partitions that follow its home, and those of a retried request as before', () => {
  const spread = new EntitySpread(7, [{ service: 'hot', partitions: 3 }]);
  const home = partitionOfEntity('hot', 7);
  const services = Array.from({ length: 1000 }, (_, i) => (i % 5 === 0 ? 'cold' : 'hot'));
  const counts = Array.from({ length: 7 }, () => 0);
  for (let request = 0; request < 300; request++) {
    const size = request % 3 === 0 ? 1000 : 1 + (request % 7);
    const record = { ...columnsOf(0, services.slice(1, 1 + size)), minTimestampMs: 1_760_000_000_000 + 1000 * request };
    const keyHash = createHash('sha256').update(String(request)).digest('hex').slice(0, 32);
    const idempotency = { keyHash, bodyHash: '', answer: '' };
    const keyed = request % 2 === 0 ? record : { ...record, idempotency };
    const partitions = partitionsOf(createEventSplitter(spread, null, () => 0).split(keyed).main);
    const other = request % 2 === 0 ? keyed : { ...keyed, minTimestampMs: 0, receivedAtMs: 5 };
    assert.deepEqual(partitionsOf(createEventSplitter(spread, null, () => 9).split(other).main), partitions);
    for (const [i, partition] of partitions.entries()) {
      if (services[i + 1] === 'cold') assert.equal(partition, partitionOfEntity('cold', 7));
      else (counts[partition] as number)++;
    }
  }
  const shares = [0, 1, 2].map((i) => counts[(home + i) % 7] as number);
  const total = shares.reduce((sum, count) => sum + count, 0);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    total,
  );
  for (const share of shares) assert.ok(Math.abs(share / total - 1 / 3) < 0.03, String(shares));
});

test('lines of metrics go by the entity in their head, also when heads come in another order', () => {
  const splitter = createMetricSplitter(7);
  const heads = Array.from({ length: 50 }, (_, i) => ({
    ...HEAD,
    name: `m${i}`,
    service: `s${i % 9}`,
    environment: i % 2 === 0 ? '' : 'prod/eu',
    labels: i % 3 === 0 ? { text: '},"points":[ "' } : {},
  }));
  const expectedOf = (of: typeof heads): number[] =>
    of.map(({ service, environment }) => partitionOfEntity(environment === '' ? service : `prod%2Feu//${service}`, 7));
  for (const order of [heads, heads, heads.toReversed(), heads.filter((_, i) => i % 4 === 1)]) {
    assert.deepEqual(partitionsOf(splitter.split(metricRecord(order)).main), expectedOf(order));
  }
});

test('thousands of series are told apart', () => {
  const splitter = createMetricSplitter(11);
  const heads = Array.from({ length: 5000 }, (_, i) => ({ ...HEAD, name: `m${i}`, service: `s${i}` }));
  const expected = heads.map(({ service }) => partitionOfEntity(service, 11));
  for (let round = 0; round < 2; round++) assert.deepEqual(partitionsOf(splitter.split(metricRecord(heads)).main), expected);
});
