import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import { createNames } from '../../model/event-batch.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { ProtobufWriter } from '../protobuf-writer.ts';
import { EventTranscoder } from './events-protobuf.ts';
import { encodeEvent, readRequest } from './events.oracle.ts';

const REQUESTS = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 2000);
const SEED = Number(process.env['HELIOS_TEST_SEED'] ?? 20_251_008);
const LIMITS = { maxEvents: 1000, memory: { reserve(): void {} } };
const TEXTS = ['', 'a', 'latency_ms', 'endpoint', 'GET /x', 'Zürich "quoted" \\ \n\t\u0001 \u2028 𝄞', 'x'.repeat(200)];
const NUMBERS = [0, -0, 1, -1, 0.1, 12.5, 1e21, 5e-324, 2 ** 53, NaN, Infinity, 123_456.789, -99.999];

const pick = <T>(list: readonly T[], prng: Prng): T => list[prng.below(list.length)] as T;

function drawValue(prng: Prng, depth: number): unknown {
  const kind = prng.below(depth > 3 ? 4 : 6);
  if (kind === 0) return null;
  if (kind === 1) return prng.next() < 0.5;
  if (kind === 2) return prng.next() < 0.5 ? pick(NUMBERS, prng) : Math.round(prng.next() * 1e6) / 1000;
  if (kind === 3) return pick(TEXTS, prng);
  return kind === 4 ? Array.from({ length: prng.below(4) }, () => drawValue(prng, depth + 1)) : drawObject(prng, depth + 1);
}

function drawObject(prng: Prng, depth: number): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: prng.below(4) }, () => [pick(TEXTS, prng), drawValue(prng, depth)]));
}

/** Each field absent half of the time. */
function drawEvent(prng: Prng): object {
  const fields: [string, () => unknown][] = [
    ['timestamp', () => ({ seconds: BigInt(prng.below(2 ** 32) - 2 ** 28), nanos: prng.below(1e9) })],
    ['service', () => pick(TEXTS, prng)],
    ['level', () => pick(['INFO', 'error', 'LOUD', ''], prng)],
    ['message', () => pick(TEXTS, prng)],
    ['metadata', () => drawObject(prng, 0)],
    ['latencyMs', () => pick(NUMBERS, prng)],
    ['endpoint', () => pick(TEXTS, prng)],
    ['traceId', () => '8b51e36eaee3265bec099d0c5c63fd37'],
    ['spanId', () => pick(TEXTS, prng)],
    ['parentSpanId', () => pick(TEXTS, prng)],
  ];
  return Object.fromEntries(fields.filter(() => prng.next() < 0.5).map(([name, draw]) => [name, draw()]));
}

/** Up to three parts that protobuf merges, with fields between them that nobody knows. */
function drawEventBytes(prng: Prng): Uint8Array {
  const unknown = new ProtobufWriter().uint(99, 300).string(2000, 'unknown').finish();
  const parts = Array.from({ length: 1 + prng.below(3) }, () => encodeEvent(drawEvent(prng)));
  return Buffer.concat(prng.next() < 0.3 ? [unknown, ...parts, unknown] : parts);
}

function drawRequest(prng: Prng): Buffer {
  const request = new ProtobufWriter();
  const count = prng.below(5);
  for (let i = 0; i < count; i++) request.message(1, drawEventBytes(prng));
  if (prng.next() < 0.3) request.string(2, `key ${prng.below(10)}`);
  return Buffer.from(request.finish());
}

function linesOf(ndjson: Uint8Array): unknown[] {
  const text = Buffer.from(ndjson).toString('utf8');
  assert.ok(text === '' || text.endsWith('\n'));
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
}

test('events say what protobuf-es reads, in any order and number of fields', () => {
  const prng = createPrng(SEED);
  const transcoder = new EventTranscoder();
  for (let i = 0; i < REQUESTS; i++) {
    const body = drawRequest(prng);
    const expected = readRequest(body);
    const { ndjson, count, idempotencyKey } = transcoder.transcode(body, LIMITS);
    assert.deepEqual(linesOf(ndjson), expected.events, `seed ${SEED}, request ${i}`);
    assert.equal(count, expected.events.length);
    assert.equal(idempotencyKey, expected.idempotencyKey);
  }
});

test('damaged requests are refused as such, or give one line of JSON an event', () => {
  const prng = createPrng(SEED + 1);
  const transcoder = new EventTranscoder();
  const scanner = createJsonScanner(createNames());
  let refused = 0;
  for (let i = 0; i < REQUESTS; i++) {
    const body = drawRequest(prng);
    for (let hits = 1 + prng.below(3); hits > 0 && body.length > 0; hits--) body[prng.below(body.length)] = prng.below(256);
    const damaged = prng.next() < 0.3 ? body.subarray(0, prng.below(body.length + 1)) : body;
    try {
      const { ndjson, count } = transcoder.transcode(damaged, LIMITS);
      assert.equal(linesOf(ndjson).length, count, `seed ${SEED + 1}, request ${i}`);
      if (count === 0) continue;
      const { batch, rejectedCount, syntaxError } = scanner.scan(ndjson, NO_LIMITS);
      assert.deepEqual([batch.count + rejectedCount, syntaxError], [count, undefined], `seed ${SEED + 1}, request ${i}`);
    } catch (error) {
      if (!(error instanceof HeliosError)) throw error;
      assert.equal(error.code, 'invalid_body');
      refused++;
    }
  }
  assert.ok(refused > REQUESTS / 10);
});

test('times outside of what nanoseconds in 64 bits reach are still times, or rejected as none', () => {
  const at = (seconds: bigint, nanos = 0): string => {
    const event = encodeEvent({ timestamp: { seconds, nanos } });
    const { ndjson } = new EventTranscoder().transcode(new ProtobufWriter().message(1, event).finish(), LIMITS);
    return (linesOf(ndjson)[0] as { timestamp: string }).timestamp;
  };
  assert.equal(at(-1n, 5000), '1969-12-31T23:59:59.000005Z');
  assert.equal(at(0n), '1970-01-01T00:00:00.000000Z');
  assert.equal(at(18_446_744_073n, 999_999_999), '2554-07-21T23:34:33.999999Z');
  assert.equal(at(253_402_300_799n), '9999-12-31T23:59:59.000000Z');
  for (let i = 0, prng = createPrng(SEED); i < 1000; i++) {
    const seconds = prng.below(18_446_744_073);
    const micros = prng.below(1e6);
    const expected = new Date(seconds * 1000).toISOString().replace('.000Z', `.${String(micros).padStart(6, '0')}Z`);
    assert.equal(at(BigInt(seconds), micros * 1000 + prng.below(1000)), expected);
  }
  for (const [seconds, nanos] of [
    [2n ** 62n, 0],
    [-(2n ** 62n), 0],
    [1n, -1],
    [1n, 1_000_000_000],
  ] as const) {
    assert.doesNotMatch(at(seconds, nanos), /^\d/);
  }
});

test('metadata that nests without end is cut where the rules have long rejected it', () => {
  let value = new ProtobufWriter().uint(4, 1).finish();
  for (let depth = 0; depth < 5000; depth++)
    value = new ProtobufWriter().message(6, new ProtobufWriter().message(1, value).finish()).finish();
  const entry = new ProtobufWriter().string(1, 'deep').message(2, value).finish();
  const struct = new ProtobufWriter().message(1, entry).finish();
  const head = encodeEvent({ timestamp: { seconds: 1n, nanos: 0 }, service: 's', level: 'INFO' });
  const event = Buffer.concat([head, new ProtobufWriter().message(5, struct).finish()]);
  const { ndjson } = new EventTranscoder().transcode(new ProtobufWriter().message(1, event).finish(), LIMITS);
  assert.ok(ndjson.length < 1000);
  const { rejections, rejectedCount } = createJsonScanner(createNames()).scan(ndjson, NO_LIMITS);
  assert.equal(rejectedCount, 1);
  assert.equal(rejections[0]?.reason, 'nests deeper than 16');
});

test('memory is accounted for while the text grows, and too many events are too large', () => {
  const event = encodeEvent({ message: '\u0001'.repeat(50_000) });
  const request = new ProtobufWriter();
  for (let i = 0; i < 10; i++) request.message(1, event);
  const body = request.finish();
  let reserved = 0;
  const { ndjson } = new EventTranscoder().transcode(body, {
    maxEvents: 10,
    memory: { reserve: (bytes) => (reserved += bytes) },
  });
  assert.ok(reserved >= ndjson.length && ndjson.length > 3_000_000);
  const full = (): never => {
    throw new HeliosError('overloaded', 'cannot hold more');
  };
  assert.throws(() => new EventTranscoder().transcode(body, { maxEvents: 10, memory: { reserve: full } }), {
    code: 'overloaded',
  });
  assert.throws(() => new EventTranscoder().transcode(body, { ...LIMITS, maxEvents: 9 }), { code: 'too_large' });
});
