import assert from 'node:assert/strict';
import test from 'node:test';
import { EVENT, variant } from './event.fixture.ts';
import { createNames, toNdjson } from './event-batch.ts';
import type { EventBatch } from './event-batch.ts';
import { createJsonScanner } from './json-scanner.ts';
import { NO_LIMITS } from './scanner.ts';
import type { ScanLimits, ScanResult } from './scanner.ts';
import { assertSameScans } from './scanner.oracle.ts';
import { createSimdReader, createSimdScanner } from './simd-scanner.ts';

const lineOf = (i: number): string =>
  variant({
    service: `service-${i % 40}`,
    message: `order ${i} "quoted" \u00e9`,
    metadata: { latency_ms: i / 8, endpoint: `/path/${i % 100}`, environment: i % 3 === 0 ? 'prod' : 'test' },
  });

/** The rows of a batch, every column, ids as they are. */
function rowsOf({ count, bytes: _bytes, names: _names, ...columns }: EventBatch): Record<string, number[]> {
  const pairs = new Set(['traceHash', 'spanHash', 'parentHash']);
  const rows = Object.entries(columns).map(([name, column]): [string, number[]] => [
    name,
    [...column.subarray(0, pairs.has(name) ? 2 * count : count)],
  ]);
  return Object.fromEntries(rows);
}

function assertSameResult(result: ScanResult, expected: ScanResult): void {
  const { batch, ...rest } = result;
  const { batch: expectedBatch, ...expectedRest } = expected;
  assert.deepEqual(rest, expectedRest);
  assert.deepEqual(rowsOf(batch), rowsOf(expectedBatch));
  for (const table of ['entities', 'endpoints', 'versions'] as const) {
    assert.deepEqual(batch.names[table].names, expectedBatch.names[table].names);
    assert.equal(batch.names[table].overflowCount, expectedBatch.names[table].overflowCount);
  }
}

test('bodies of many windows are read whole, and small ones after them', () => {
  const lines = Array.from({ length: 6000 }, (_, i) => lineOf(i));
  const simd = createSimdScanner(createNames());
  const plain = createJsonScanner(createNames());
  const bodies = [
    lines[0] as string,
    lines.join('\n'),
    `[${lines.join(',\n')}]`,
    lines.slice(0, 3).join('\n'),
    lines.map((line, i) => (i % 500 === 7 ? `${line}x` : line)).join('\r\n'),
    `[${lines.map((line, i) => (i % 500 === 7 ? '{"bad":1}' : line)).join(' , ')} ]`,
    JSON.stringify(
      lines.slice(0, 20).map((line) => JSON.parse(line) as unknown),
      null,
      2,
    ),
  ];
  for (const body of bodies) {
    const result = simd.scan(Buffer.from(body), NO_LIMITS);
    assertSameResult(result, plain.scan(Buffer.from(body), NO_LIMITS));
    assert.ok(result.batch.count > 0);
  }
});

test('an event that lies on the edge of a window is read, wherever the edge falls', () => {
  const simd = createSimdScanner(createNames());
  const line = `${lineOf(1)}\n`;
  const lineBytes = Buffer.byteLength(line);
  for (let pad = 0; pad < lineBytes; pad++) {
    const count = Math.ceil((256 * 1024) / lineBytes) + 1;
    const { batch, rejectedCount } = simd.scan(Buffer.from(' '.repeat(pad) + line.repeat(count)), NO_LIMITS);
    assert.deepEqual([batch.count, rejectedCount], [count, 0]);
    assert.equal(batch.offset[count - 1], pad + (count - 1) * lineBytes);
  }
});

test('usual events of every kind are read by the module itself', () => {
  const one = JSON.stringify(EVENT);
  const lines = [
    one,
    one.replaceAll(',"', ' , "').replaceAll('":', '"\t: '),
    lineOf(1),
    one.replace('12.5', '12.345678901234567'),
    one.replace('12.5', 'null'),
    variant({ kind: 'log', trace_id: null, parent_span_id: '517d16044e5eb3ee' }),
    variant({
      kind: 'inner_span',
      timestamp: '2025-10-08T12:30:45.123456789+02:00',
      metadata: { adjusted_count: 4, 'k8s.pod.name': 'a' },
    }),
    variant({ message: 'a\n\u0001 "b" \\ \u{1f600}', level: 'warning', metadata: null }),
    variant({ service: 'a/b', metadata: { 'service.namespace': 'shop', environment: 'x', 'deployment.environment.name': 'y' } }),
    variant({ metadata: { text: 'x'.repeat(60_000), version: '', list: [1, -2.5e3, true, false, null, { a: [] }] } }).replace(
      '-2500',
      '-2500.0',
    ),
    variant({ metadata: undefined, latency_ms: 5, endpoint: '/top', extra: [{}] }),
  ];
  for (const line of lines) {
    const reader = createSimdReader(createNames());
    const body = Buffer.from(`\r\n${line} \r\n\n`);
    reader.begin(body, NO_LIMITS);
    assert.equal(reader.readLines(0), body.length, line);
    assert.equal(reader.batch.count, 1);
    assertSameScans([createSimdScanner(createNames())], body, NO_LIMITS);
  }
});

test('what is to be stored is what was sent, and outlives the next scan', () => {
  const simd = createSimdScanner(createNames());
  const body = Buffer.from(`${lineOf(1)}\n${lineOf(2)}\n`);
  const stored = toNdjson(simd.scan(body, NO_LIMITS).batch);
  assert.equal(stored, body);
  const copied = toNdjson(simd.scan(Buffer.from(`[${lineOf(3)},${lineOf(4)}]`), NO_LIMITS).batch);
  simd.scan(Buffer.from(`${lineOf(5)}\n`.repeat(9)), NO_LIMITS);
  assert.equal(stored.toString(), `${lineOf(1)}\n${lineOf(2)}\n`);
  assert.equal(copied.toString(), `${lineOf(3)}\n${lineOf(4)}\n`);
});

test('past the capacity of a name table every name is "other", as in the JavaScript scanner', () => {
  const capacity = { entities: 5, endpoints: 5, versions: 1 };
  const simd = createSimdScanner(createNames(capacity));
  const plain = createJsonScanner(createNames(capacity));
  const lines = Array.from({ length: 50 }, (_, i) =>
    variant({ service: `s${i % 9}`, metadata: { endpoint: `/${i}`, version: `v${i % 3}` } }),
  );
  const body = [...lines, '{"broken', variant({ service: 'unseen', level: 'LOUD' }), ...lines].join('\n');
  for (let i = 0; i < 2; i++) assertSameResult(simd.scan(Buffer.from(body), NO_LIMITS), plain.scan(Buffer.from(body), NO_LIMITS));
});

test('more names than the module remembers still get their ids', () => {
  const simd = createSimdScanner(createNames());
  const lines = Array.from({ length: 40_000 }, (_, i) => variant({ metadata: { endpoint: `/${i}` } }));
  const body = Buffer.from(lines.join('\n'));
  for (let pass = 0; pass < 2; pass++) {
    const { batch } = simd.scan(body, NO_LIMITS);
    assert.deepEqual(
      [0, 1, 20_000, 33_000, 39_999].map((i) => batch.names.endpoints.name(batch.endpoint[i] as number)),
      ['/0', '/1', '/20000', '/33000', '/39999'],
    );
    assert.equal(batch.names.endpoints.size, 40_000);
  }
});

test('a sender is asked once whether it may post for a known service, and a service that it may not gets no id', () => {
  for (const create of [createSimdScanner, createJsonScanner]) {
    const names = createNames();
    const scanner = create(names);
    const asked: string[] = [];
    const services = {
      allows: (service: string) => {
        asked.push(service);
        return service === 'mine\u00e9';
      },
    };
    const limits: ScanLimits = { ...NO_LIMITS, services };
    const mine = variant({ service: 'mine\u00e9' });
    const body = `${`${mine}\n`.repeat(100)}${variant({ service: 'theirs' })}\n`;
    for (let i = 0; i < 3; i++) {
      const { batch, rejections } = scanner.scan(Buffer.from(body), limits);
      assert.equal(batch.count, 100);
      assert.deepEqual(rejections, [{ index: 100, field: 'service', reason: 'is not allowed for this API key' }]);
    }
    assert.ok(asked.filter((service) => service === 'mine\u00e9').length <= 2, 'before it has an id, and after');
    assert.deepEqual(names.entities.names, ['', 'mine\u00e9']);
  }
});

test('each limit is the same to the byte', () => {
  const one = JSON.stringify(EVENT);
  const around = (limit: number): number[] => [limit - 3, limit - 2, limit - 1, limit, limit + 1, limit + 2];
  const texts = [
    ...around(128).flatMap((n) => [
      variant({ service: 's'.repeat(n) }),
      variant({ trace_id: 'a'.repeat(n) }),
      variant({ metadata: { environment: 'e'.repeat(n), namespace: 'n'.repeat(n) } }),
    ]),
    ...around(512).map((n) => variant({ metadata: { endpoint: 'e'.repeat(n), version: 'v'.repeat(n) } })),
    ...around(65_536).map((n) => variant({ message: 'm'.repeat(n) })),
    ...around(65_536).flatMap((n) => {
      const metadata = (text: string, number: string): string =>
        one.replace(/"metadata":\{.*?\}\},/, `"metadata":{"t":"${text}","n":${number}},`);
      const rest = '{"t":"","n":10}'.length;
      return [metadata('t'.repeat(n - rest), '10'), metadata('t'.repeat(n - rest - 20), '1e20')];
    }),
    ...[15, 16, 17].map((depth) => variant({ metadata: { d: JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown } })),
    ...['1e9', '1000000000', '1000000000.0000001', '1000000000.1', '0.00', '-0.0', '1e-400'].map((n) => one.replace('12.5', n)),
    ...[2 ** 56, 2 ** 56 + 16, 1, 0.9999].map((n) => variant({ metadata: { adjusted_count: n } })),
  ];
  const scanners = [createJsonScanner(createNames()), createSimdScanner(createNames())];
  for (const text of texts) assertSameScans(scanners, Buffer.from(text), NO_LIMITS);
});
