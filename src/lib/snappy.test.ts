import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from './errors.ts';
import { createPrng } from './prng.ts';
import type { Prng } from './prng.ts';
import { compressSnappy, copy, literal, preamble } from './snappy.fixture.ts';
import { decompressSnappy } from './snappy.ts';

const LIMIT = 1 << 20;
const MUTATIONS = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 20_000);

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (...parts: (Buffer | number[])[]): Buffer => Buffer.concat(parts.map((part) => Buffer.from(part)));

function assertDamaged(bytes: Uint8Array, reason: RegExp): void {
  assert.throws(
    () => decompressSnappy(bytes, LIMIT),
    (error) => error instanceof HeliosError && error.code === 'invalid_encoding' && reason.test(error.message),
  );
}

/** A random valid body and what it stands for. */
function randomBody(prng: Prng): { body: Buffer; expected: Buffer } {
  const elements: Buffer[] = [];
  let expected: Buffer = Buffer.alloc(0);
  for (let k = prng.below(20); k >= 0; k--) {
    if (expected.length === 0 || prng.below(2) === 0) {
      const bytes = Buffer.from(Array.from({ length: 1 + prng.below(prng.below(10) === 0 ? 400 : 70) }, () => prng.below(256)));
      elements.push(literal(bytes, prng.below(5)));
      expected = Buffer.concat([expected, bytes]);
      continue;
    }
    const kind = (1 + prng.below(3)) as 1 | 2 | 3;
    const offset = 1 + prng.below(Math.min(expected.length, kind === 1 ? 2047 : 65_535));
    const length = kind === 1 ? 4 + prng.below(8) : 1 + prng.below(64);
    elements.push(copy(kind, offset, length));
    const grown = [...expected];
    for (let i = 0; i < length; i++) grown.push(grown[grown.length - offset] as number);
    expected = Buffer.from(grown);
  }
  return { body: bytesOf(preamble(expected.length), ...elements), expected };
}

test('a body by hand: literal, then a copy that overlaps itself', () => {
  assert.equal(text(decompressSnappy(bytesOf([9, 2 << 2], Buffer.from('abc'), copy(1, 3, 6)), LIMIT)), 'abcabcabc');
  assert.equal(decompressSnappy(Uint8Array.of(0), LIMIT).length, 0);
});

test('random literals and copies of every kind and width give what they stand for', () => {
  const prng = createPrng(11);
  for (let i = 0; i < 500; i++) {
    const { body, expected } = randomBody(prng);
    assert.ok(expected.equals(decompressSnappy(body, LIMIT)), `seed 11, body ${i}`);
  }
});

test('what the compressor of the tests wrote comes back, also beyond 64 KiB', () => {
  const line = Buffer.from(Array.from({ length: 5000 }, (_, i) => `series_${i % 97}{job="shop"} ${i * i}\n`).join(''));
  const body = compressSnappy(line);
  assert.ok(body.length < line.length / 2);
  assert.ok(line.equals(decompressSnappy(body, LIMIT)));
});

test('a body that states more than the limit is too large, whatever follows', () => {
  assert.throws(
    () => decompressSnappy(Uint8Array.from([...preamble(LIMIT + 1), 0, 0]), LIMIT),
    (error) => error instanceof HeliosError && error.code === 'too_large',
  );
  assertDamaged(Uint8Array.from(preamble(LIMIT)), /cut short/);
});

test('each damage is named', () => {
  assertDamaged(Uint8Array.of(), /does not start with its length/);
  assertDamaged(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x01), /does not start with its length/);
  assertDamaged(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f), /does not start with its length/);
  assertDamaged(bytesOf([4], literal(Buffer.from('abc'))), /cut short/);
  assertDamaged(bytesOf([2], literal(Buffer.from('abc'))), /longer than it states/);
  assertDamaged(bytesOf([4], literal(Buffer.from('abcd')).subarray(0, 3)), /cut short/);
  assertDamaged(bytesOf([4, 61 << 2, 3]), /cut short/);
  assertDamaged(bytesOf([9], literal(Buffer.from('abc')), [2]), /cut short/);
  assertDamaged(bytesOf([9], literal(Buffer.from('abc')), copy(2, 4, 6)), /before its start/);
  assertDamaged(bytesOf([9], literal(Buffer.from('abc')), copy(3, 0, 6)), /before its start/);
  assertDamaged(bytesOf([8], literal(Buffer.from('abc')), copy(1, 3, 6)), /longer than it states/);
});

test(`${MUTATIONS} mutated bodies give bytes of the stated length or the one error`, () => {
  const seed = Number(process.env['HELIOS_TEST_SEED'] ?? 5);
  const prng = createPrng(seed);
  const sources = Array.from({ length: 200 }, () => randomBody(prng).body);
  let failed = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    let body: Buffer = Buffer.from(sources[i % sources.length] as Buffer);
    for (let k = prng.below(3); k >= 0; k--) body[prng.below(body.length)] = prng.below(256);
    if (prng.below(3) === 0) body = body.subarray(0, prng.below(body.length));
    try {
      decompressSnappy(body, LIMIT);
    } catch (error) {
      failed++;
      assert.ok(error instanceof HeliosError && /^(invalid_encoding|too_large)$/.test(error.code), `seed ${seed}, body ${i}`);
    }
  }
  assert.ok(failed > MUTATIONS / 3 && failed < MUTATIONS);
});
