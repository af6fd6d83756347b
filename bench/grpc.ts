/**
 * Native events over gRPC, what the server's thread takes for HTTP/2, framing, and decoding to NDJSON: our server with a handler
 * that stores nothing, beside the usual library with a handler that looks at nothing. `node bench/grpc.ts [--seconds 4]`
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { MethodDefinition, sendUnaryData, ServerDuplexStream, ServerUnaryCall } from '@grpc/grpc-js';
import { createAdmission } from '../src/ingest/admission.ts';
import { ClientLedger } from '../src/ingest/clients.ts';
import { ingestConfigSchema } from '../src/ingest/config.ts';
import { createDoorLimits } from '../src/ingest/door-limits.ts';
import { EventTranscoder } from '../src/ingest/grpc/events-protobuf.ts';
import { createGrpcServer } from '../src/ingest/grpc/server.ts';
import type { IngestHandler } from '../src/ingest/handler.ts';
import { createAuthorize } from '../src/ingest/keys.ts';
import { ConnectionBudget } from '../src/ingest/connection-budget.ts';
import { createOtlpExport } from '../src/ingest/otlp/export.ts';
import { PendingBytes } from '../src/ingest/pending-bytes.ts';
import { ClientLimits } from '../src/ingest/token-bucket.ts';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { silentMetrics } from '../src/lib/metrics.ts';
import { NO_LIMITS } from '../src/model/scanner.ts';
import type { GrpcClientOptions } from './grpc-client.ts';
import { publishBytes } from './grpc-request.ts';

const { values: flags } = parseArgs({ options: { seconds: { type: 'string', default: '4' } } });
const SECONDS = Number(flags.seconds);
const EVENTS = 500;
const CHANNELS = 16;

interface OpenServer {
  url: string;
  close(): Promise<void>;
}

async function openHelios(): Promise<OpenServer> {
  const config = ingestConfigSchema.parse({});
  const handler: IngestHandler = {
    acceptEvents: async () => ({ accepted: EVENTS, rejectedCount: 0, rejections: [], replayed: false }),
    acceptMetrics: async () => ({ accepted: 0, rejectedCount: 0, rejections: [], replayed: false }),
    limitsFor: () => NO_LIMITS,
    checkOpen: () => {},
    failure: () => null,
  };
  const admission = createAdmission({
    authorize: createAuthorize([]),
    checkOpen: () => {},
    isStopping: () => false,
    limits: new ClientLimits({ eventsPerSecond: 0, bytesPerSecond: 0, burstMs: 0 }, systemClock),
    pending: new PendingBytes(config.max_pending),
    ledger: new ClientLedger(systemClock, silentMetrics),
    clock: systemClock,
    maxInFlight: config.max_in_flight,
  });
  const server = createGrpcServer({
    host: '127.0.0.1',
    port: 0,
    tls: null,
    handler,
    otlpExport: createOtlpExport({ handler, clock: systemClock }),
    admission,
    limitsOf: createDoorLimits(config),
    connections: new ConnectionBudget(1000),
    config,
    isReady: () => true,
    clock: systemClock,
    logger: silentLogger,
    metrics: silentMetrics,
  });
  return { url: await server.listen(), close: async () => void (await server.close(Promise.resolve())) };
}

/** Messages as they come, and empty ones back. */
async function openPassThrough(): Promise<OpenServer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const asItIs = (bytes: Buffer): Buffer => bytes;
  const empty = Buffer.alloc(0);
  const method = (name: string, isStream: boolean): MethodDefinition<Buffer, Buffer> => ({
    path: `/helios.v1.EventService/${name}`,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  });
  server.addService(
    { Publish: method('Publish', false), PublishStream: method('PublishStream', true) },
    {
      Publish: (_: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, empty),
      PublishStream: (stream: ServerDuplexStream<Buffer, Buffer>) => {
        stream.on('data', () => stream.write(empty)).on('end', () => stream.end());
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { url: `http://127.0.0.1:${port}`, close: async () => server.forceShutdown() };
}

interface Row {
  path: string;
  'events/s': string;
  'events/CPU s': string;
}

const shown = (value: number): string => Math.round(value).toLocaleString('en');

async function measure(name: string, open: () => Promise<OpenServer>, transport: 'grpc' | 'grpc-stream'): Promise<Row> {
  const server = await open();
  const run = async (seconds: number): Promise<number> => {
    const options: GrpcClientOptions = { url: server.url, transport, events: EVENTS, channels: CHANNELS, seconds };
    const worker = new Worker(new URL('./grpc-client.ts', import.meta.url), { workerData: options });
    const [answers] = (await once(worker, 'message')) as [number];
    return answers * EVENTS;
  };
  await run(1);
  const before = process.threadCpuUsage();
  const events = await run(SECONDS);
  const { user, system } = process.threadCpuUsage(before);
  await server.close();
  return {
    path: `${name}, ${transport}`,
    'events/s': shown(events / SECONDS),
    'events/CPU s': shown((events * 1e6) / (user + system)),
  };
}

function measureTranscoder(): Row {
  const body = publishBytes(EVENTS).subarray(5);
  const transcoder = new EventTranscoder();
  const limits = { maxEvents: EVENTS, memory: { reserve(): void {} } };
  const rates = Array.from({ length: 7 }, () => {
    const before = process.threadCpuUsage();
    for (let i = 0; i < 500; i++) transcoder.transcode(body, limits);
    const { user, system } = process.threadCpuUsage(before);
    return (500 * EVENTS * 1e6) / (user + system);
  });
  return { path: 'transcoder alone', 'events/s': '', 'events/CPU s': shown(rates.toSorted((a, b) => a - b)[3] as number) };
}

console.table([
  measureTranscoder(),
  await measure('helios', openHelios, 'grpc'),
  await measure('helios', openHelios, 'grpc-stream'),
  await measure('@grpc/grpc-js, bytes passed through', openPassThrough, 'grpc'),
  await measure('@grpc/grpc-js, bytes passed through', openPassThrough, 'grpc-stream'),
]);
