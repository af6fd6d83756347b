import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ByteWriter } from './byte-stream.ts';
import { blockLines } from './block.ts';
import { decodeLines, LinesEncoder } from './lines-codec.ts';
import { OracleLineColumns } from './line-columns-oracle.ts';

/** Kept from one stretch of lines to the next, as the sealing thread does: nothing may be left over. */
const kernelEncoder = new LinesEncoder(1);
const oracleEncoder = new LinesEncoder(1, new OracleLineColumns());

function roundTrip(lines: string | Buffer): { decoded: Buffer; entities: ReadonlySet<string> | null; size: number } {
  const source = Buffer.from(lines);
  const [out, expected] = [new ByteWriter(), new ByteWriter()];
  const entities = kernelEncoder.encode(source, out);
  assert.deepEqual(entities, oracleEncoder.encode(source, expected));
  assert.deepEqual(out.view(), expected.view(), 'the kernel writes what plain JavaScript writes');
  return { decoded: decodeLines(Buffer.from(out.view()), source.length), entities, size: out.length };
}

function assertSame(lines: string | Buffer): void {
  assert.deepEqual(roundTrip(lines).decoded, Buffer.from(lines));
}

/** Any bytes that are one line. */
const oddLine = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc
    .array(fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '\\', ' ', '1e999', '-0', 'true', '"k"', '"k":', 'x', '\u0001'))
    .map((parts) => Buffer.from(parts.join(''))),
);

const eventLine = fc
  .record({
    timestamp: fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
    service: fc.constantFrom('cart', 'pay', 'ü', 'a/b'),
    message: fc.string(),
    metadata: fc.dictionary(fc.string(), fc.oneof(fc.double(), fc.string(), fc.boolean(), fc.constant(null))),
    trace_id: fc.option(fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 32, maxLength: 32 })),
  })
  .map((event) => Buffer.from(JSON.stringify(event)));

test('any lines at all come back byte for byte', () => {
  const lines = fc.array(fc.oneof(oddLine, eventLine, eventLine), { maxLength: 40 }).map((all) => {
    const clean = all.map((line) => Buffer.from(line.toString('latin1').replaceAll('\n', ' '), 'latin1'));
    return Buffer.concat(clean.flatMap((line) => [line, Buffer.from('\n')]));
  });
  fc.assert(
    fc.property(lines, (bytes) => assertSame(bytes)),
    { numRuns: 300 },
  );
});

test('one shape repeated with values from a small alphabet comes back, whatever encoding its columns get', () => {
  const value = fc.oneof(
    fc.integer(),
    fc.string({ unit: fc.constantFrom('0', 'a', 'f'), minLength: 4, maxLength: 4 }),
    fc.constantFrom('x', 'y', 'x\\n', ''),
    fc.constantFrom('2025-10-08T10:30:45Z', '2025-10-08T10:30:45.123Z', '2025-02-29T10:30:45Z', '2025-10-08T24:30:45Z'),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 300 }), (rows) => {
      assertSame(rows.map(([a, b]) => `{"a":${JSON.stringify(a)},"b":${JSON.stringify(b)}}\n`).join(''));
    }),
    { numRuns: 200 },
  );
});

test('lines that strain the limits come back: many shapes, many values, long values, repeated keys, empty lines', () => {
  const shapes = Array.from({ length: 1500 }, (_, i) => `{"key${i}":${i}}\n`).join('');
  const wide = `[${Array.from({ length: 2000 }, (_, i) => i).join(',')}]\n`;
  const long = `{"message":"${'x'.repeat(100_000)}"}\n`;
  const twice = '{"service":"a","service":"b"}\n{"service":"a", "service" : "c"}\n';
  assertSame(shapes + wide + long + twice + '\n\n{"open":"\n{"end\\"\n');
  assertSame('');
  assertSame('\n');
});

const year = fc.oneof(fc.integer({ min: 1960, max: 2130 }), fc.integer({ min: 0, max: 9999 }));
const two = (max: number): fc.Arbitrary<string> => fc.integer({ min: 0, max }).map((number) => String(number).padStart(2, '0'));
const timestamp = fc
  .tuple(year, two(13), two(32), two(25), two(61), two(61))
  .map(([y, mo, d, h, mi, s]) => `${String(y).padStart(4, '0')}-${mo}-${d}T${h}:${mi}:${s}`);

test('times come back as they were: days and hours that do not exist, leap years, years that no tick count holds', () => {
  const column = fc.integer({ min: 0, max: 8 }).chain((digits) => {
    const fraction = digits === 0 ? fc.constant('') : fc.integer({ min: 0, max: 10 ** digits - 1 });
    const time = fc
      .tuple(timestamp, fraction)
      .map(([text, f]) => `${text}${f === '' ? '' : `.${String(f).padStart(digits, '0')}`}Z`);
    return fc.array(time, { minLength: 1, maxLength: 5 });
  });
  fc.assert(
    fc.property(column, (times) => assertSame(times.map((time) => `{"t":"${time}"}\n`).join(''))),
    { numRuns: 1000 },
  );
  for (const time of [
    '2024-02-29',
    '2023-02-29',
    '2100-02-29',
    '2000-02-29',
    '1970-01-01',
    '1969-12-31',
    '2112-09-17',
    '2112-09-18',
  ]) {
    assertSame(`{"t":"${time}T23:53:47.370495Z"}\n{"t":"1970-01-01T00:00:00.000000Z"}\n`);
  }
});

test('values of one name share a column whatever else stands in their lines', () => {
  const id = (i: number): string => ((i * 2654435761) % 2 ** 32).toString(16).padStart(8, '0');
  const attributes = (i: number): object => {
    const names = Array.from({ length: 12 }, (_, bit) => `attr.${bit}`).filter((_, bit) => ((i * 7919) >> bit) & 1);
    return Object.fromEntries(names.map((name, n) => [name, `value ${n % 3}`]));
  };
  const rows = Array.from({ length: 4000 }, (_, i) => JSON.stringify({ id: id(i), metadata: attributes(i) }));
  const { decoded, size } = roundTrip(`${rows.join('\n')}\n`);
  assert.equal(decoded.toString(), `${rows.join('\n')}\n`);
  assert.ok(size < rows.length * 20, `${size / rows.length} bytes a line`);
});

test('thousands of equal shapes with unique values of one length and of many lengths come back', () => {
  const rows = Array.from({ length: 9000 }, (_, i) => {
    const id = (i * 2654435761).toString(16).padStart(14, '0').slice(-8);
    return `{"timestamp":"${new Date(1.7e12 + i * 37).toISOString()}","id":"req_${id}","n":${i * i},"odd":"${id.slice(0, 5)}","m":"took ${i} ms"}\n`;
  });
  const { decoded, size } = roundTrip(rows.join(''));
  assert.equal(decoded.toString(), rows.join(''));
  assert.ok(size < rows.length * 18, `${size / rows.length} bytes a line`);
});

function entitiesOf(...events: unknown[]): string[] | null {
  const { entities } = roundTrip(
    events.map((event) => `${typeof event === 'string' ? event : JSON.stringify(event)}\n`).join(''),
  );
  return entities && [...entities].toSorted();
}

test('a block knows the entities inside: service, environment and namespace', () => {
  const found = entitiesOf(
    { service: 'cart', level: 'INFO' },
    { service: 'pay', metadata: { environment: 'prod', namespace: 'shop' } },
    { service: 'pay', metadata: { environment: 'dev', namespace: 'shop' } },
    { service: 'ü"', metadata: { 'deployment.environment': 7, environment: 'prod' } },
    {
      service: 'cart',
      metadata: { 'deployment.environment.name': '', 'deployment.environment': 'eu/1', 'service.namespace': 'n' },
    },
  );
  assert.deepEqual(found, ['cart', 'dev/shop/pay', 'eu%2F1/n/cart', 'prod//ü"', 'prod/shop/pay'].toSorted());
});

test('a block with a line that leaves doubt does not claim to know its entities', () => {
  const clear = { service: 'cart' };
  assert.deepEqual(entitiesOf(clear), ['cart']);
  assert.equal(entitiesOf(clear, '{"service":"a","service":"b"}'), null);
  assert.equal(entitiesOf(clear, '{"\\u0073ervice":"a"}'), null);
  assert.equal(entitiesOf(clear, { service: 'a', environment: 'prod' }), null);
  assert.equal(entitiesOf(clear, { service: 7 }), null);
  assert.equal(entitiesOf(clear, 'nonsense'), null);
  assert.equal(entitiesOf(clear, '["a"]'), null);
  assert.equal(entitiesOf(clear, { service: { name: 'a' } }), null);
  assert.equal(entitiesOf(...Array.from({ length: 600 }, (_, i) => ({ service: `s${i}` }))), null);
});

test('a block whose bytes are wrong is refused', () => {
  const out = new ByteWriter();
  new LinesEncoder(1).encode(Buffer.from('{"a":1}\n'.repeat(10)), out);
  assert.throws(() => decodeLines(Buffer.from(out.view()), 79), /79/);
});

test('a block that the first version wrote is read', () => {
  const block = Buffer.from(
    [
      '/0hCSwEAAAB2aJ24STpGwBgAAADTAAAAAQAAAA0AAAAXAwAAAAAAAAAAAAAAABBAAAAAAAAAFEAAAAAAAABEQAAAAAAAAPA/AAAAAAAAAEAE0kKHAAAAACi1L/0g',
      'D3kAAAAEKA2XBgABYfAuoB/QD88AAAAotS/9YA0ALQYA9AkEAAIAAAgEDnsidGltZXN0YW1wIjoiDSIsInNlcnZpY2VtZXNzYWcCIn0EBAx7BiIsIm4iOgcsImlk',
      'AQMAASAAAQECAwEOAAHyj/OPgwEUKAIGAABjYXJ0CgBWAHRvb2sgMCBtcwo3MjEyODQyOTYzNzACBQAAcGF5CgAJADIKNQo4CjExCgQKAAYEMDBmZipaihoCBAAA',
      'bm8KanNvbgoPAGiYKCA0UBooAmzsUjDOgqCYlhNz7ev0IWqkocyAUBLZfAI=',
    ].join(''),
    'base64',
  );
  const lines = Array.from({ length: 12 }, (_, i) =>
    i % 3 === 2
      ? `{"service":"pay","n":${i},"id":"00ff${i % 10}a"}\n`
      : `{"timestamp":"2025-10-08T10:30:${10 + i}.5Z","service":"cart","message":"took ${i * 7} ms"}\n`,
  );
  assert.equal(blockLines(block).toString(), `${lines.join('')}no json\n`);
});
