import { createPrng } from '../src/lib/prng.ts';
import type { Prng } from '../src/lib/prng.ts';
import { auditLogs, settledCounts } from './crash-audit.ts';
import { CrashClients, clientsOfDoors } from './crash-clients.ts';
import { FuzzBodies } from './fuzz-body.ts';
import { brokenHttp2, framedCall } from './fuzz-grpc.ts';
import { brokenRequest, framedRequest } from './fuzz-http.ts';
import { FuzzPipeline } from './fuzz-pipeline.ts';
import { sendAlone, sendCall } from './fuzz-senders.ts';
import { FuzzTally } from './fuzz-tally.ts';
import { GrpcSessions } from './load-grpc.ts';
import { DOOR_NAMES } from './load-doors.ts';
import { residentBytes } from './process-usage.ts';
import { getSelfMetrics, waitFor } from './server-api.ts';
import { ServerProcess } from './server-process.ts';

/** What inputs are made of: requests and calls with damaged contents, and connections with damaged framing. */
const SHARES = { http: 0.72, grpc: 0.2, brokenHttp: 0.05, brokenHttp2: 0.03 } as const;
type InputKind = keyof typeof SHARES;
const HTTP_CONNECTIONS = 6;
const CALLS_IN_FLIGHT = 32;
const GRPC_SESSIONS = 2;
const LONE_CONNECTIONS = 64;
/** The level of memory is taken after so many of the inputs, so that what every server needs to run is in it. */
const WARM_UP_SHARE = 0.1;
const SETTLE_MS = 3000;

export interface FuzzOptions {
  dataDir: string;
  inputs: number;
  seed: number;
  args?: readonly string[];
}

export interface FuzzOutcome {
  inputs: number;
  seconds: number;
  answers: Record<string, number>;
  failures: FuzzTally['failures'];
  /** Of the well-behaved clients. */
  acknowledged: number;
  lost: number;
  duplicated: number;
  levelMegabytes: number;
  afterMegabytes: number;
  pendingBytes: number;
  exitCode: number | null;
  errorOutput: string;
}

/** The same seed, kind and number give the same choices, whatever was sent before. */
function inputPrng(seed: number, kind: InputKind, index: number): Prng {
  const kinds = Object.keys(SHARES);
  return createPrng(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index * kinds.length + kinds.indexOf(kind), 0x85ebca6b));
}

class Fuzzer {
  readonly tally = new FuzzTally();
  readonly #server: ServerProcess;
  readonly #seed: number;
  readonly #bodies: FuzzBodies;
  readonly #next: Record<InputKind, number> = { http: 0, grpc: 0, brokenHttp: 0, brokenHttp2: 0 };

  constructor(server: ServerProcess, seed: number) {
    this.#server = server;
    this.#seed = seed;
    this.#bodies = new FuzzBodies(seed);
  }

  /** Sends so many inputs of all kinds. */
  async send(inputs: number): Promise<void> {
    const { url, otlpUrl, grpcUrl } = this.#server;
    const grpc = new URL(grpcUrl.includes('://') ? grpcUrl : `http://${grpcUrl}`);
    const sessions = new GrpcSessions(grpc, GRPC_SESSIONS);
    const { tally } = this;
    const http = this.#source('http', inputs, (prng, name) => ({ name, bytes: framedRequest(this.#bodies, prng) }));
    const calls = this.#source('grpc', inputs, (prng, name) => ({ name, ...framedCall(this.#bodies, prng) }));
    const broken = this.#source('brokenHttp', inputs, (prng, name) => ({ name, bytes: brokenRequest(this.#bodies, prng) }));
    const broken2 = this.#source('brokenHttp2', inputs, (prng, name) => ({ name, bytes: brokenHttp2(prng) }));
    const ports = [url, otlpUrl].map((text) => new URL(text));
    const pipelines = Array.from({ length: HTTP_CONNECTIONS }, (_, i) => new FuzzPipeline(ports[i % 2] as URL, http, this.tally));
    await Promise.all([
      ...pipelines.map((pipeline) => pipeline.run()),
      drain(calls, CALLS_IN_FLIGHT, (call) => sendCall(sessions, call, tally)),
      drain(broken, LONE_CONNECTIONS, (input) => sendAlone(ports[0] as URL, input, 'HTTP', tally)),
      drain(broken2, LONE_CONNECTIONS, (input) => sendAlone(grpc, input, 'HTTP/2', tally)),
    ]);
    sessions.close();
  }

  #source<T>(kind: InputKind, inputs: number, make: (prng: Prng, name: string) => T): () => T | null {
    const end = this.#next[kind] + Math.round(inputs * SHARES[kind]);
    return () => {
      const index = this.#next[kind];
      if (index >= end) return null;
      this.#next[kind] = index + 1;
      return make(inputPrng(this.#seed, kind, index), `${kind}:${index}`);
    };
  }
}

/** Hands inputs to `send`, so many at once. */
async function drain<T>(next: () => T | null, atOnce: number, send: (input: T) => Promise<void>): Promise<void> {
  const work = async (): Promise<void> => {
    for (let input = next(); input !== null; input = next()) await send(input);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** Resident memory once it has stopped to fall, megabytes: collections and returned pages come late. */
async function settledMegabytes(pid: number): Promise<number> {
  let lowest = Infinity;
  let since = performance.now();
  await waitFor('memory to settle', 60_000, () => {
    const megabytes = residentBytes(pid) / 1e6;
    if (megabytes < lowest * 0.99) since = performance.now();
    lowest = Math.min(lowest, megabytes);
    return Promise.resolve(performance.now() - since > SETTLE_MS ? true : undefined);
  });
  return lowest;
}

/** Sends malformed inputs through every door, beside clients whose every acknowledged record has to be stored. */
export async function runFuzz({ dataDir, inputs, seed, args = [] }: FuzzOptions): Promise<FuzzOutcome> {
  await using server = await ServerProcess.start({ dataDir, args });
  const clients = new CrashClients({ kinds: clientsOfDoors(DOOR_NAMES), seed, paceMs: 50, server: () => server });
  const fuzzer = new Fuzzer(server, seed);
  const startMs = performance.now();
  await fuzzer.send(Math.round(inputs * WARM_UP_SHARE));
  const warmMs = performance.now();
  const levelMegabytes = await settledMegabytes(server.pid);
  const goOnMs = performance.now();
  await fuzzer.send(Math.round(inputs * (1 - WARM_UP_SHARE)));
  const seconds = (performance.now() - goOnMs + warmMs - startMs) / 1000;
  await clients.finish();
  const derived = await settledCounts(server.url);
  const afterMegabytes = await settledMegabytes(server.pid);
  const pendingBytes = (await getSelfMetrics(server.url)).get('helios_ingest_pending_bytes') ?? NaN;
  const exitCode = await server.stop();
  const { events, points } = await auditLogs(dataDir, clients.ledgers, derived);
  const { answers, failures } = fuzzer.tally;
  return {
    inputs: fuzzer.tally.inputs,
    seconds,
    answers: Object.fromEntries([...answers].toSorted(([a], [b]) => a.localeCompare(b))),
    failures,
    acknowledged: clients.ledgers.events.acknowledged.size + clients.ledgers.points.acknowledged.size,
    lost: events.lost + points.lost,
    duplicated: events.duplicated + points.duplicated,
    levelMegabytes,
    afterMegabytes,
    pendingBytes,
    exitCode,
    errorOutput: server.errorOutput,
  };
}
