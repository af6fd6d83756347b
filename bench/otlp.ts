/** OTLP requests to events: records a second on one core, beside a library's decoder and beside JSON. `node bench/otlp.ts` */
import { createPrng, type Prng } from '../src/lib/prng.ts';
import { createLogsTranscoder } from '../src/ingest/otlp/logs-protobuf.ts';
import { logsFromJson } from '../src/ingest/otlp/logs-json.ts';
import { decodeMessage, LOGS_REQUEST, TRACES_REQUEST } from '../src/ingest/otlp/protobuf.oracle.ts';
import { createTracesTranscoder } from '../src/ingest/otlp/traces-protobuf.ts';
import { doubleBytes, fixed64Field, lengthField, varintField } from './protobuf-fields.ts';

const RECORDS = 500;
const REQUESTS = 40;
const START_MS = Date.parse('2025-10-08T10:30:45.123Z');
const RUNS = 7;

const text = (field: number, key: string, value: string): Buffer =>
  lengthField(field, lengthField(1, key), lengthField(2, lengthField(1, value)));
const integer = (field: number, key: string, value: number): Buffer =>
  lengthField(field, lengthField(1, key), lengthField(2, varintField(3, value)));
const double = (field: number, key: string, value: number): Buffer =>
  lengthField(field, lengthField(1, key), lengthField(2, fixed64FieldOfDouble(value)));
const fixed64FieldOfDouble = (value: number): Buffer => fixed64Field(4, doubleBytes(value));

function nanos(ms: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(Math.round(ms * 1000)) * 1000n);
  return bytes;
}

const id = (prng: Prng, size: number): Buffer => Buffer.from(Array.from({ length: size }, () => prng.below(256)));

function request(records: Buffer[]): Buffer {
  const resource = [text(1, 'service.name', 'payment'), text(1, 'service.version', '1.4.2'), text(1, 'host.name', 'host-7')];
  const scope = lengthField(1, lengthField(1, 'payment'), lengthField(2, '1.0.0'));
  return lengthField(1, lengthField(1, ...resource), lengthField(2, scope, ...records.map((record) => lengthField(2, record))));
}

/** A log record with five attributes, a trace and a span id: about 270 bytes. */
function logRecord(prng: Prng): Buffer {
  const ms = START_MS + prng.below(1e7) / 1000;
  return Buffer.concat([
    fixed64Field(1, nanos(ms)),
    varintField(2, 9),
    lengthField(3, 'INFO'),
    lengthField(5, lengthField(1, `Request took ${prng.below(900)} ms, order ${10_000 + prng.below(90_000)}`)),
    double(6, 'latency_ms', prng.below(900_000) / 1000),
    text(6, 'endpoint', `/v${prng.below(5)}/checkout`),
    text(6, 'request_id', `req_${prng.below(1e9)}`),
    integer(6, 'http.response.status_code', 200),
    text(6, 'user_agent.original', 'okhttp/4.12.0'),
    lengthField(9, id(prng, 16)),
    lengthField(10, id(prng, 8)),
    fixed64Field(11, nanos(ms)),
  ]);
}

/** A server span with five attributes. */
function span(prng: Prng): Buffer {
  const ms = START_MS + prng.below(1e7) / 1000;
  return Buffer.concat([
    lengthField(1, id(prng, 16)),
    lengthField(2, id(prng, 8)),
    lengthField(4, id(prng, 8)),
    lengthField(5, 'GET /v1/checkout'),
    varintField(6, 2),
    fixed64Field(7, nanos(ms)),
    fixed64Field(8, nanos(ms + prng.below(900_000) / 1000)),
    text(9, 'http.request.method', 'GET'),
    text(9, 'http.route', `/v${prng.below(5)}/checkout`),
    integer(9, 'http.response.status_code', 200),
    text(9, 'url.path', `/v1/checkout/${prng.below(1e9)}`),
    text(9, 'server.address', 'shop.test'),
    lengthField(15),
  ]);
}

/** OTLP/JSON of the same request, as far as the reader is concerned. */
function jsonOf(value: unknown): Buffer {
  const names: Record<string, string> = { resources: 'resourceLogs', scopes: 'scopeLogs', records: 'logRecords' };
  const isId = (key: string): boolean => key === 'traceId' || key === 'spanId';
  const convert = (key: string, item: unknown): unknown => {
    if (typeof item === 'bigint') return String(item);
    if (Buffer.isBuffer(item)) return item.toString(isId(key) ? 'hex' : 'base64');
    if (Array.isArray(item)) return item.map((element) => convert('', element));
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([name, inner]) => [names[name] ?? name, convert(name, inner)]));
  };
  return Buffer.from(JSON.stringify(convert('', value)));
}

/** Records a second of CPU time, the median of several runs over all bodies: other work on the machine counts little. */
function rate(bodies: Buffer[], run: (body: Buffer) => unknown): number {
  const rates = Array.from({ length: RUNS }, () => {
    const start = process.cpuUsage();
    for (const body of bodies) run(body);
    const { user, system } = process.cpuUsage(start);
    return (bodies.length * RECORDS * 1e6) / (user + system);
  });
  return rates.toSorted((a, b) => a - b)[RUNS >> 1] as number;
}

const prng = createPrng(1);
const requests = (record: (prng: Prng) => Buffer): Buffer[] =>
  Array.from({ length: REQUESTS }, () => request(Array.from({ length: RECORDS }, () => record(prng))));
const logBodies = requests(logRecord);
const spanBodies = requests(span);
const jsonBodies = logBodies.map((body) => jsonOf(decodeMessage(LOGS_REQUEST, body)));
const logs = createLogsTranscoder();
const traces = createTracesTranscoder();
const rows: [string, Buffer[], (body: Buffer) => unknown][] = [
  ['logs, protobuf to events', logBodies, (body) => logs(body, START_MS)],
  ['logs, protobuf to objects by a library', logBodies, (body) => decodeMessage(LOGS_REQUEST, body)],
  ['logs, JSON to events', jsonBodies, (body) => logs(logsFromJson(body), START_MS)],
  ['logs, JSON.parse alone', jsonBodies, (body) => JSON.parse(body.toString()) as unknown],
  ['spans, protobuf to events', spanBodies, (body) => traces(body, START_MS)],
  ['spans, protobuf to objects by a library', spanBodies, (body) => decodeMessage(TRACES_REQUEST, body)],
];
console.table(
  rows.map(([name, bodies, run]) => ({
    path: name,
    'bytes/record': Math.round((bodies[0] as Buffer).length / RECORDS),
    'records/CPU s': Math.round(rate(bodies, run)).toLocaleString('en'),
  })),
);
