import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import { parseMetricLine } from '../../model/metric-line.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { ScanLimits } from '../../model/scanner.ts';
import { decodeRemoteWrite } from './decode.ts';
import type { RemoteWriteLines, RemoteWriteVersion } from './decode.ts';
import { MetricFamilies } from './families.ts';
import { remoteWrite1, remoteWrite2, STALE_VALUE } from './remote-write.fixture.ts';
import type { NativeJson, SeriesJson } from './remote-write.fixture.ts';

const T0 = 1_731_000_000_000;
const SEED = Number(process.env['HELIOS_TEST_SEED'] ?? 23);
const MUTATIONS = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 2000);
const COUNTER = 1;
const GAUGE = 2;
const HISTOGRAM = 3;

const series = (name: string, more: Partial<SeriesJson> = {}, labels: Record<string, string> = { job: 'shop' }): SeriesJson => ({
  labels: [['__name__', name], ...Object.entries(labels)],
  samples: [[T0, 1]],
  ...more,
});

const textsOf = ({ bytes }: RemoteWriteLines): string[] => Buffer.from(bytes).toString().split('\n').slice(0, -1);

function linesOf(list: SeriesJson[], version: RemoteWriteVersion = 1): string[] {
  return textsOf(decodeRemoteWrite(version === 1 ? remoteWrite1(list) : remoteWrite2(list), version, NO_LIMITS));
}

/** `kind` of a line by its name. */
function kindsOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => [/"name":"([^"]*)"/.exec(line)?.[1] ?? '', /"kind":"(\w*)"/.exec(line)?.[1] ?? '']),
  );
}

test('a series by hand, byte for byte, all its samples in one line', () => {
  const one = series('up', { samples: [[T0, 1], [T0 + 15_000, 0.5]] }, { empty: '', instance: 'h:1', job: 'eu/shop', a: '\u00fc', environment: 'prod' }); // prettier-ignore
  const expected =
    '{"name":"up","kind":"gauge","unit":"","service":"shop","environment":"prod","namespace":"eu",' +
    '"labels":{"a":"\u00fc","instance":"h:1"},"points":[[1731000000000,1],[1731000015000,0.5]]}';
  assert.deepEqual(linesOf([one]), [expected]);
  assert.deepEqual(linesOf([one], 2), [expected]);
});

test('the service comes from service.name, service_name, job or service, in this order; the others stay labels', () => {
  const entity = (labels: Record<string, string>): string[] => {
    const parsed = parseMetricLine(Buffer.from(linesOf([series('m', {}, labels)])[0] as string));
    return [parsed?.key.service ?? '', parsed?.key.namespace ?? '', Object.keys(parsed?.key.labels ?? {}).join()];
  };
  assert.deepEqual(entity({ job: 'a', 'service.name': 'b', service_name: 'c', service: 'd' }), [
    'b',
    '',
    'job,service,service_name',
  ]);
  assert.deepEqual(entity({ job: 'a', service_name: 'c', service_namespace: 'n' }), ['c', 'n', 'job']);
  assert.deepEqual(entity({ job: 'x/a', service: 'd', namespace: 'kube' }), ['a', 'x', 'namespace,service']);
  assert.deepEqual(entity({ job: '/a' }), ['/a', '', '']);
  assert.deepEqual(entity({ service: 'd/e' }), ['d/e', '', '']);
  assert.deepEqual(entity({ instance: 'h' }), ['unknown_service', '', 'instance']);
});

test('without a type, the name tells totals from readings', () => {
  const names = ['requests_total', 'latency_count', 'latency_sum', 'latency_bucket', 'heap_bytes', 'latency'];
  assert.deepEqual(
    Object.values(kindsOf(linesOf(names.map((name) => series(name))))).join(),
    'cumulative,cumulative,cumulative,cumulative,gauge,gauge',
  );
});

test('version 1 tells types in requests of their own, which are remembered; version 2 with each series', () => {
  const families = new MetricFamilies();
  const named = ['cpu_seconds', 'queue_sum', 'latency_bucket', 'latency_count', 'done_total'].map((name) => series(name));
  const types = [
    { name: 'cpu_seconds', type: COUNTER },
    { name: 'queue_sum', type: GAUGE },
    { name: 'latency', type: HISTOGRAM },
    { name: 'done', type: COUNTER },
  ];
  assert.equal(decodeRemoteWrite(remoteWrite1([], types), 1, NO_LIMITS, families).points, 0);
  const expected = {
    cpu_seconds: 'cumulative',
    queue_sum: 'gauge',
    latency_bucket: 'cumulative',
    latency_count: 'cumulative',
    done_total: 'cumulative',
  };
  assert.deepEqual(kindsOf(textsOf(decodeRemoteWrite(remoteWrite1(named), 1, NO_LIMITS, families))), expected);
  const typed = named.map((one, k) => ({
    ...one,
    type: [COUNTER, GAUGE, HISTOGRAM, HISTOGRAM, COUNTER][k] as number,
    unit: 's',
  }));
  const lines = linesOf(typed, 2);
  assert.deepEqual(kindsOf(lines), expected);
  assert.ok(lines.every((line) => line.includes('"unit":"s"')));
});

test('types are remembered of a bounded number of families', () => {
  const families = new MetricFamilies();
  for (let k = 0; k < 25_000; k++) families.set(`family_${k}`, COUNTER);
  assert.equal(families.size, 20_000);
  assert.equal(families.typeOf('family_0'), 0);
  assert.equal(families.typeOf('family_24999'), COUNTER);
});

test('a start of a total becomes the third element, from the sample or else the series', () => {
  const [own, shared, reading] = linesOf(
    [
      series('a_total', { samples: [[T0, 5, T0 - 60_000]], createdMs: 7 }),
      series('b_total', { createdMs: T0 - 1000 }),
      series('c', { createdMs: T0 - 1000, type: GAUGE }),
    ],
    2,
  );
  assert.match(own ?? '', /\[\[1731000000000,5,1730999940000\]\]/);
  assert.match(shared ?? '', /\[\[1731000000000,1,1730999999000\]\]/);
  assert.match(reading ?? '', /\[\[1731000000000,1\]\]/);
});

test('a staleness marker is taken and nothing is stored for it; any other NaN is a value', () => {
  const body = remoteWrite1([series('up', { samples: [[T0, STALE_VALUE]] }), series('x', { samples: [[T0, NaN], [T0 + 1, Infinity]] })]); // prettier-ignore
  const result = decodeRemoteWrite(body, 1, NO_LIMITS);
  assert.deepEqual([result.lines, result.points, result.samples, result.rejectedCount], [1, 2, 3, 0]);
  assert.match(textsOf(result)[0] ?? '', /\[\[1731000000000,"NaN"\],\[1731000000001,"Infinity"\]\]/);
});

test('samples that cannot be stored are named by index and reason, and the others are stored and counted', () => {
  const limits: ScanLimits = { latestMs: T0, earliestMs: T0 - 1000, services: { allows: (service) => service !== 'bank' } };
  const body = remoteWrite2([
    series('a', { samples: [[T0 - 5000, 1], [T0, 2], [T0 + 5000, 3]], exemplars: 2 }), // prettier-ignore
    series('b', {}, { job: 'bank' }),
    { labels: [['job', 'shop']], samples: [[T0, 1]] },
    series('c', {}, { job: 'shop', long: 'x'.repeat(5000) }),
    series('d', {}, { job: 'j'.repeat(129) }),
  ]);
  const { points, samples, exemplars, rejectedCount, rejections } = decodeRemoteWrite(body, 2, limits);
  assert.deepEqual([points, samples, exemplars, rejectedCount], [1, 1, 0, 6]);
  assert.deepEqual(
    rejections.map(({ index, field, reason }) => `${index} ${field} ${reason}`),
    [
      '0 timestamp is older than the retention',
      '2 timestamp is too far in the future',
      '3 service is not allowed for this API key',
      '4 name is required',
      '5 labels hold a value longer than 4096 bytes',
      '6 service is longer than 128 bytes',
    ],
  );
});

const NATIVE: NativeJson = { timestampMs: T0, count: 9, sum: 20.5, schema: 0, zeroCount: 1, zeroThreshold: 0.001, positiveSpans: [[1, 2], [1, 1]], positive: [3, 4, 1] }; // prettier-ignore

test('native histograms become classic ones, integer and float alike: a bucket is named by its upper boundary', () => {
  for (const isFloat of [false, true]) {
    for (const version of [1, 2] as const) {
      const lines = linesOf([series('latency', { samples: [], histograms: [{ ...NATIVE, isFloat }] })], version);
      const valueOf = (part: string): string | undefined =>
        /\[\[\d+,([^\]]*)\]\]/.exec(lines.find((line) => line.includes(part)) ?? '')?.[1];
      assert.equal(valueOf('"latency_count","kind":"cumulative"'), '9');
      assert.equal(valueOf('"latency_sum","kind":"cumulative"'), '20.5');
      assert.equal(valueOf('"le":"0.001"'), '1');
      assert.equal(valueOf('"le":"2"'), '4');
      assert.equal(valueOf('"le":"4"'), '8');
      assert.equal(valueOf('"le":"8"'), '8');
      assert.equal(valueOf('"le":"16"'), '9');
      assert.equal(valueOf('"le":"+Inf"'), '9');
    }
  }
});

test('custom buckets are explicit ones, a gauge histogram is made of gauges, a stale one of nothing', () => {
  const custom: NativeJson = { timestampMs: T0, count: 6, sum: 1, schema: -53, positiveSpans: [[0, 1], [1, 1]], positive: [4, 2], customValues: [0.5, 1] }; // prettier-ignore
  const lines = linesOf([series('h', { samples: [], histograms: [custom] })]);
  assert.deepEqual(
    lines
      .filter((line) => line.includes('le'))
      .map((line) => /"le":"([^"]*)"/.exec(line)?.[1] + (/,(\d+)\]\]/.exec(line)?.[1] ?? '')),
    ['0.54', '14', '+Inf6'],
  );
  const gauges = linesOf([series('h', { samples: [], histograms: [{ ...NATIVE, resetHint: 3, startMs: 5 }] })]);
  assert.ok(gauges.length > 3 && gauges.every((line) => line.includes('"kind":"gauge"') && !line.includes(',5]')));
  const stale = decodeRemoteWrite(
    remoteWrite1([series('h', { samples: [], histograms: [{ ...NATIVE, sum: STALE_VALUE }] })]),
    1,
    NO_LIMITS,
  );
  assert.deepEqual([stale.points, stale.histograms, stale.rejectedCount], [0, 1, 0]);
});

test('a native histogram that contradicts itself is rejected with the field', () => {
  const wrong: [field: string, change: Partial<NativeJson>][] = [
    ['schema', { schema: 9 }],
    ['positive_spans', { positiveSpans: [[0, 4_000_000_000]] }],
    ['positive_spans', { positive: [1, 2] }],
    ['positive_spans', { positiveSpans: [[1, 2], [-3, 1]] }], // prettier-ignore
    ['positive_spans', { positive: [3, -1, 1] }],
    ['negative_spans', { negative: [1] }],
    ['positive_spans', { schema: -53, customValues: [1] }],
    ['explicit_bounds', { schema: -53, customValues: [1, 1, 1, 1, 1] }],
  ];
  for (const [field, change] of wrong) {
    const body = remoteWrite1([series('h', { samples: [], histograms: [{ ...NATIVE, ...change }] })]);
    const { points, rejections } = decodeRemoteWrite(body, 1, NO_LIMITS);
    assert.deepEqual([points, rejections[0]?.field], [0, field], JSON.stringify(change));
  }
});

test('a reference to no symbol and half a label make the body one that cannot be read', () => {
  const invalid = (reason: RegExp) => (error: unknown) =>
    error instanceof HeliosError && error.code === 'invalid_body' && reason.test(error.message);
  assert.throws(() => decodeRemoteWrite(Uint8Array.of(42, 4, 10, 2, 0, 1), 2, NO_LIMITS), invalid(/no symbol 0/));
  assert.throws(() => decodeRemoteWrite(Uint8Array.of(42, 3, 10, 1, 0, 34, 0), 2, NO_LIMITS), invalid(/a label has no value/));
  assert.throws(() => decodeRemoteWrite(Uint8Array.of(10, 9), 1, NO_LIMITS), invalid(/prometheus.WriteRequest/));
});

function randomSeries(prng: Prng): SeriesJson {
  const pick = <T>(list: readonly T[]): T => list[prng.below(list.length)] as T;
  const labels = Array.from({ length: prng.below(5) }, (): [string, string] => [
    pick(['job', 'instance', 'le', 'a', '\u00fc', 'service', 'environment', 'service.name']),
    pick(['', 'x', 'n/y', '"', '\n', 'z'.repeat(140)]),
  ]);
  const samples = Array.from({ length: prng.below(4) }, (_, k): [number, number, number] => [
    T0 + k,
    pick([0, 1.5, NaN, STALE_VALUE]),
    T0,
  ]);
  const histograms = Array.from({ length: prng.below(2) }, () => ({
    ...NATIVE,
    schema: prng.below(12) - 4,
    isFloat: prng.below(2) === 0,
  }));
  return { labels: [['__name__', pick(['up', 'x_total', '', 'h'])], ...labels], samples, histograms, type: prng.below(8) };
}

test(`${MUTATIONS} random and mutated requests give lines that can be read, every point accounted for, or invalid_body`, () => {
  const prng = createPrng(SEED);
  let failed = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const version = prng.below(2) === 0 ? 1 : 2;
    const list = Array.from({ length: prng.below(4) }, () => randomSeries(prng));
    let body: Uint8Array = Uint8Array.from(version === 1 ? remoteWrite1(list) : remoteWrite2(list));
    const isMutated = prng.below(2) === 0 && body.length > 0;
    if (isMutated) for (let k = prng.below(4); k >= 0; k--) body[prng.below(body.length)] = prng.below(256);
    if (isMutated && prng.below(3) === 0) body = body.subarray(0, prng.below(body.length));
    const where = `seed ${SEED}, request ${i}: ${Buffer.from(body).toString('hex')}`;
    try {
      const result = decodeRemoteWrite(body, version, NO_LIMITS);
      let points = 0;
      for (const text of textsOf(result)) points += parseMetricLine(Buffer.from(text))?.points.length ?? assert.fail(text);
      assert.equal(points, result.points, where);
      const sent = list.reduce((sum, one) => sum + (one.samples?.length ?? 0) + (one.histograms?.length ?? 0), 0);
      if (!isMutated) assert.equal(result.samples + result.histograms + result.rejectedCount, sent, where);
    } catch (error) {
      failed++;
      if (!(isMutated && error instanceof HeliosError && error.code === 'invalid_body')) throw new Error(where, { cause: error });
    }
  }
  assert.ok(failed > MUTATIONS / 10);
});
