import type { Prng } from '../../lib/prng.ts';
import type { AnyValueJson, AttributeJson, MetricJson, MetricsRequestJson } from './metrics.fixture.ts';

const NAMES = [
  'b',
  'a',
  'le',
  'quantile',
  'http.route',
  'host.name',
  'k8s.pod.name',
  'Größe',
  'q"uote',
  '\u{1f600}',
  '\uffee',
  '10',
  '9',
];
const TEXTS = ['', 'x', 'GET', '/api/{id}', 'ÄÖ', 'line\nbreak', '"\\', '\u0000', 'x'.repeat(300)];
const RESOURCE_NAMES = [
  'service.name',
  'service.namespace',
  'deployment.environment',
  'deployment.environment.name',
  'host.name',
  'process.command_args',
  'telemetry.sdk.name',
  'service.instance.id',
];
const T0 = 1_731_000_000_000_000_000n;

function pick<T>(prng: Prng, list: readonly T[]): T {
  return list[prng.below(list.length)] as T;
}

function some<T>(prng: Prng, max: number, make: () => T): T[] {
  return Array.from({ length: prng.below(max + 1) }, make);
}

function anyValue(prng: Prng, depth = 3): AnyValueJson {
  switch (prng.below(depth > 0 ? 9 : 6)) {
    case 0:
      return { boolValue: prng.below(2) === 1 };
    case 1:
      return { intValue: pick(prng, ['0', '-7', '200', '9223372036854775807', '-9223372036854775808']) };
    case 2:
      return { doubleValue: pick(prng, [0.5, -1e300, 1e21, 3, 'NaN', '-Infinity']) };
    case 3:
      return { bytesValue: Buffer.from(pick(prng, TEXTS)).toString('base64') };
    case 6:
      return { arrayValue: { values: some(prng, 3, () => anyValue(prng, depth - 1)) } };
    case 7:
      return { kvlistValue: { values: some(prng, 2, () => ({ key: pick(prng, NAMES), value: anyValue(prng, depth - 1) })) } };
    case 8:
      return {};
    default:
      return { stringValue: pick(prng, TEXTS) };
  }
}

function attributes(prng: Prng, names = NAMES): AttributeJson[] {
  const list = some(prng, 4, (): AttributeJson => ({ key: pick(prng, names), value: anyValue(prng) }));
  if (prng.below(60) === 0) list.push({ key: prng.below(2) === 0 ? '' : 'n'.repeat(256), value: { stringValue: 'v' } });
  if (prng.below(60) === 0) list.push({ key: 'long', value: { stringValue: 'v'.repeat(4097) } });
  if (prng.below(60) === 0) list.push(...Array.from({ length: 65 }, (_, k) => ({ key: `n${k}`, value: { stringValue: 'v' } })));
  return list;
}

function number(prng: Prng): number {
  return pick(prng, [0, 1, -2.5, 12345.678, 1e21, 0.1 + 0.2, prng.normal() * 100]);
}

function header(prng: Prng): object {
  const time = T0 + BigInt(prng.below(4)) * 1_000_000_000n + BigInt(prng.below(3)) * 123_456_789n;
  return {
    ...(prng.below(4) > 0 && { attributes: attributes(prng) }),
    ...(prng.below(3) > 0 && { startTimeUnixNano: String(T0 - 5_000_000_000n) }),
    ...(prng.below(30) > 0 && { timeUnixNano: String(prng.below(30) === 0 ? 4_102_444_800_000_000_000n : time) }),
    ...(prng.below(20) === 0 && { flags: 1 }),
  };
}

function numberPoint(prng: Prng): object {
  const kind = prng.below(12);
  const value =
    kind === 0 ? {} : kind < 5 ? { asInt: String(prng.below(1000) - 10) } : { asDouble: kind === 5 ? 'NaN' : number(prng) };
  return { ...header(prng), ...value };
}

const totals = (prng: Prng): object => ({
  count: String(prng.below(1000)),
  ...(prng.below(4) > 0 && { sum: number(prng) }),
  ...(prng.below(2) === 0 && { min: number(prng), max: number(prng) }),
});

function histogramPoint(prng: Prng): object {
  const bounds = some(prng, 6, () => prng.below(100) / 4).toSorted((a, b) => a - b);
  const unique = prng.below(20) === 0 ? bounds : [...new Set(bounds)];
  const wrong = prng.below(20) === 0 ? 1 : 0;
  const counts =
    unique.length === 0 && prng.below(2) === 0
      ? []
      : Array.from({ length: unique.length + 1 - wrong }, () => String(prng.below(9)));
  return {
    ...header(prng),
    ...totals(prng),
    bucketCounts: counts,
    explicitBounds: counts.length === 0 && wrong === 0 ? [] : unique,
  };
}

function exponentialPoint(prng: Prng): object {
  const buckets = (): object => ({
    offset: prng.below(400) - 200,
    bucketCounts: some(prng, prng.below(5) === 0 ? 200 : 12, () => String(prng.below(4))),
  });
  return {
    ...header(prng),
    ...totals(prng),
    scale: prng.below(40) === 0 ? 33 : prng.below(12) - 4,
    zeroCount: String(prng.below(3)),
    ...(prng.below(8) > 0 && { positive: buckets() }),
    ...(prng.below(3) === 0 && { negative: buckets() }),
    ...(prng.below(4) === 0 && { zeroThreshold: 0.01 }),
  };
}

function summaryPoint(prng: Prng): object {
  const { min: _min, max: _max, ...rest } = totals(prng) as { min?: number; max?: number };
  return {
    ...header(prng),
    ...rest,
    quantileValues: some(prng, 3, () => ({ quantile: pick(prng, [0, 0.5, 0.99, 1]), value: number(prng) })),
  };
}

/** Points in which some repeat the attributes of the one before. */
function points(prng: Prng, make: (prng: Prng) => object): object[] {
  const list = some(prng, 5, () => make(prng) as { attributes?: AttributeJson[] });
  for (const [k, point] of list.entries()) {
    const before = list[k - 1]?.attributes;
    if (before && prng.below(2) === 0) point.attributes = before;
  }
  return list;
}

function metric(prng: Prng): MetricJson {
  const temporality = { aggregationTemporality: prng.below(20) === 0 ? 0 : 1 + prng.below(2) };
  const data = [
    () => ({ gauge: { dataPoints: points(prng, numberPoint) } }),
    () => ({ sum: { ...temporality, isMonotonic: prng.below(2) === 0, dataPoints: points(prng, numberPoint) } }),
    () => ({ histogram: { dataPoints: points(prng, histogramPoint), ...temporality } }),
    () => ({ exponentialHistogram: { dataPoints: points(prng, exponentialPoint), ...temporality } }),
    () => ({ summary: { dataPoints: points(prng, summaryPoint) } }),
    () => ({}),
  ];
  const name = pick(prng, ['http.server.duration', 'näme', 'n'.repeat(250), '', 'queue"depth', 'm', 'm2']);
  return { name, ...(prng.below(2) === 0 && { unit: pick(prng, ['ms', 'By', '{request}']) }), ...pick(prng, data)() };
}

/** A random request, good and bad points mixed. */
export function randomMetrics(prng: Prng): MetricsRequestJson {
  const scope = (): object => ({
    ...(prng.below(2) === 0 && {
      scope: { name: pick(prng, ['', 'http', 'db']), version: '1', attributes: attributes(prng, ['a', 'name']) },
    }),
    metrics: some(prng, 3, () => metric(prng)),
  });
  const resource = (): object => ({
    ...(prng.below(5) > 0 && { resource: { attributes: attributes(prng, RESOURCE_NAMES) } }),
    scopeMetrics: some(prng, 2, scope),
  });
  return { resourceMetrics: some(prng, 2, resource) };
}
