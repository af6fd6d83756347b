import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { judgeEvent, MAX_ENDPOINT_BYTES } from './event-rules.ts';
import type { EventRow } from './event-rules.ts';
import { MAX_EVENT_BYTES } from './event.ts';
import { hashId } from './id-hash.ts';
import { MAX_LISTED_REJECTIONS } from './scanner.ts';
import type { BodyForm, Rejection, Scanner, ScanLimits, ScanResult } from './scanner.ts';

/** What any scanner must find in a body. */
export interface ExpectedScan {
  form: BodyForm;
  rows: EventRow[];
  /** The JSON values of the accepted events, to compare slices with. */
  values: unknown[];
  rejections: Rejection[];
  syntaxError?: string;
}

function tryParse(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

function judgeAll(form: BodyForm, values: ({ value: unknown } | string)[], limits: ScanLimits): ExpectedScan {
  const expected: ExpectedScan = { form, rows: [], values: [], rejections: [] };
  for (const [index, entry] of values.entries()) {
    if (typeof entry === 'string') {
      expected.rejections.push({ index, field: '', reason: entry });
      continue;
    }
    const verdict = judgeEvent(entry.value, limits);
    if ('reason' in verdict) expected.rejections.push({ index, ...verdict });
    else {
      expected.rows.push(verdict);
      expected.values.push(entry.value);
    }
  }
  return expected;
}

function splitLines(body: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let p = 0; p <= body.length; p++) {
    if (p < body.length && body[p] !== 10) continue;
    lines.push(body.subarray(start, p));
    start = p + 1;
  }
  return lines.filter((line) => !/^[ \t\r]*$/.test(Buffer.from(line).toString('latin1')));
}

/** The scanner's contract in the plainest code: `JSON.parse` and the event rules. */
export function expectedScan(body: Uint8Array, limits: ScanLimits): ExpectedScan {
  const latin = Buffer.from(body)
    .toString('latin1')
    .replace(/^[ \t\r\n]+/, '');
  const whole = (form: BodyForm, syntaxError: string): ExpectedScan => ({
    form,
    rows: [],
    values: [],
    rejections: [],
    syntaxError,
  });
  if (latin === '') return whole('ndjson', 'is empty');
  const utf8 = isUtf8(body);
  const parsed = utf8 ? tryParse(Buffer.from(body).toString('utf8')) : null;
  if (latin.startsWith('[')) {
    if (!utf8) return whole('array', 'is not valid UTF-8');
    if (!parsed) return whole('array', 'is not valid JSON');
    return judgeAll(
      'array',
      (parsed.value as unknown[]).map((value) => ({ value })),
      limits,
    );
  }
  const lines = splitLines(body);
  if (parsed) return judgeAll('object', [parsed], limits);
  if (lines.length <= 1) return whole('object', utf8 ? 'is not valid JSON' : 'is not valid UTF-8');
  const entries = lines.map((line) => {
    if (!isUtf8(line)) return 'is not valid UTF-8';
    if (line.length > MAX_EVENT_BYTES) return `is longer than ${MAX_EVENT_BYTES} bytes`;
    return tryParse(Buffer.from(line).toString('utf8')) ?? 'is not valid JSON';
  });
  return judgeAll('ndjson', entries, limits);
}

function idHash(id: string): number[] {
  const out = new Uint32Array(2);
  const bytes = Buffer.from(id);
  if (id !== '') hashId(bytes, 0, bytes.length, out, 0);
  return [...out];
}

/** Compares scans with the oracle's; throws on the first difference. */
export function assertSameScans(scanners: readonly Scanner[], body: Buffer, limits: ScanLimits): void {
  const expected = expectedScan(body, limits);
  for (const scanner of scanners) assertExpected(scanner.scan(Buffer.from(body), limits), expected);
}

function assertExpected(result: ScanResult, expected: ExpectedScan): void {
  assert.equal(result.syntaxError, expected.syntaxError);
  const { batch } = result;
  assert.equal(batch.count, expected.rows.length);
  if (expected.syntaxError !== undefined) return;
  assert.equal(result.form, expected.form);
  assert.deepEqual(result.rejections, expected.rejections.slice(0, MAX_LISTED_REJECTIONS));
  assert.equal(result.rejectedCount, expected.rejections.length);
  // Names are UTF-8, which has no lone surrogates.
  for (const [i, row] of expected.rows.entries()) {
    assert.equal(batch.timestamp[i], row.timestamp);
    assert.equal(batch.latency[i], row.latency);
    assert.equal(batch.weight[i], row.weight);
    assert.equal(batch.kind[i], row.kind);
    assert.equal(batch.level[i], row.level);
    assert.equal(batch.names.entities.name(batch.entity[i] as number), row.entity.toWellFormed());
    const endpoint = Buffer.byteLength(row.endpoint) > MAX_ENDPOINT_BYTES ? 'other' : row.endpoint;
    assert.equal(batch.names.endpoints.name(batch.endpoint[i] as number), endpoint.toWellFormed());
    assert.equal(batch.names.versions.name(batch.version[i] as number), row.version.toWellFormed());
    assert.deepEqual([...batch.traceHash.subarray(2 * i, 2 * i + 2)], idHash(row.traceId));
    assert.deepEqual([...batch.spanHash.subarray(2 * i, 2 * i + 2)], idHash(row.spanId));
    assert.deepEqual([...batch.parentHash.subarray(2 * i, 2 * i + 2)], idHash(row.parentSpanId));
    const slice = Buffer.from(batch.bytes).subarray(batch.offset[i], (batch.offset[i] as number) + (batch.length[i] as number));
    assert.ok(!slice.includes(10));
    assert.deepEqual(JSON.parse(slice.toString('utf8')), expected.values[i]);
    const message = Buffer.from(batch.bytes).subarray((batch.messageStart[i] as number) - 1, (batch.messageEnd[i] as number) + 1);
    assert.equal(JSON.parse(message.toString('utf8')), (expected.values[i] as { message: string }).message);
  }
}
