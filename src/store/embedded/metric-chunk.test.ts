import assert from 'node:assert/strict';
import test from 'node:test';
import type { Prng } from '../../lib/prng.ts';
import { createPrng } from '../../lib/prng.ts';
import { decodeChunk, encodeChunk } from './metric-chunk.ts';
import { PointList } from '../point-list.ts';

type Column = (i: number) => number;

function listOf(count: number, time: Column, value: Column, start: Column): PointList {
  const list = new PointList();
  for (let i = 0; i < count; i++) list.push(time(i), value(i), start(i));
  return list;
}

/** Bytes of the chunk, after asserting that it holds exactly these points. */
function roundTrip(list: PointList): number {
  const blob = Uint8Array.from(encodeChunk(list));
  const read = listOf(3, Number, Number, Number);
  assert.equal(decodeChunk(blob, read), list.count);
  for (const key of ['times', 'values', 'starts'] as const) {
    for (let i = 0; i < list.count; i++) {
      assert.ok(Object.is(read[key][i + 3], list[key][i]), `${key}[${i}]: ${read[key][i + 3]} for ${list[key][i]}`);
    }
  }
  return blob.length;
}

const T0 = 1_731_000_000_000;
const columns: Record<string, (prng: Prng) => Column> = {
  constant: () => () => 7,
  unknown: () => () => NaN,
  counter: (prng) => {
    let total = 0;
    return () => (total += prng.below(50));
  },
  readings: (prng) => () => prng.below(10_000) / 100,
  noise: (prng) => () => prng.normal(),
  'tiny and huge': (prng) => () => prng.normal() * 10 ** (prng.below(600) - 300),
  'special numbers': (prng) => () =>
    [0, -0, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 2 ** 53, -(2 ** 53) - 2][prng.below(9)] as number,
  'any bits': (prng) => () => {
    const bits = new Uint32Array([prng.below(2 ** 32), prng.below(2 ** 32)]);
    const value = new Float64Array(bits.buffer)[0] as number;
    return Number.isNaN(value) ? NaN : value;
  },
  'integers far apart': (prng) => () => Math.floor((prng.next() - 0.5) * 2 ** prng.below(54)),
  'few changes': (prng) => () => (prng.below(20) === 0 ? 1.1 : 3.7),
};
const times: Record<string, (prng: Prng) => Column> = {
  regular: () => (i) => T0 + i * 10_000,
  late: (prng) => (i) => T0 + i * 10_000 + prng.below(30),
  'with gaps': (prng) => (i) => T0 + i * 10_000 + (i > 20 ? 86_400_000 * prng.below(900) : 0),
  'of nanoseconds': (prng) => (i) => T0 + i * 10_000 + prng.next(),
  'of any size': (prng) => () => (prng.next() - 0.5) * 1.7e16,
};

test('every column comes back bit for bit', () => {
  const prng = createPrng(1);
  for (const [timeName, time] of Object.entries(times)) {
    for (const [valueName, value] of Object.entries(columns)) {
      for (const count of [1, 2, 3, 4, 120, 700]) {
        try {
          roundTrip(listOf(count, time(prng), value(prng), prng.below(2) === 0 ? () => NaN : value(prng)));
        } catch (error) {
          throw new Error(`${count} points, times ${timeName}, values ${valueName}`, { cause: error });
        }
      }
    }
  }
});

test('what is regular takes few bits a point', () => {
  const prng = createPrng(2);
  const bytes = (time: string, value: string): number =>
    roundTrip(
      listOf(480, (times[time] as never as (p: Prng) => Column)(prng), (columns[value] as (p: Prng) => Column)(prng), () => NaN),
    ) / 480;
  assert.ok(bytes('regular', 'constant') < 0.25);
  assert.ok(bytes('regular', 'counter') < 1.2);
  assert.ok(bytes('late', 'counter') < 2);
  assert.ok(bytes('regular', 'readings') < 2.2);
  assert.ok(bytes('of nanoseconds', 'constant') < 2.5);
});

test('a damaged blob is refused or read as something, never for ever', () => {
  const prng = createPrng(3);
  for (let i = 0; i < 2000; i++) {
    const blob = Uint8Array.from(
      encodeChunk(
        listOf(
          50,
          (k) => T0 + k * 1000 + prng.below(3),
          () => prng.normal(),
          () => NaN,
        ),
      ),
    );
    for (let k = 0; k < 4; k++) blob[prng.below(blob.length)] = prng.below(256);
    blob[0] = blob[1] = 0;
    try {
      decodeChunk(blob, new PointList());
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'corrupt_data');
    }
  }
});

test('points are ordered by time, and of several at one time the last stays', () => {
  const list = new PointList();
  for (const [time, value] of [
    [5, 1],
    [3, 2],
    [5, 3],
    [4, 4],
    [3, 5],
  ] as const)
    list.push(time, value, NaN);
  list.settle();
  assert.deepEqual([...list.times.subarray(0, list.count)], [3, 4, 5]);
  assert.deepEqual([...list.values.subarray(0, list.count)], [5, 4, 3]);
});
