import assert from 'node:assert/strict';
import test from 'node:test';
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, AggregationType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { parseMetricLine } from '../../model/metric-line.ts';
import type { MetricLine } from '../../model/metric-line.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { metricsFromJson } from './metrics-json.ts';
import { metricsFromProtobuf } from './metrics-protobuf.ts';

/** Collects when it is asked to. */
class TestReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** What the OpenTelemetry JavaScript SDK exports, recorded once for each temporality. */
async function collect(temporality: AggregationTemporality): Promise<ResourceMetrics> {
  const reader = new TestReader({ aggregationTemporalitySelector: () => temporality });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.name': 'shop',
      'service.instance.id': 'a-1',
      'telemetry.sdk.language': 'nodejs',
    }),
    readers: [reader],
    views: [{ instrumentName: 'sizes', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const meter = provider.getMeter('checkout', '1.0.0');
  const requests = meter.createCounter('requests', { unit: '{request}' });
  requests.add(2, { route: '/cart', 'http.response.status_code': 200 });
  requests.add(3, { route: '/pay', ok: true });
  requests.add(1, { route: '/cart', 'http.response.status_code': 200 });
  meter.createUpDownCounter('in.flight').add(-4);
  meter.createObservableGauge('queue.depth').addCallback((result) => result.observe(7.5, { queue: 'mail' }));
  const latency = meter.createHistogram('latency', { unit: 'ms', advice: { explicitBucketBoundaries: [10, 100] } });
  for (const value of [5, 10, 50, 500]) latency.record(value);
  const sizes = meter.createHistogram('sizes', { unit: 'By' });
  for (const value of [0, 1, 3, 1000]) sizes.record(value);
  const { resourceMetrics, errors } = await reader.collect();
  assert.deepEqual(errors, []);
  await provider.shutdown();
  return resourceMetrics;
}

function parse(message: Uint8Array): Map<string, MetricLine> {
  const { bytes, rejections, lines } = metricsFromProtobuf(message, NO_LIMITS);
  assert.deepEqual(rejections, []);
  const texts = Buffer.from(bytes).toString().trimEnd().split('\n');
  assert.equal(texts.length, lines);
  return new Map(
    texts.map((text) => {
      const line = parseMetricLine(Buffer.from(text));
      assert.ok(line, text);
      const { 'otel.scope.name': scope, 'service.instance.id': instance, ...labels } = line.key.labels;
      assert.deepEqual([scope, instance, line.key.service], ['checkout', 'a-1', 'shop']);
      return [`${line.key.name} ${JSON.stringify(labels)}`, line];
    }),
  );
}

const bodyOf = (bytes: Uint8Array | undefined): Uint8Array => bytes ?? assert.fail('the serializer gave nothing');

for (const [name, temporality, kind] of [
  ['cumulative', AggregationTemporality.CUMULATIVE, 'cumulative'],
  ['delta', AggregationTemporality.DELTA, 'delta'],
] as const) {
  test(`what the JavaScript SDK exports with ${name} temporality is stored as it was recorded, in both encodings`, async () => {
    // The serializers bring enums of their own, of the same values.
    const collected = (await collect(temporality)) as never;
    const lines = parse(bodyOf(ProtobufMetricsSerializer.serializeRequest(collected)));
    assert.deepEqual(parse(metricsFromJson(bodyOf(JsonMetricsSerializer.serializeRequest(collected)))), lines);
    const read = (key: string): [string, string, number] => {
      const line = lines.get(key) ?? assert.fail(`no series ${key} among ${[...lines.keys()].join(', ')}`);
      return [line.key.kind, line.key.unit, line.points[0]?.[1] as number];
    };
    assert.deepEqual(read('requests {"http.response.status_code":"200","route":"/cart"}'), [kind, '{request}', 3]);
    assert.deepEqual(read('requests {"ok":"true","route":"/pay"}'), [kind, '{request}', 3]);
    assert.deepEqual(read('queue.depth {"queue":"mail"}'), ['gauge', '', 7.5]);
    assert.deepEqual(read('in.flight {}'), [name === 'delta' ? 'delta' : 'gauge', '', -4]);
    assert.deepEqual(read('latency_count {}'), [kind, 'ms', 4]);
    assert.deepEqual(read('latency_sum {}'), [kind, 'ms', 565]);
    assert.deepEqual(read('latency_bucket {"le":"10"}'), [kind, 'ms', 2]);
    assert.deepEqual(read('latency_bucket {"le":"100"}'), [kind, 'ms', 3]);
    assert.deepEqual(read('latency_bucket {"le":"+Inf"}'), [kind, 'ms', 4]);
    assert.deepEqual(read('latency_min {}'), ['gauge', 'ms', 5]);
    assert.deepEqual(read('latency_max {}'), ['gauge', 'ms', 500]);
    assert.deepEqual(read('sizes_count {}'), [kind, 'By', 4]);
    assert.deepEqual(read('sizes_bucket {"le":"0"}'), [kind, 'By', 1]);
    assert.deepEqual(read('sizes_bucket {"le":"1"}'), [kind, 'By', 2]);
    assert.deepEqual(read('sizes_bucket {"le":"4"}'), [kind, 'By', 3]);
    assert.deepEqual(read('sizes_bucket {"le":"1024"}'), [kind, 'By', 4]);
    const [timeMs, , startMs] = lines.get('latency_count {}')?.points[0] ?? [];
    assert.ok((timeMs as number) >= (startMs as number) && (startMs as number) > 1.6e12);
  });
}
