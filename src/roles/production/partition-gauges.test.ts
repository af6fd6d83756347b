import assert from 'node:assert/strict';
import test from 'node:test';
import { DETECT_METRICS } from '../../detect/metrics.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { PartitionGauges } from './partition-gauges.ts';

test('a gauge is the sum over the partitions of the process, the watermark the least of them', () => {
  const shown = new Map<string, number>();
  const gauges = new PartitionGauges({
    ...silentMetrics,
    set: ({ name }, value, labels) => void shown.set(`${name} ${labels?.['kind'] ?? ''}`.trim(), value),
  });
  const [first, second] = [gauges.of(0), gauges.of(1)];
  const { entities, watermark, silentServices } = DETECT_METRICS;
  first.set(entities, 3);
  second.set(entities, 4);
  first.set(watermark, 100);
  second.set(watermark, 90);
  second.set(silentServices, 1, { kind: 'dead' });
  second.set(silentServices, 2, { kind: 'late' });
  assert.equal(shown.get(entities.name), 7);
  assert.equal(shown.get(watermark.name), 90);
  assert.equal(shown.get(`${silentServices.name} dead`), 1);
  gauges.forget(1);
  first.set(entities, 5);
  assert.equal(shown.get(entities.name), 5);
});

test('what a partition measured is not shown any more once it is gone, the last one included', () => {
  const shown = new Map<string, number>();
  const gauges = new PartitionGauges({ ...silentMetrics, set: ({ name }, value) => void shown.set(name, value) });
  const { entities, watermark } = DETECT_METRICS;
  gauges.of(0).set(entities, 3);
  gauges.of(0).set(watermark, 100);
  gauges.of(1).set(watermark, 90);
  gauges.forget(1);
  assert.equal(shown.get(watermark.name), 100);
  gauges.forget(0);
  assert.deepEqual([shown.get(entities.name), shown.get(watermark.name)], [0, 0]);
});
