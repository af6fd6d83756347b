import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { HeliosError } from '../lib/errors.ts';
import type { Compression } from './decompression.ts';
import { decompress } from './decompression.ts';

const MIB = 1024 * 1024;
const COMPRESSORS = { gzip: gzipSync, deflate: deflateSync, zstd: zstdCompressSync };
const CASES = Object.entries(COMPRESSORS) as [Compression, (bytes: Uint8Array) => Buffer][];

const failsWith = (code: string) => (error: unknown) => error instanceof HeliosError && error.code === code;

/** Up to so many bytes. */
function memoryOf(limit: number) {
  const memory = {
    bytes: 0,
    reserve(bytes: number): void {
      if (memory.bytes + bytes > limit) throw new HeliosError('overloaded', 'cannot take the request: no memory');
      memory.bytes += bytes;
    },
  };
  return memory;
}

for (const [encoding, compress] of CASES) {
  test(`${encoding}: what is decompressed is accounted for to the byte`, async () => {
    for (const length of [0, 1, 64 * 1024, 3 * MIB + 7]) {
      const memory = memoryOf(Infinity);
      const bytes = await decompress(compress(Buffer.alloc(length, 'ab')), encoding, {
        limitBytes: 4 * MIB,
        memory,
        what: 'body',
      });
      assert.deepEqual(bytes, Buffer.alloc(length, 'ab'));
      assert.equal(memory.bytes, length);
    }
  });

  test(`${encoding}: a bomb ends where memory or the limit does, not when it is whole`, async () => {
    const bomb = compress(Buffer.alloc(15 * MIB));
    const small = memoryOf(MIB);
    await assert.rejects(
      decompress(bomb, encoding, { limitBytes: 16 * MIB, memory: small, what: 'body' }),
      failsWith('overloaded'),
    );
    assert.ok(small.bytes > 0.9 * MIB);
    const large = memoryOf(Infinity);
    await assert.rejects(decompress(bomb, encoding, { limitBytes: MIB, memory: large, what: 'body' }), failsWith('too_large'));
    assert.ok(large.bytes <= MIB);
  });

  test(`${encoding}: what is damaged or cut short is invalid`, async () => {
    const whole = compress(Buffer.from('a body that is long enough to be cut'));
    for (const bytes of [whole.subarray(0, -9), Buffer.from('not compressed at all')]) {
      const reading = decompress(bytes, encoding, { limitBytes: MIB, memory: memoryOf(MIB), what: 'body' });
      await assert.rejects(reading, failsWith('invalid_encoding'));
    }
  });
}
