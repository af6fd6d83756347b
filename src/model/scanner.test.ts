import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_EVENT_BYTES, MIN_EVENT_BYTES } from './event.ts';
import { createNames, toNdjson } from './event-batch.ts';
import { createJsonScanner } from './json-scanner.ts';
import { createSimdScanner } from './simd-scanner.ts';
import { EVENT, variant } from './event.fixture.ts';
import { assertSameScans } from './scanner.oracle.ts';
import { NO_LIMITS } from './scanner.ts';
import type { ScanLimits } from './scanner.ts';

const LIMITS: ScanLimits = { latestMs: Date.parse('2026-01-01T00:00:00Z'), earliestMs: Date.parse('2020-01-01T00:00:00Z') };

const SCANNERS = [createJsonScanner, createSimdScanner];

function assertSameText(text: string | Buffer, limits: ScanLimits = NO_LIMITS): void {
  const scanners = SCANNERS.map((create) => create(createNames()));
  assertSameScans(scanners, Buffer.from(text as string), limits);
}

const withMetadata = (metadata: Record<string, unknown>): string => variant({ metadata: { ...EVENT.metadata, ...metadata } });

test('objects, arrays and NDJSON are told apart by their first bytes', () => {
  const one = JSON.stringify(EVENT);
  for (const text of [
    one,
    ` \n${one}\n`,
    JSON.stringify(EVENT, null, 2),
    `${one}\n${one}`,
    `${one}\r\n\r\n${one}\r\n`,
    `[${one},${one}]`,
  ]) {
    assertSameText(text);
  }
  for (const text of [
    JSON.stringify([EVENT, EVENT], null, 1),
    '[]',
    '',
    ' \n',
    '{',
    '[',
    '{}',
    '[1]',
    'null',
    '"x"',
    '1\n2',
    `x\n${one}`,
  ]) {
    assertSameText(text);
  }
  for (const text of [
    `${one} ${one}`,
    `${one}\n[${one}]`,
    `[${one},]`,
    `[${one}]x`,
    `[${one} ${one}]`,
    `${one}\n{"broken`,
    `{"a":\n${one}`,
  ]) {
    assertSameText(text);
  }
});

test('every rule that an event can break names its field and reason', () => {
  const reasons = (text: string) => createJsonScanner(createNames()).scan(Buffer.from(text), LIMITS).rejections;
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ timestamp: undefined }, 'timestamp', /required/],
    [{ timestamp: 5 }, 'timestamp', /RFC 3339/],
    [{ timestamp: '2025-02-30T00:00:00Z' }, 'timestamp', /RFC 3339/],
    [{ timestamp: '2027-01-01T00:00:00Z' }, 'timestamp', /future/],
    [{ timestamp: '2019-01-01T00:00:00Z' }, 'timestamp', /retention/],
    [{ service: undefined }, 'service', /required/],
    [{ service: '' }, 'service', /empty/],
    [{ service: 'é'.repeat(65) }, 'service', /128 bytes/],
    [{ level: 'LOUD' }, 'level', /DEBUG/],
    [{ level: undefined }, 'level', /required/],
    [{ message: 7 }, 'message', /string/],
    [{ message: 'x'.repeat(65_537) }, 'message', /65536/],
    [{ metadata: [] }, 'metadata', /object/],
    [{ metadata: { latency_ms: '5' } }, 'metadata.latency_ms', /number/],
    [{ metadata: { latency_ms: -1 } }, 'metadata.latency_ms', /0 to 1e9/],
    [{ metadata: { endpoint: 5 } }, 'metadata.endpoint', /string/],
    [{ metadata: { blob: 'x'.repeat(65_536) } }, 'metadata', /65536/],
    [{ metadata: { environment: 'e'.repeat(129) } }, 'metadata.environment', /128/],
    [{ trace_id: 7 }, 'trace_id', /string/],
  ];
  for (const [changes, field, reason] of cases) {
    const [rejection] = reasons(variant(changes));
    assert.equal(rejection?.field, field);
    assert.match(rejection.reason, reason);
    assertSameText(variant(changes), LIMITS);
    assertSameText(`${variant({})}\n${variant(changes)}\n${variant({})}`, LIMITS);
  }
});

test('unusual but valid events are read as JSON.parse reads them', () => {
  const deep = (n: number): unknown => (n === 0 ? 1 : { a: deep(n - 1) });
  const one = JSON.stringify(EVENT);
  const texts = [
    withMetadata({ latency_ms: 0 }),
    withMetadata({ latency_ms: 1e9 }),
    withMetadata({ latency_ms: 0.1 + 0.2 }),
    withMetadata({ latency_ms: null }),
    one.replace('12.5', '1.25e1'),
    one.replace('12.5', '1e999'),
    one.replace('12.5', '-0'),
    one.replace('12.5', '012'),
    one.replace('12.5', '1.'),
    one.replace('12.5', '123456789012345678'),
    one.replace('12.5', '0.12345678901234567'),
    one.replace('12.5', 'NaN'),
    one.replace('"service"', '"serv\\u0069ce"'),
    one.replace('"service":"payment"', '"service":"a","service":"b"'),
    one.replace('"payment"', '"pay\\u006dent"'),
    one.replace('"latency_ms"', '"latency_ms":1,"latency_ms"'),
    withMetadata({ environment: 'prod', namespace: 'shop' }),
    withMetadata({ 'deployment.environment.name': 'a/b' }),
    withMetadata({ environment: '' }),
    withMetadata({ environment: 'x', 'deployment.environment': 'y' }),
    withMetadata({ namespace: 5 }),
    withMetadata({ version: 3 }),
    withMetadata({ endpoint: '/x'.repeat(400) }),
    withMetadata({ endpoint: '' }),
    withMetadata({ endpoint: null }),
    variant({ service: 'a/b/c' }),
    variant({ level: 'warning' }),
    variant({ level: 17 }),
    variant({ level: '9' }),
    variant({ level: 0 }),
    variant({ metadata: null }),
    variant({ metadata: undefined }),
    variant({ kind: 'span' }),
    variant({ kind: 'inner_span' }),
    variant({ kind: 'odd' }),
    variant({ latency_ms: 77 }),
    variant({ metadata: {}, endpoint: '/top', latency_ms: 3 }),
    variant({ extra: { deep: [1, 2, { x: 'y' }] } }),
    variant({ extra: deep(15) }),
    variant({ extra: deep(16) }),
    withMetadata({ d: deep(15) }),
    withMetadata({ d: deep(16) }),
    withMetadata({ blob: 'y'.repeat(9000) }),
    variant({ trace_id: null, span_id: '' }),
    variant({ timestamp: '2025-10-08T10:30:45+02:00' }),
    variant({ timestamp: '2025-10-08t10:30:45.123456789z' }),
    variant({ timestamp: '2024-02-29T23:59:60Z' }),
    variant({ timestamp: '2025-10-08 10:30:45Z' }),
    variant({ timestamp: '2025-10-08T10:30:45.Z' }),
    variant({ timestamp: '2025-1x-08T10:30:45Z' }),
    variant({ message: 'x'.repeat(65_536) }),
    variant({ message: '\u0000\ud83d\ude00' }),
    one.replace('Database', '\\ud800'),
    variant({ message: '' }),
    variant({ ['__proto__']: 1 }).replace('{', '{"__proto__":{"x":1},'),
    one.replace('"nested"', '"n\ted"'),
  ];
  for (const text of texts) {
    assertSameText(text);
    assertSameText(`[${text}]`);
    assertSameText(`${one}\n${text}\n${one}\n`);
  }
});

test('a weight is taken from a number of 1 or more, and a message from the last key of that name', () => {
  const one = JSON.stringify(EVENT);
  const texts = [
    withMetadata({ adjusted_count: 4 }),
    withMetadata({ adjusted_count: 1.5, latency_ms: 1 }),
    withMetadata({ adjusted_count: 0.5 }),
    withMetadata({ adjusted_count: 2 ** 56 }),
    withMetadata({ adjusted_count: 2 ** 56 + 16 }),
    withMetadata({ adjusted_count: '4' }),
    withMetadata({ adjusted_count: null }),
    variant({ adjusted_count: 8 }),
    one.replace('"message":', '"message":5,"message":"first","mess\\u0061ge":'),
    one.replace('"message":', '"mess\\u0061ge":"first","message":'),
  ];
  for (const text of texts) {
    assertSameText(text);
    assertSameText(`${one}\n${text}\n${one}\n`);
  }
});

test('invalid UTF-8 rejects its line in NDJSON and everything in an array', () => {
  const good = Buffer.from(`${JSON.stringify(EVENT)}\n`);
  const bad = Buffer.from(good);
  bad[bad.indexOf('payment')] = 0xff;
  assertSameText(Buffer.concat([good, bad, good]));
  assertSameText(Buffer.concat([Buffer.from('['), bad, Buffer.from(']')]));
  assertSameText(bad);
});

test('a hostile depth is rejected and exhausts no stack', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000);
  assertSameText(`${JSON.stringify(EVENT)}\n${JSON.stringify(EVENT).replace('"r1"', deep)}`);
  assertSameText(deep.slice(0, 200_000));
});

test('canonical NDJSON of any accepted body scans to the same events', () => {
  const body = JSON.stringify([EVENT, { bad: 1 }, { ...EVENT, service: 'b' }], null, 3);
  for (const create of SCANNERS) {
    const { batch } = create(createNames()).scan(Buffer.from(body), NO_LIMITS);
    const ndjson = toNdjson(batch);
    const again = create(createNames()).scan(ndjson, NO_LIMITS);
    assert.equal(again.batch.count, 2);
    assert.equal(again.rejectedCount, 0);
    assert.equal(toNdjson(again.batch), ndjson, 'canonical bytes are not copied again');
  }
});

test('an event longer than an event can be is rejected unread, and its neighbours are kept', () => {
  const one = JSON.stringify(EVENT);
  const long = variant({ message: ' '.repeat(MAX_EVENT_BYTES) });
  assertSameText(`${one}\n${long}\n${one}`);
  for (const create of SCANNERS) {
    for (const body of [`${one}\n${long}\n${one}`, `[${one},${long},${one}]`]) {
      const { batch, rejections } = create(createNames()).scan(Buffer.from(body), NO_LIMITS);
      assert.equal(batch.count, 2);
      assert.deepEqual(rejections, [{ index: 1, field: '', reason: `is longer than ${MAX_EVENT_BYTES} bytes` }]);
    }
  }
});

test('the shortest event is one, however many were rejected before it', () => {
  const shortest = '{"timestamp":"2025-10-08T10:30:45Z","service":"s","level":1,"message":""}';
  assert.equal(shortest.length, MIN_EVENT_BYTES);
  for (const junk of ['1', '{}', '"', '{"a', '\xff', 'x'.repeat(80), `{"a":"${'x'.repeat(80)}"}`]) {
    assertSameText(Buffer.from(`${`${junk}\n`.repeat(200)}${shortest}\n${junk}`, 'latin1'));
  }
  for (const junk of ['1', '{}', '[[]]', '{"a":[1,2]}']) assertSameText(`[${`${junk},`.repeat(200)}${shortest},${junk}]`);
  for (const junk of ['{"a"}', '1 1', '"\t"', '[']) assertSameText(`[${'1,'.repeat(200)}${junk},${shortest}]`);
});
