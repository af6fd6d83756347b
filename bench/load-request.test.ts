import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../src/lib/prng.ts';
import { DOOR_NAMES, LOAD_DOORS } from './load-doors.ts';
import type { DoorName } from './load-doors.ts';
import { LoadHistogram } from './load-histogram.ts';
import { createLoadRequest, RequestWriter } from './load-request.ts';
import type { LoadRequest } from './load-request.ts';
import { NanosTime, TextTime } from './load-time.ts';

interface Line {
  timestamp: string;
  metadata: { request_id: string };
}

const BATCH = 100;
const NOW_MS = Date.UTC(2025, 9, 8);

function request(door: DoorName): LoadRequest {
  return createLoadRequest({ door: LOAD_DOORS[door], host: '[::1]:80', batch: BATCH, idempotency: true, prng: createPrng(1) });
}

function bodyOf({ bytes, bodyLength }: LoadRequest): Buffer {
  return bytes.subarray(bytes.length - bodyLength);
}

function linesOf(prepared: LoadRequest): Line[] {
  const lines = bodyOf(prepared).toString().split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

for (const door of DOOR_NAMES) {
  test(`every send of a prepared request to ${door} has the same length, and ids or values and a key of its own`, () => {
    const prepared = request(door);
    const { length } = prepared.bytes;
    const writer = new RequestWriter(7);
    const seen = new Set<string | number>();
    const keys = new Set<string>();
    for (let round = 0; round < 20; round++) {
      writer.stamp(prepared, NOW_MS + round);
      for (const name of [...writer.idsOf(prepared), ...writer.valuesOf(prepared)]) seen.add(name);
      keys.add(/load-([0-9a-f]{16})/.exec(prepared.bytes.toString('latin1'))?.[1] ?? '');
      assert.doesNotMatch(prepared.bytes.toString('latin1'), /@@ID|@@VALUE|@@KEY|@TM@|@TIME/);
    }
    assert.equal(prepared.bytes.length, length);
    assert.equal(seen.size, 20 * BATCH);
    assert.equal(keys.size, LOAD_DOORS[door].takesKeys ? 20 : 1);
    assert.equal(writer.records, 20 * BATCH);
  });
}

test('events as NDJSON are valid, of about 200 bytes, and of the moment that they are stamped with', () => {
  const prepared = request('http');
  new RequestWriter(1).stamp(prepared, NOW_MS);
  const lines = linesOf(prepared);
  assert.equal(lines.length, BATCH);
  assert.ok(lines.every(({ timestamp }) => Date.parse(timestamp) === NOW_MS));
  const bytes = prepared.bodyLength / BATCH;
  assert.ok(Math.abs(bytes - 200) < 10, `${bytes} bytes`);
  assert.match(prepared.bytes.toString(), new RegExp(`^Content-Length: ${prepared.bodyLength}\r?$`, 'm'));
});

test('spread events get the timestamps that they are told, by their number in the run', () => {
  const prepared = request('http');
  const writer = new RequestWriter(1);
  const timestampOf = (n: number): number => 1000 * n;
  writer.spread(prepared, timestampOf);
  writer.spread(prepared, timestampOf);
  assert.deepEqual(
    linesOf(prepared).map(({ timestamp }) => Date.parse(timestamp)),
    Array.from({ length: BATCH }, (_, n) => 1000 * (BATCH + n)),
  );
});

test('the text of a moment is its ISO form, also over midnight and backwards', () => {
  const prng = createPrng(3);
  const text = new TextTime();
  for (let i = 0; i < 2000; i++) {
    const ms = Date.UTC(2024, 1, 28) + prng.below(3 * 86_400_000);
    text.set(ms);
    assert.equal(text.bytes.toString(), new Date(ms).toISOString());
  }
});

test('nanoseconds are exact, also where the earlier moment borrows from the upper half', () => {
  const prng = createPrng(4);
  const time = new NanosTime();
  const bytes = Buffer.alloc(8);
  for (let i = 0; i < 2000; i++) {
    const ms = NOW_MS + prng.below(86_400_000);
    const shiftMicros = prng.below(2 ** 32);
    time.set(ms);
    time.write(bytes, 0, shiftMicros);
    assert.equal(bytes.readBigUInt64LE(), BigInt(ms) * 1_000_000n - BigInt(shiftMicros) * 1000n);
  }
});

test('quantiles of the latency histogram are nearest-rank within a 64th', () => {
  const prng = createPrng(5);
  const histogram = new LoadHistogram();
  const values = Array.from({ length: 10_000 }, () => Math.exp(2 * prng.normal()));
  for (const value of values) histogram.add(value);
  values.sort((a, b) => a - b);
  for (const q of [0.001, 0.5, 0.9, 0.99, 0.999]) {
    const exact = values[Math.ceil(q * values.length) - 1] as number;
    assert.ok(Math.abs(histogram.quantileMs(q) - exact) <= exact / 64 + 0.001, `${q}: ${histogram.quantileMs(q)} for ${exact}`);
  }
  assert.equal(histogram.total, 10_000);
  assert.ok(Math.abs(histogram.maxMs() - (values.at(-1) as number)) < 0.001);
});
