import assert from 'node:assert/strict';
import test from 'node:test';
import { createPrng } from '../src/lib/prng.ts';
import { LoadHistogram } from './load-histogram.ts';
import { createLoadRequest, RequestWriter, TimestampText } from './load-request.ts';

interface Line {
  timestamp: string;
  metadata: { request_id: string };
}

const url = new URL('http://127.0.0.1:8080/api/v1/events');
const request = () => createLoadRequest({ url, batch: 100, idempotency: true, prng: createPrng(1) });

function split(bytes: Buffer): { head: string; lines: Line[] } {
  const [head = '', body = ''] = bytes.toString().split('\r\n\r\n');
  const lines = body.split('\n').slice(0, -1);
  return { head, lines: lines.map((line) => JSON.parse(line) as Line) };
}

test('every send of a prepared request is valid, of the same length, and has ids and a key of its own', () => {
  const prepared = request();
  const writer = new RequestWriter(7);
  const ids = new Set<string>();
  const keys = new Set<string>();
  for (let round = 0; round < 50; round++) {
    writer.stamp(prepared, Date.UTC(2025, 9, 8) + round);
    const { head, lines } = split(prepared.bytes);
    assert.match(head, new RegExp(`^Content-Length: ${prepared.bodyLength}\r?$`, 'm'));
    assert.equal(lines.length, 100);
    for (const { timestamp, metadata } of lines) {
      assert.equal(Date.parse(timestamp), Date.UTC(2025, 9, 8) + round);
      ids.add(metadata.request_id);
    }
    keys.add(/Idempotency-Key: (load-[0-9a-f]{16})/.exec(head)?.[1] ?? '');
  }
  assert.equal(ids.size, 5000);
  assert.equal(keys.size, 50);
});

test('an event is about 200 bytes', () => {
  const { bodyLength, events } = request();
  assert.ok(Math.abs(bodyLength / events - 200) < 10, `${bodyLength / events} bytes`);
});

test('spread events get the timestamps that they are told, by their number in the run', () => {
  const prepared = request();
  const writer = new RequestWriter(1);
  const timestampOf = (n: number): number => 1000 * n;
  writer.spread(prepared, timestampOf);
  writer.spread(prepared, timestampOf);
  const { lines } = split(prepared.bytes);
  assert.deepEqual(
    lines.map(({ timestamp }) => Date.parse(timestamp)),
    Array.from({ length: 100 }, (_, n) => 1000 * (100 + n)),
  );
});

test('the text of a moment is its ISO form, also over midnight and backwards', () => {
  const prng = createPrng(3);
  const text = new TimestampText();
  for (let i = 0; i < 2000; i++) {
    const ms = Date.UTC(2024, 1, 28) + prng.below(3 * 86_400_000);
    text.set(ms);
    assert.equal(text.bytes.toString(), new Date(ms).toISOString());
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
