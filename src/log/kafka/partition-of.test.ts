import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { murmur2 as clientsMurmur2 } from '@platformatic/kafka';
import { murmur2, partitionOfEntity, partitionOfTrace } from './partition-of.ts';

test("murmur2 gives the numbers of Kafka's own test (UtilsTest.testMurmur2)", () => {
  const known: [string, number][] = [
    ['21', -973_932_308],
    ['foobar', -790_332_482],
    ['a-little-bit-long-string', -985_981_536],
    ['a-little-bit-longer-string', -1_486_304_829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
    ['abc', 479_470_107],
  ];
  for (const [text, expected] of known) assert.equal(murmur2(Buffer.from(text)), expected);
});

test('murmur2 agrees with the client for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.equal(murmur2(bytes), clientsMurmur2(Buffer.from(bytes)));
    }),
  );
});

test('a partition is one of those that there are', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), fc.integer(), fc.integer({ min: 1, max: 1000 }), (name, low, high, partitions) => {
      for (const partition of [partitionOfEntity(name, partitions), partitionOfTrace(low, high, partitions)]) {
        assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions);
      }
    }),
  );
});
