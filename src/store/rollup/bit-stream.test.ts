import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../../lib/prng.ts';
import { BitReader, BitWriter } from './bit-stream.ts';

test('numbers of every width and Exp-Golomb codes of every order come back as written', () => {
  const prng = createPrng(11);
  const writer = new BitWriter();
  const reader = new BitReader();
  for (let round = 0; round < 50; round++) {
    const values = Array.from({ length: 200 }, () => {
      const width = 1 + prng.below(32);
      return {
        width,
        order: prng.below(20),
        value: Math.floor(prng.next() * 2 ** Math.min(width, 30)),
        isPlain: prng.below(2) === 0,
      };
    });
    writer.reset();
    for (const { width, order, value, isPlain } of values) {
      if (isPlain) writer.write(value, width);
      else writer.writeExpGolomb(value, order);
    }
    reader.load(writer.finish());
    for (const { width, order, value, isPlain } of values) {
      assert.equal(isPlain ? reader.read(width) : reader.readExpGolomb(order), value);
    }
  }
});

test('an Exp-Golomb code of order 0 has the bits of the standard', () => {
  const writer = new BitWriter();
  for (const value of [0, 1, 2, 3]) writer.writeExpGolomb(value, 0);
  // 1, 010, 011, 00100 and padding.
  assert.deepEqual([...writer.finish()], [0b1010_0110, 0b0100_0000]);
});
