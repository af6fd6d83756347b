import assert from 'node:assert/strict';
import test from 'node:test';
import type { MetricDefinition } from '../lib/metrics.ts';
import { createPrometheusMetrics } from './prometheus.ts';

const requests: MetricDefinition = { name: 'test_requests_total', type: 'counter', help: 'h', labels: ['door', 'code'] };
const seconds: MetricDefinition = { name: 'test_seconds', type: 'histogram', help: 'h', labels: ['door'], buckets: [1, 2] };
const bytes: MetricDefinition = { name: 'test_bytes', type: 'gauge', help: 'h' };

async function samples(metrics: ReturnType<typeof createPrometheusMetrics>): Promise<string[]> {
  return (await metrics.render()).split('\n').filter((line) => line.startsWith('test_'));
}

test('counters add up by label set over renderings, also when a definition is a copy from another thread', async () => {
  const metrics = createPrometheusMetrics([requests]);
  metrics.add(requests, 1, { door: 'http', code: 'ok' });
  metrics.add({ ...requests }, 2, { code: 'ok', door: 'http' });
  metrics.add(requests, 5, { door: 'grpc', code: 'ok' });
  const expected = ['test_requests_total{door="http",code="ok"} 3', 'test_requests_total{door="grpc",code="ok"} 5'];
  assert.deepEqual(await samples(metrics), expected);
  assert.deepEqual(await samples(metrics), expected, 'rendering takes nothing away');
  metrics.add(requests, 0.5, { door: 'http', code: 'ok' });
  assert.equal((await samples(metrics))[0], 'test_requests_total{door="http",code="ok"} 3.5');
});

test('histograms, gauges and what is collected at rendering have their values', async () => {
  const metrics = createPrometheusMetrics([seconds, bytes]);
  metrics.observe(seconds, 1.5, { door: 'http' });
  metrics.observe(seconds, 0.5, { door: 'http' });
  metrics.collect(() => metrics.set(bytes, 7));
  assert.deepEqual(await samples(metrics), [
    'test_seconds_bucket{le="1",door="http"} 1',
    'test_seconds_bucket{le="2",door="http"} 2',
    'test_seconds_bucket{le="+Inf",door="http"} 2',
    'test_seconds_sum{door="http"} 2',
    'test_seconds_count{door="http"} 2',
    'test_bytes 7',
  ]);
});
