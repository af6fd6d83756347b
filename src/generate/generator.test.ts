import assert from 'node:assert/strict';
import test from 'node:test';
import { FAULT_NAMES } from './fault-kinds.ts';
import type { Generator } from './generator.ts';
import { createGenerator } from './generator.ts';

const START_MS = Date.parse('2025-10-08T10:00:00Z');
const MINUTE_MS = 60_000;

interface ParsedEvent {
  timestamp: string;
  service: string;
  level: string;
  message: string;
  metadata: { latency_ms: number; endpoint: string; 'service.version': string };
  trace_id: string;
  span_id: string;
  parent_span_id?: string;
}

function bytesOf(generator: Generator, chunkEvents?: number): Buffer {
  return Buffer.concat(Array.from(generator.events(chunkEvents), ({ bytes }) => bytes));
}

function eventsOf(bytes: Buffer): ParsedEvent[] {
  return bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as ParsedEvent);
}

test('the same seed gives the same bytes and labels, another seed others', () => {
  const make = (seed: number) => createGenerator({ seed, startMs: START_MS, durationMs: 20 * MINUTE_MS, rate: 20, faults: 3 });
  assert.ok(bytesOf(make(5)).equals(bytesOf(make(5))));
  assert.deepEqual(make(5).labels, make(5).labels);
  assert.ok(!bytesOf(make(5)).equals(bytesOf(make(6))));
  assert.notDeepEqual(make(5).labels, make(6).labels);
});

test('cutting the stream into chunks, slices or a cursor does not change its bytes', () => {
  const generator = createGenerator({
    seed: 8,
    startMs: START_MS,
    durationMs: 5 * MINUTE_MS,
    rate: 60,
    faults: ['dependency_timeout'],
  });
  const whole = bytesOf(generator, 1000);
  assert.ok(bytesOf(generator, 7).equals(whole));
  const cuts = [0, 1, 900, 1000, 61_500, 61_501, 177_777, 299_999, 300_000];
  const slices = cuts.slice(1).map((cut, i) => generator.slice(START_MS + (cuts[i] as number), START_MS + cut).bytes);
  assert.ok(Buffer.concat(slices).equals(whole));
  const advance = generator.cursor(START_MS);
  assert.ok(Buffer.concat(cuts.map((cut) => advance(START_MS + cut).bytes)).equals(whole));
});

test('chunks hold exactly the asked number of whole events, in order of time', () => {
  const generator = createGenerator({ startMs: START_MS, durationMs: 2 * MINUTE_MS, rate: 50 });
  const chunks = [...generator.events(100)];
  assert.ok(chunks.slice(0, -1).every(({ count }) => count === 100));
  let previous = '';
  for (const { bytes, count } of chunks) {
    const events = eventsOf(bytes);
    assert.equal(events.length, count);
    for (const { timestamp } of events) {
      assert.ok(timestamp >= previous);
      previous = timestamp;
    }
  }
});

test('every event names a parent that belongs to the same trace and ends no earlier', () => {
  const generator = createGenerator({ startMs: START_MS, durationMs: 2 * MINUTE_MS, rate: 50 });
  const events = eventsOf(bytesOf(generator));
  const spans = new Map(events.map((event) => [event.span_id, event]));
  assert.equal(spans.size, events.length);
  const lateMs = START_MS + 110_000;
  let children = 0;
  for (const event of events) {
    if (event.parent_span_id === undefined) {
      assert.equal(event.service, generator.services[0]);
      continue;
    }
    if (Date.parse(event.timestamp) > lateMs) continue;
    const parent = spans.get(event.parent_span_id);
    assert.equal(parent?.trace_id, event.trace_id);
    assert.ok((parent?.timestamp ?? '') >= event.timestamp);
    children++;
  }
  assert.ok(children > events.length / 2);
});

test('over a week the stream has the asked mean rate, more by day than by night, less at the weekend', () => {
  const hourly: number[] = [];
  const generator = createGenerator({ startMs: Date.parse('2025-10-06T00:00:00Z'), durationMs: 7 * 86_400_000, rate: 40 });
  for (let hour = 0; hour < 7 * 24; hour += 2) {
    // Twenty seconds of every second hour stand for them, so that a week takes a moment.
    const from = generator.startMs + hour * 3_600_000;
    hourly.push(generator.slice(from, from + 20_000).count / 20);
  }
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean(hourly) / 40 - 1) < 0.1, `mean ${mean(hourly)}`);
  const byHour = Array.from({ length: 12 }, (_, slot) => mean(hourly.filter((_, index) => index % 12 === slot)));
  assert.ok(Math.max(...byHour) > 2 * Math.min(...byHour));
  assert.ok(mean(hourly.slice(5 * 12)) < 0.85 * mean(hourly.slice(0, 5 * 12)));
});

test('every wanted kind gets a labelled place after the warm-up, and no two faults overlap', () => {
  const generator = createGenerator({
    seed: 3,
    startMs: START_MS,
    durationMs: 10 * 60 * MINUTE_MS,
    warmUpMs: 60 * MINUTE_MS,
    faults: FAULT_NAMES,
  });
  const faults = generator.labels.filter(({ benign }) => !benign);
  assert.deepEqual(
    faults.map(({ kind }) => kind),
    FAULT_NAMES,
  );
  let freeFrom = START_MS + 60 * MINUTE_MS;
  for (const { start, end } of faults) {
    assert.ok(Date.parse(start) >= freeFrom);
    freeFrom = Date.parse(end);
  }
  assert.ok(freeFrom <= generator.endMs);
});

test('faults left to chance come after the warm-up with gaps between them, harmless things keep away from them', () => {
  const generator = createGenerator({
    seed: 4,
    startMs: START_MS,
    durationMs: 72 * 3_600_000,
    faultGapMs: 3_600_000,
    benignGapMs: 1_800_000,
  });
  const faults = generator.labels.filter(({ benign }) => !benign);
  const benign = generator.labels.filter(({ benign: harmless, kind }) => harmless && kind !== 'holiday');
  assert.ok(faults.length > 15 && benign.length > 15, `${faults.length} ${benign.length}`);
  for (const [index, { start, end }] of faults.entries()) {
    const next = faults[index + 1];
    if (next) assert.ok(Date.parse(next.start) - Date.parse(end) >= 20 * MINUTE_MS);
    assert.ok(!benign.some((other) => other.start < end && other.end > start));
  }
  const quiet = createGenerator({ startMs: START_MS, durationMs: 72 * 3_600_000, faults: 0, benignGapMs: Infinity });
  assert.deepEqual(quiet.labels, []);
});

test('a stream of more services than the blueprint has gives each of them traffic', () => {
  const generator = createGenerator({ startMs: START_MS, durationMs: MINUTE_MS, rate: 400, services: 20, faults: 0 });
  const seen = new Set(eventsOf(bytesOf(generator)).map(({ service }) => service));
  assert.deepEqual([...seen].toSorted(), [...generator.services].toSorted());
});

test('options that make no stream are refused in one sentence', () => {
  const base = { startMs: START_MS, durationMs: MINUTE_MS };
  assert.throws(() => createGenerator({ ...base, rate: 0 }), /cannot generate events: rate/);
  assert.throws(() => createGenerator({ ...base, services: 1 }), /cannot generate events: services/);
  assert.throws(() => createGenerator({ ...base, startMs: NaN }), /cannot generate events: start/);
  assert.throws(() => createGenerator({ ...base, faults: 50 }), /50 faults do not fit/);
  const faults = [{ kind: 'silence', startMs: START_MS, service: 'nobody' }] as const;
  assert.throws(() => createGenerator({ ...base, faults }), /no service named "nobody"/);
});
