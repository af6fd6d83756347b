import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../lib/prng.ts';
import { ByteWriter } from './byte-writer.ts';

const writer = new ByteWriter();
const NANOS = 1_000_000_000n;

/** What `write` appends, as text. */
function written(write: (writer: ByteWriter) => void): string {
  writer.reset();
  write(writer);
  return Buffer.from(writer.view()).toString('utf8');
}

const low = (value: bigint): number => Number(BigInt.asUintN(32, value));
const high = (value: bigint): number => Number(BigInt.asUintN(32, value >> 32n));
const string = (bytes: Uint8Array): string => written((w) => w.string(bytes, 0, bytes.length));

test('strings come back from JSON.parse as a UTF-8 decoder reads their bytes, whatever the bytes', () => {
  const prng = createPrng(1);
  const bytesLike = [
    () => 0x20 + prng.below(0x60),
    () => prng.below(0x20),
    () => prng.below(256),
    () => [0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xc2, 0x80, 0xbf, 0x9f, 0xa0, 0x90, 0x8f][prng.below(12)] as number,
  ];
  for (let round = 0; round < 30_000; round++) {
    const like = bytesLike[prng.below(4)] as () => number;
    const bytes = Uint8Array.from({ length: prng.below(12) }, like);
    const json = string(bytes);
    assert.equal(JSON.parse(json), new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), bytes.join(' '));
    assert.doesNotMatch(json, /\n/);
  }
  const long = 'é"\n'.repeat(10_000);
  assert.equal(JSON.parse(string(Buffer.from(long))), long);
});

test('a string is escaped exactly as JSON.stringify escapes it', () => {
  const every = String.fromCharCode(...Array.from({ length: 0x110 }, (_, code) => code));
  assert.equal(string(Buffer.from(every)), JSON.stringify(every));
  assert.equal(
    written((w) => w.text(every)),
    JSON.stringify(every),
  );
  assert.equal(
    written((w) => w.text('plain')),
    '"plain"',
  );
  assert.equal(JSON.parse(written((w) => w.text('a\ud800b'))), 'a\ufffdb');
});

test('64-bit integers keep every digit', () => {
  const edges = [0n, 1n, 9n, 10n, 999_999_999n, 10n ** 9n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n];
  for (const edge of edges) {
    for (const value of [edge, -edge, -edge - 1n, edge + 2n ** 63n]) {
      assert.equal(
        written((w) => w.signed64(low(value), high(value))),
        String(BigInt.asIntN(64, value)),
      );
      assert.equal(
        written((w) => w.unsigned64(low(value), high(value))),
        String(BigInt.asUintN(64, value)),
      );
    }
  }
});

test('doubles have the form that JSON.stringify gives them, and what JSON lacks is a string', () => {
  const prng = createPrng(2);
  const values = [0, -0, 0.1, -0.05, 12.5, 1e-7, 1e21, 5e-324, 123456789012.345, -999_999_999_999.999, 2 ** 53, 1 / 3, 1e15];
  for (let i = 0; i < 20_000; i++) {
    values.push(prng.normal() * 10 ** (prng.below(40) - 20), Math.round(prng.normal() * 1e6) / 10 ** prng.below(5));
  }
  for (const value of values)
    assert.equal(
      written((w) => w.double(value)),
      JSON.stringify(value),
    );
  for (const value of [NaN, Infinity, -Infinity])
    assert.equal(
      written((w) => w.double(value)),
      `"${value}"`,
    );
});

test('times of any nanosecond are cut to the microsecond', () => {
  const prng = createPrng(3);
  const seconds = [0n, 1n, 951_782_399n, 951_782_400n, 1_731_000_000n, 4_102_444_799n, 2n ** 64n / NANOS - 1n];
  for (let i = 0; i < 5000; i++) seconds.push(BigInt(prng.below(2 ** 31)));
  for (const second of seconds) {
    for (const nanos of [0n, 1n, 999n, 1000n, 123_456_789n, 999_999_999n]) {
      const value = second * NANOS + nanos;
      const date = new Date(Number(second) * 1000).toISOString().slice(0, 19);
      const expected = `"${date}.${String(nanos / 1000n).padStart(6, '0')}Z"`;
      assert.equal(
        written((w) => w.timestamp(low(value), high(value))),
        expected,
      );
    }
  }
  assert.equal(
    written((w) => w.timestamp(0xffffffff, 0xffffffff)),
    '"2554-07-21T23:34:33.709551Z"',
  );
});

test('bytes become hexadecimal or base64', () => {
  for (let length = 0; length < 9; length++) {
    const bytes = Buffer.from([0xff, 0xfe, 0, 1, 0x7f, 0x80, 9, 0xa0, 0x3f]).subarray(0, length);
    assert.equal(
      written((w) => w.hex(bytes, 0, length)),
      `"${bytes.toString('hex')}"`,
    );
    assert.equal(
      written((w) => w.base64(bytes, 0, length)),
      `"${bytes.toString('base64')}"`,
    );
  }
});

test('what was taken stays as it is, small or large, while the writer is used again', () => {
  for (const size of [10, 200, 10_000_000]) {
    const fresh = new ByteWriter();
    const source = Buffer.alloc(size, 0x61);
    fresh.raw(source);
    const taken = fresh.take();
    fresh.raw(Buffer.alloc(size, 0x62));
    assert.equal(Buffer.compare(taken, source), 0);
    assert.equal(fresh.length, size);
  }
});

test('a buffer that has grown large is accounted for as it grows, and not kept', () => {
  const mib = 1024 * 1024;
  let reserved = 0;
  const memory = {
    reserve(bytes: number): void {
      if (reserved + bytes > 24 * mib) throw new RangeError('no room');
      reserved += bytes;
    },
  };
  const block = Buffer.alloc(mib, 'x');
  writer.reset(memory);
  for (let i = 0; i < 10; i++) writer.raw(block);
  const taken = writer.take();
  assert.equal(taken.length, 10 * mib);
  assert.equal(reserved, taken.buffer.byteLength);
  assert.ok(writer.bytes.length < mib);
  reserved = 0;
  writer.reset(memory);
  assert.throws(() => {
    for (;;) writer.raw(block);
  }, RangeError);
  assert.ok(writer.bytes.length > 8 * mib && writer.bytes.length <= 24 * mib);
  writer.reset();
  assert.ok(writer.bytes.length < mib);
  reserved = 0;
  writer.reset(memory);
  writer.raw(block);
  assert.equal(writer.take().length, reserved);
});
