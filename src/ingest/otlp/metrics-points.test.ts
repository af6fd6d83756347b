import assert from 'node:assert/strict';
import test from 'node:test';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { HeliosError } from '../../lib/errors.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { ScanLimits } from '../../model/scanner.ts';
import { metricsFromJson } from './metrics-json.ts';
import { metricsFromProtobuf } from './metrics-protobuf.ts';
import { attributesOf, metricsProtobuf, requestOf } from './metrics.fixture.ts';
import type { MetricJson, MetricsRequestJson, NumberPointJson } from './metrics.fixture.ts';

const T0 = '1731000000000000000';
const T1 = '1731000001250000000';

function linesOf(request: MetricsRequestJson, limits: ScanLimits = NO_LIMITS): string[] {
  return Buffer.from(metricsFromProtobuf(metricsProtobuf(request), limits).bytes)
    .toString()
    .split('\n')
    .slice(0, -1);
}

const sum = (dataPoints: NumberPointJson[], aggregationTemporality: number, isMonotonic: boolean): MetricJson => ({
  name: 'n',
  sum: { dataPoints, aggregationTemporality, isMonotonic },
});

test('a gauge by hand, byte for byte', () => {
  const point = { timeUnixNano: T1, asInt: '13', attributes: attributesOf({ queue: 'mail', zone: 2 }), startTimeUnixNano: T0 };
  const resource = {
    'service.name': 'shop',
    'service.namespace': 'eu',
    'deployment.environment.name': 'prod',
    'host.name': 'h1',
  };
  assert.deepEqual(linesOf(requestOf([{ name: 'queue.depth', unit: '1', gauge: { dataPoints: [point] } }], resource)), [
    '{"name":"queue.depth","kind":"gauge","unit":"1","service":"shop","environment":"prod","namespace":"eu",' +
      '"labels":{"host.name":"h1","queue":"mail","zone":"2"},"points":[[1731000001250,13]]}',
  ]);
});

test('sums keep their temporality and start; a reset shows as a later start; one that may fall is a gauge', () => {
  const points = [
    { timeUnixNano: T0, startTimeUnixNano: '1730999999000000000', asInt: '10' },
    { timeUnixNano: T1, startTimeUnixNano: T0, asInt: '3' },
  ];
  const kindAndPoints = (metric: MetricJson): string[] =>
    linesOf(requestOf([metric])).map((line) => `${/"kind":"(\w+)"/.exec(line)?.[1]} ${line.slice(line.indexOf('[['))}`);
  assert.deepEqual(kindAndPoints(sum(points, 2, true)), [
    'cumulative [[1731000000000,10,1730999999000],[1731000001250,3,1731000000000]]}',
  ]);
  assert.deepEqual(kindAndPoints(sum(points, 1, true)), [
    'delta [[1731000000000,10,1730999999000],[1731000001250,3,1731000000000]]}',
  ]);
  assert.deepEqual(kindAndPoints(sum(points, 1, false)), kindAndPoints(sum(points, 1, true)));
  assert.deepEqual(kindAndPoints(sum(points, 2, false)), ['gauge [[1731000000000,10],[1731000001250,3]]}']);
});

test('each point that cannot be stored is named by index, field and reason, and the others are stored', () => {
  const limits: ScanLimits = { latestMs: 1_731_000_001_000, earliestMs: 1_730_000_000_000 };
  const gauge = (dataPoints: NumberPointJson[], name = 'n'): MetricJson => ({ name, gauge: { dataPoints } });
  const request = requestOf([
    gauge([
      { timeUnixNano: T0, asInt: '1' },
      { timeUnixNano: T1, asInt: '1' },
      { timeUnixNano: '1000000', asInt: '1' },
      { asInt: '1' },
    ]),
    gauge([
      { timeUnixNano: T0 },
      { timeUnixNano: T0, flags: 1 },
      { timeUnixNano: T0, asInt: '2', attributes: attributesOf({ '': 'x' }) },
    ]),
    gauge([{ timeUnixNano: T0, asInt: '1' }], ''),
    sum([{ timeUnixNano: T0, asInt: '1' }], 0, true),
    {
      name: 'h',
      histogram: { aggregationTemporality: 2, dataPoints: [{ timeUnixNano: T0, bucketCounts: ['1'], explicitBounds: [1] }] },
    },
    {
      name: 'h',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [{ timeUnixNano: T0, bucketCounts: ['1', '1', '1'], explicitBounds: [2, 2] }],
      },
    },
    gauge([{ timeUnixNano: T0, asInt: '5' }]),
  ]);
  const { points, rejections, rejectedCount } = metricsFromProtobuf(metricsProtobuf(request), limits);
  assert.equal(points, 2);
  assert.equal(rejectedCount, 9);
  assert.deepEqual(
    rejections.map(({ index, field, reason }) => `${index} ${field} ${reason}`),
    [
      '1 time_unix_nano is too far in the future',
      '2 time_unix_nano is older than the retention',
      '3 time_unix_nano is required',
      '4 value is required',
      '6 labels hold one without a name',
      '7 name is required',
      '8 aggregation_temporality must be delta or cumulative',
      '9 bucket_counts must be one more than explicit_bounds',
      '10 explicit_bounds must be numbers in ascending order',
    ],
  );
});

test('lists of numbers may come packed or one by one', () => {
  const point = { timeUnixNano: T0, count: '3', bucketCounts: ['1', '2'], explicitBounds: [0.5] };
  const packed = requestOf([{ name: 'h', histogram: { dataPoints: [point], aggregationTemporality: 2 } }], {});
  const single = new BinaryWriter().tag(3, WireType.Bit64).fixed64(T0).tag(4, WireType.Bit64).fixed64(3);
  single.tag(6, WireType.Bit64).fixed64(1).tag(6, WireType.Bit64).fixed64(2).tag(7, WireType.Bit64).double(0.5);
  const inside = (field: number, bytes: Uint8Array): BinaryWriter =>
    new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(bytes);
  const histogram = inside(1, single.finish()).tag(2, WireType.Varint).uint32(2).finish();
  const metric = inside(9, histogram).tag(1, WireType.LengthDelimited).string('h').finish();
  const request = inside(1, inside(2, inside(2, metric).finish()).finish()).finish();
  const lines = metricsFromProtobuf(request, NO_LIMITS);
  assert.deepEqual(Buffer.from(lines.bytes).toString().trimEnd().split('\n'), linesOf(packed));
  assert.equal(lines.points, 3);
});

test('points of a service that the key may not post for are rejected, the others stored', () => {
  const metrics = [{ name: 'n', gauge: { dataPoints: [{ timeUnixNano: T0, asInt: '1' }] } }];
  const limits: ScanLimits = { ...NO_LIMITS, services: { allows: (service) => service === 'shop' } };
  const both = {
    resourceMetrics: [
      ...(requestOf(metrics).resourceMetrics ?? []),
      ...(requestOf(metrics, { 'service.name': 'bank' }).resourceMetrics ?? []),
    ],
  };
  const { points, rejections } = metricsFromProtobuf(metricsProtobuf(both), limits);
  assert.equal(points, 1);
  assert.deepEqual(rejections, [{ index: 1, field: 'service', reason: 'is not allowed for this API key' }]);
});

test('the resource and scope of a request may stand behind what they describe', () => {
  const metrics = [{ gauge: { dataPoints: [{ asInt: '1', timeUnixNano: T0 }] }, name: 'n' }];
  const request: MetricsRequestJson = {
    resourceMetrics: [
      {
        scopeMetrics: [{ metrics, scope: { name: 'http' } }],
        resource: { attributes: attributesOf({ 'service.name': 'shop' }) },
      },
    ],
  };
  const [line] = linesOf(request);
  assert.match(line ?? '', /"service":"shop".*"labels":\{"otel.scope.name":"http"\}/);
});

test('a label nested too deeply says so, and one longer than 4 KiB rejects its point', () => {
  let value: object = { stringValue: 'x' };
  for (let depth = 0; depth < 60; depth++) value = { arrayValue: { values: [value] } };
  const request = requestOf([
    { name: 'n', gauge: { dataPoints: [{ timeUnixNano: T0, asInt: '1', attributes: [{ key: 'a', value }] }] } },
  ]);
  assert.match(linesOf(request)[0] ?? '', /nested too deeply/);
  const wide = { arrayValue: { values: Array.from({ length: 5000 }, () => ({ intValue: '1' })) } };
  const long = requestOf([
    { name: 'n', gauge: { dataPoints: [{ timeUnixNano: T0, asInt: '1', attributes: [{ key: 'a', value: wide }] }] } },
  ]);
  assert.deepEqual(metricsFromProtobuf(metricsProtobuf(long), NO_LIMITS).rejections, [
    { index: 0, field: 'labels', reason: 'hold a value longer than 4096 bytes' },
  ]);
});

test('lines of one request stop growing at their bound, and what is beyond is rejected', () => {
  const labels = attributesOf(Object.fromEntries(Array.from({ length: 4 }, (_, k) => [`k${k}`, 'v'.repeat(3900)])));
  const dataPoints = Array.from({ length: 5000 }, (_, k) => ({
    timeUnixNano: T0,
    asInt: String(k),
    attributes: attributesOf({ k }),
  }));
  const request: MetricsRequestJson = {
    resourceMetrics: [{ resource: { attributes: labels }, scopeMetrics: [{ metrics: [{ name: 'n', gauge: { dataPoints } }] }] }],
  };
  const lines = metricsFromProtobuf(metricsProtobuf(request), NO_LIMITS);
  assert.equal(lines.points + lines.rejectedCount, 5000);
  assert.ok(lines.rejectedCount > 500 && lines.bytes.length < 65 * 1024 * 1024);
  assert.match(lines.rejections[0]?.reason ?? '', /^does not fit/);
});

test('a body that is not the message is named by message and place, in both encodings', () => {
  const invalid = (pattern: RegExp) => (error: unknown) =>
    error instanceof HeliosError && error.code === 'invalid_body' && pattern.test(error.message);
  assert.throws(() => metricsFromProtobuf(Uint8Array.of(10, 5, 1), NO_LIMITS), invalid(/ExportMetricsServiceRequest: at byte/));
  assert.throws(() => metricsFromJson(Buffer.from('{')), invalid(/not valid JSON/));
  const wrong = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 5 }] }] }] };
  assert.throws(() => metricsFromJson(Buffer.from(JSON.stringify(wrong))), invalid(/metrics\[0\]\.name must be a string/));
});
