// Events a second of processor time on one core: the scanner with SIMD, the one in JavaScript, and JSON.parse alone, in turn
// on the same bodies.
// node bench/scanner.ts [events]
import { createPrng } from '../src/lib/prng.ts';
import { createNames } from '../src/model/event-batch.ts';
import { createJsonScanner } from '../src/model/json-scanner.ts';
import { NO_LIMITS } from '../src/model/scanner.ts';
import { createSimdScanner } from '../src/model/simd-scanner.ts';
import { sampleRecords } from './sample-events.ts';

const ROUNDS = 15;
const BATCH = 1000;
const START_MS = Date.parse('2025-10-08T10:30:45.123Z');

type Scan = (body: Buffer) => number;

/** What the OTLP doors write: log records and spans with ids, and the resource's attributes in the metadata. */
function otlpBodies(events: number): Buffer[] {
  const prng = createPrng(3);
  const hex = (digits: number): string => Array.from({ length: digits }, () => prng.below(16).toString(16)).join('');
  const line = (i: number): string => {
    const isSpan = i % 2 === 0;
    const metadata = {
      ...(isSpan && {
        latency_ms: prng.below(1_000_000) / 1000,
        endpoint: `GET /items/${prng.below(20)}`,
        'span.kind': 'server',
      }),
      'http.response.status_code': 200,
      'service.namespace': 'shop',
      'service.version': '1.4.2',
      'deployment.environment.name': 'production',
      'host.name': `node-${prng.below(8)}`,
      'k8s.pod.name': `cart-7d9f8b6c5-${hex(5)}`,
    };
    const timestamp = new Date(START_MS + i).toISOString();
    const ids = { trace_id: hex(32), span_id: hex(16), ...(isSpan && { parent_span_id: hex(16) }) };
    const text = isSpan ? 'GET /items' : `item ${prng.below(100_000)} reserved for order ${prng.below(100_000)}`;
    const service = `svc-${prng.below(20)}`;
    return JSON.stringify({ timestamp, service, level: 'INFO', message: text, kind: isSpan ? 'span' : 'log', ...ids, metadata });
  };
  return Array.from({ length: events / BATCH }, (_, b) =>
    Buffer.from(Array.from({ length: BATCH }, (_, i) => `${line(b * BATCH + i)}\n`).join('')),
  );
}

function parseLines(body: Buffer): number {
  let count = 0;
  for (let at = 0, end = body.indexOf(10); end >= 0; at = end + 1, end = body.indexOf(10, at)) {
    JSON.parse(body.toString('utf8', at, end));
    count++;
  }
  return count;
}

/** By processor time, not by the clock: other work on the machine does not count. */
function eventsPerSecond(scan: Scan, bodies: Buffer[]): number {
  const start = process.cpuUsage();
  let count = 0;
  for (const body of bodies) count += scan(body);
  const { user, system } = process.cpuUsage(start);
  return (count * 1e6) / (user + system);
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

const events = Number(process.argv[2] ?? 50_000);
const bodies = { 'native, 200 bytes': sampleRecords(events, BATCH).map(({ bytes }) => bytes), 'OTLP-shaped': otlpBodies(events) };
const simd = createSimdScanner(createNames());
const plain = createJsonScanner(createNames());
const scans: Record<string, Scan> = {
  SIMD: (body) => simd.scan(body, NO_LIMITS).batch.count,
  JavaScript: (body) => plain.scan(body, NO_LIMITS).batch.count,
  'JSON.parse': parseLines,
};
const rows = [];
for (const [events_, list] of Object.entries(bodies)) {
  const rates = new Map(Object.keys(scans).map((name) => [name, [] as number[]]));
  // In turn, so that a busy moment of the machine hits all three.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, scan] of Object.entries(scans)) rates.get(name)?.push(eventsPerSecond(scan, list));
  }
  const bytes = list.reduce((sum, { length }) => sum + length, 0) / events;
  const parse = median(rates.get('JSON.parse') ?? []);
  for (const [name, all] of rates) {
    const rate = median(all);
    rows.push({
      events: events_,
      bytes: Math.round(bytes),
      scanner: name,
      'events/s': Math.round(rate),
      best: Math.round(Math.max(...all)),
      'MB/s': Math.round((rate * bytes) / 1e6),
      'to JSON.parse': (rate / parse).toFixed(2),
    });
  }
}
console.table(rows);
