import assert from 'node:assert/strict';
import test from 'node:test';
import { HeliosError } from '../../lib/errors.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Prng } from '../../lib/prng.ts';
import { createNames } from '../../model/event-batch.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import { MAX_SERVICE_BYTES } from '../../model/event.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import { expectedEvents } from './event.oracle.ts';
import { createLogsTranscoder } from './logs-protobuf.ts';
import { LOGS_REQUEST, TRACES_REQUEST } from './protobuf.oracle.ts';
import { randomMessage } from './request.fixture.ts';
import { createTracesTranscoder } from './traces-protobuf.ts';

const ARRIVAL_MS = Date.parse('2025-10-08T10:30:45.123Z');
const REQUESTS = Number(process.env['HELIOS_TEST_MUTATIONS'] ?? 150);
const SIGNALS = [
  { signal: 'logs', fields: LOGS_REQUEST, transcode: createLogsTranscoder() },
  { signal: 'traces', fields: TRACES_REQUEST, transcode: createTracesTranscoder() },
] as const;

function mutate(source: Uint8Array, prng: Prng): Buffer {
  let bytes = Buffer.from(source);
  for (let k = prng.below(4); k >= 0; k--) {
    const at = prng.below(bytes.length + 1);
    const kind = prng.below(5);
    if (kind < 2 && at < bytes.length) bytes[at] = prng.below(256);
    else if (kind === 2) bytes = bytes.subarray(0, at);
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff, 0xff, 0x7f]), bytes.subarray(at)]);
    else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + prng.below(9)))]);
  }
  return bytes;
}

for (const { signal, fields, transcode } of SIGNALS) {
  test(`random requests with ${signal} become the events that the plain twin makes of them, and the scanner takes every one`, () => {
    const prng = createPrng(11);
    const scanner = createJsonScanner(createNames());
    let events = 0;
    for (let round = 0; round < REQUESTS; round++) {
      const body = randomMessage(fields, prng);
      const { ndjson, count, rejectedCount } = transcode(body, ARRIVAL_MS);
      const text = Buffer.from(ndjson).toString('utf8');
      const lines = text.split('\n').slice(0, -1);
      const expected = expectedEvents(signal, body, ARRIVAL_MS);
      assert.equal(lines.length, count);
      if (expected.some(({ service }) => Buffer.byteLength(String(service)) > MAX_SERVICE_BYTES)) {
        const { rejections } = scanner.scan(ndjson, NO_LIMITS);
        assert.ok(rejections.length > 0 && rejections.every(({ field }) => field === 'service'));
        continue;
      }
      assert.deepEqual(
        lines.map((line) => JSON.parse(line) as unknown),
        expected,
        `seed 11, round ${round}: ${Buffer.from(body).toString('hex')}`,
      );
      assert.equal(rejectedCount, 0);
      if (count === 0) continue;
      const scan = scanner.scan(ndjson, NO_LIMITS);
      assert.deepEqual([scan.syntaxError, scan.rejections, scan.batch.count], [undefined, [], count]);
      events += count;
    }
    assert.ok(events > REQUESTS);
  });

  test(`damaged requests with ${signal} are refused as invalid_body or become lines that the scanner reads, never anything else`, () => {
    const prng = createPrng(12);
    const scanner = createJsonScanner(createNames());
    let refused = 0;
    let read = 0;
    for (let round = 0; round < 2 * REQUESTS; round++) {
      const body = mutate(randomMessage(fields, prng), prng);
      try {
        const { ndjson, count } = transcode(body, ARRIVAL_MS);
        if (count === 0) continue;
        const scan = scanner.scan(ndjson, NO_LIMITS);
        assert.equal(scan.syntaxError, undefined);
        assert.equal(scan.batch.count + scan.rejectedCount, count);
        for (const { field, reason } of scan.rejections) assert.notEqual(field, '', reason);
        read++;
      } catch (error) {
        assert.ok(error instanceof HeliosError && error.code === 'invalid_body', `seed 12, round ${round}: ${String(error)}`);
        refused++;
      }
    }
    assert.ok(refused > REQUESTS / 10 && read > REQUESTS / 10, `${refused} refused, ${read} read`);
  });
}
