import assert from 'node:assert/strict';
import test from 'node:test';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { HeliosError } from '../lib/errors.ts';
import { createPrng } from '../lib/prng.ts';
import { ProtobufReader } from './protobuf-reader.ts';

const reader = new ProtobufReader();

function begin(bytes: Uint8Array | number[]): ProtobufReader {
  reader.begin(Uint8Array.from(bytes), 'Example');
  return reader;
}

/** Reads every field by skipping it. */
function skipAll(bytes: Uint8Array | number[]): number {
  begin(bytes);
  let fields = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    reader.skip(tag);
    fields++;
  }
  return fields;
}

const malformed = (pattern: RegExp) => (error: unknown) =>
  error instanceof HeliosError && error.code === 'invalid_body' && error.status === 400 && pattern.test(error.message);

test('reads back what a protobuf library wrote, 64-bit integers as two exact halves', () => {
  const numbers = [0n, 1n, 127n, 128n, 300n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  for (const number of numbers) {
    const bytes = new BinaryWriter().tag(1, WireType.Varint).uint64(number).tag(500, WireType.Bit64).fixed64(number).finish();
    begin(bytes);
    assert.equal(reader.tag(), 8);
    assert.equal(reader.varint(), Number(number));
    assert.equal((BigInt(reader.high) << 32n) | BigInt(reader.low), number);
    assert.equal(reader.tag(), 500 * 8 + 1);
    assert.equal(reader.fixed64(), Number(number));
    assert.equal((BigInt(reader.high) << 32n) | BigInt(reader.low), number);
    assert.equal(reader.tag(), 0);
  }
});

test('reads negative enums, zigzag numbers, floats and doubles', () => {
  begin(new BinaryWriter().int32(-5).sint32(-7).sint32(2147483647).fixed32(4294967295).float(0.5).double(-1e300).finish());
  assert.equal(reader.int32(), -5);
  assert.equal(reader.sint32(), -7);
  assert.equal(reader.sint32(), 2147483647);
  assert.equal(reader.fixed32(), 4294967295);
  assert.equal(reader.float(), 0.5);
  assert.equal(reader.double(), -1e300);
});

test('an entered message ends where its length says, and the outer one goes on behind it', () => {
  begin([0x0a, 0x03, 0x08, 0x07, 0x10, 0x20, 0x09]);
  assert.equal(reader.tag(), 0x0a);
  const outer = reader.enter();
  assert.equal(reader.tag(), 0x08);
  assert.equal(reader.varint(), 7);
  assert.equal(reader.tag(), 0x10);
  assert.throws(() => reader.varint(), malformed(/^cannot read Example: at byte 5, a varint passes the end of its message$/));
  reader.leave(outer);
  assert.equal(reader.tag(), 0x20);
  assert.equal(reader.varint(), 9);
  assert.equal(reader.tag(), 0);
});

test('unknown fields of every wire type are skipped, also nested groups', () => {
  const group = [0x0b, 0x10, 0x05, 0x1b, 0x1c, 0x0c];
  assert.equal(skipAll([0x08, 0x96, 0x01, 0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x12, 2, 0xff, 0xff, ...group, 0x25, 1, 2, 3, 4]), 5);
});

test('malformed bytes throw invalid_body with the reason', () => {
  const cases: [number[], RegExp][] = [
    [[0x00], /number 0/],
    [[0x80, 0x00], /number 0/],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0x01], /over 2\^29/],
    [[0x08], /a varint passes the end/],
    [[0x08, 0x80], /a varint passes the end/],
    [[0x08, ...Array<number>(10).fill(0x80), 1], /longer than 10 bytes/],
    [[0x09, 1, 2, 3], /a number passes the end/],
    [[0x0d, 1, 2, 3], /a number passes the end/],
    [[0x12, 5, 1], /a length passes the end/],
    [[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], /a length passes the end/],
    [[0x0c], /did not start/],
    [[0x0b, 0x14], /did not start/],
    [[0x0b, 0x08, 0x01], /does not end/],
    [Array<number>(100).fill(0x0b), /nest deeper than 32/],
    [[0x0e], /no wire type 6/],
    [[0x0f], /no wire type 7/],
  ];
  for (const [bytes, reason] of cases) assert.throws(() => skipAll(bytes), malformed(reason), bytes.join(' '));
});

test('random bytes never read past the end and never throw anything else', () => {
  const prng = createPrng(4);
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from({ length: prng.below(24) }, () => (prng.below(3) === 0 ? prng.below(256) : prng.below(32)));
    try {
      skipAll(bytes);
      assert.equal(reader.position, bytes.length);
    } catch (error) {
      assert.ok(error instanceof HeliosError && error.code === 'invalid_body', String(error));
      assert.ok(reader.position <= bytes.length);
      refused++;
    }
  }
  assert.ok(refused > 1000 && refused < 19_000);
});
