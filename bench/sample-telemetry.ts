import { createPrng, type Prng } from '../src/lib/prng.ts';
import type { SampleRecord } from './sample-events.ts';

const START_MS = Date.parse('2025-10-08T10:30:45.123Z');
const SERVICES = Array.from({ length: 40 }, (_, i) => `shop-${'abcdefgh'[i % 8]}${i >> 3}`);
const OPTIONAL: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['http.request.method', ['"GET"', '"POST"', '"PUT"']],
  ['http.response.status_code', ['200', '200', '200', '201', '404', '500']],
  ['url.scheme', ['"https"']],
  ['server.address', ['"a.shop.test"', '"b.shop.test"']],
  ['network.protocol.version', ['"1.1"', '"2"']],
  ['user_agent.original', ['"Mozilla/5.0 (X11; Linux x86_64)"', '"okhttp/4.12.0"']],
  ['db.system.name', ['"postgresql"', '"redis"']],
  ['db.operation.name', ['"SELECT"', '"INSERT"', '"GET"']],
  ['messaging.system', ['"kafka"']],
  ['rpc.method', ['"Get"', '"List"', '"Put"']],
];

function hex(prng: Prng, digits: number): string {
  let text = '';
  while (text.length < digits)
    text += prng
      .below(2 ** 32)
      .toString(16)
      .padStart(8, '0');
  return text.slice(0, digits);
}

function records(lines: number, perRecord: number, line: (timestampMs: number) => string): SampleRecord[] {
  let timestampMs = START_MS;
  return Array.from({ length: Math.ceil(lines / perRecord) }, () => {
    timestampMs += 1;
    const text = Array.from({ length: perRecord }, () => `${line(timestampMs)}\n`).join('');
    return { bytes: Buffer.from(text), count: perRecord, timestampMs };
  });
}

/** Spans as the OTLP door writes them: three ids, dotted keys, and any of ten attributes, so about a thousand shapes. */
export function spanRecords(lines: number, perRecord: number, seed = 2): SampleRecord[] {
  const prng = createPrng(seed);
  let trace = hex(prng, 32);
  let parent = hex(prng, 16);
  return records(lines, perRecord, (timestampMs) => {
    if (prng.below(5) === 0) [trace, parent] = [hex(prng, 32), hex(prng, 16)];
    const span = hex(prng, 16);
    const service = SERVICES[prng.below(SERVICES.length)] as string;
    const attributes = OPTIONAL.filter(() => prng.below(3) > 0).map(
      ([name, values]) => `,"${name}":${values[prng.below(values.length)] as string}`,
    );
    const timestamp = `${new Date(timestampMs).toISOString().slice(0, -1)}${String(prng.below(1000)).padStart(3, '0')}Z`;
    const latency = Math.round(Math.exp(prng.normal() * 0.8 + 9)) / 1000;
    const metadata = `"latency_ms":${latency},"endpoint":"GET /items/${prng.below(30)}","span.kind":"SERVER","service.version":"1.2"`;
    const ids = `"trace_id":"${trace}","span_id":"${span}","parent_span_id":"${parent}"`;
    return `{"timestamp":"${timestamp}","service":"${service}","level":"INFO","message":"GET /items","kind":"span","metadata":{${metadata}${attributes.join('')}},${ids}}`;
  });
}

/** Lines of the metrics log: 2,000 series that are scraped in turn, every 15 seconds of their time, one point each. */
export function metricRecords(lines: number, perRecord: number, seed = 3): SampleRecord[] {
  const prng = createPrng(seed);
  const series = 2000;
  const totals = new Float64Array(series);
  let next = 0;
  return records(lines, perRecord, () => {
    const id = next++ % series;
    const isCounter = id % 3 > 0;
    const value = isCounter ? (totals[id] = (totals[id] as number) + prng.below(100)) : Math.round(prng.next() * 1e6) / 1000;
    const timestampMs = START_MS + Math.floor(next / series) * 15_000;
    const name = `shop.requests.${id % 20}`;
    const labels = `"http.route":"/items/${id % 50}","instance":"shop-${id % 40}:8080","le":"${id % 10}"`;
    const identity = `"service":"${SERVICES[id % 40] as string}","environment":"prod","namespace":""`;
    const kind = isCounter ? 'cumulative' : 'gauge';
    return `{"name":"${name}","kind":"${kind}","unit":"1",${identity},"labels":{${labels}},"points":[[${timestampMs},${value}]]}`;
  });
}
