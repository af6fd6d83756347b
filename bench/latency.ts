import { parseArgs } from 'node:util';
import type { Anomaly } from '../src/model/anomaly.ts';
import { LatencyTraffic, postRequest } from './latency-traffic.ts';
import { LoadConnection } from './load-connection.ts';
import { textTable } from './load-table.ts';
import { waitForPipeline } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';
import { EventStreamReader } from './stream-reader.ts';

/**
 * Detection latency: from the acknowledgement of the event that completes the evidence to the alert on the event stream, at
 * 20,000 events a second.
 *
 * What completes the evidence. An anomaly is judged on whole sub-windows of 10 s; the last one it needed ends at
 * its `detectedAt`. That sub-window stays open for `allowed_lateness` (2 s) of event time, because an event that arrives
 * until then belongs to it. So the last event that the verdict needs is the first one with a timestamp >= detectedAt +
 * allowed_lateness, and the clock starts when the first request that holds such an event is acknowledged. (The detector
 * also waits as long as this client's batches usually take to arrive, some milliseconds; that counts as latency here.)
 *
 *     node bench/latency.ts [--duration 180] [--rate 20000] [--history 390] [--json]
 */
const { values: flags } = parseArgs({
  options: {
    duration: { type: 'string', default: '180' },
    rate: { type: 'string', default: '20000' },
    history: { type: 'string', default: '390' },
    json: { type: 'boolean', default: false },
  },
});
const rate = Number(flags.rate);
const ALLOWED_LATENESS_MS = 2000;
const BATCH = 100;
const HISTORY_BATCH = 1000;
const CONNECTIONS = 4;
/** Healthy live traffic before the first fault. */
const QUIET_MS = 25_000;
/** A fault begins this often, at the next service, and lasts so long: each is over before its service has its turn again. */
const FAULT_PERIOD_MS = 4000;
const FAULT_MS = 15_000;
/**
 * History ends so long before now. Nearer than 10 min, a steady lag is taken for a clock that is slow, and corrected.
 */
const HISTORY_GAP_MS = 11 * 60_000;

interface Acknowledgement {
  newestMs: number;
  atMs: number;
}

interface Alert {
  service: string;
  detectedAtMs: number;
  latencyMs: number;
}

async function feedHistory(url: URL, traffic: LatencyTraffic): Promise<number> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => LoadConnection.open(url)));
  const seconds = Number(flags.history);
  const startMs = Date.now() - HISTORY_GAP_MS - seconds * 1000;
  const batches = Math.floor((seconds * rate) / HISTORY_BATCH);
  const stepMs = (HISTORY_BATCH * 1000) / rate;
  let next = 0;
  const feed = async (connection: LoadConnection): Promise<void> => {
    while (next < batches) {
      const body = traffic.batch(startMs + next++ * stepMs, HISTORY_BATCH);
      const { status, body: answer } = await connection.send(postRequest(url, body));
      if (status !== 202) throw new Error(`history was answered ${status} ${answer}`);
    }
    connection.close();
  };
  await Promise.all(connections.map(feed));
  return batches * HISTORY_BATCH;
}

/** Posts a batch each time its events have happened; an open loop over connections that take turns. */
async function feedLive(url: URL, traffic: LatencyTraffic, durationMs: number): Promise<Acknowledgement[]> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => LoadConnection.open(url)));
  const busy = connections.map((): Promise<void> => Promise.resolve());
  const acknowledged: Acknowledgement[] = [];
  const stepMs = (BATCH * 1000) / rate;
  const originMs = Date.now();
  let nextFaultMs = originMs + QUIET_MS;
  let service = 0;
  for (let sent = 0; sent * stepMs < durationMs; sent++) {
    const fromMs = originMs + sent * stepMs;
    const waitMs = fromMs + stepMs - Date.now();
    if (waitMs > 0) await pause(waitMs);
    if (fromMs >= nextFaultMs) {
      nextFaultMs += FAULT_PERIOD_MS;
      injectFault(traffic, traffic.services[service++ % traffic.services.length] as string);
    }
    const request = postRequest(url, traffic.batch(fromMs, BATCH));
    const newestMs = Math.floor(fromMs + ((BATCH - 1) * stepMs) / BATCH);
    const turn = sent % CONNECTIONS;
    const connection = connections[turn] as LoadConnection;
    busy[turn] = (busy[turn] as Promise<void>).then(async () => {
      const { status } = await connection.send(request);
      if (status === 202) acknowledged.push({ newestMs, atMs: performance.now() });
    });
  }
  await Promise.all(busy);
  for (const connection of connections) connection.close();
  return acknowledged;
}

function injectFault(traffic: LatencyTraffic, service: string): void {
  traffic.faulty.add(service);
  setTimeout(() => traffic.faulty.delete(service), FAULT_MS).unref();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

function alertsOf(arrivals: ReadonlyMap<string, { anomaly: Anomaly; atMs: number }>, acks: readonly Acknowledgement[]): Alert[] {
  const alerts: Alert[] = [];
  for (const { anomaly, atMs } of arrivals.values()) {
    const detectedAtMs = Date.parse(anomaly.detectedAt);
    const completeMs = detectedAtMs + ALLOWED_LATENESS_MS;
    const firstMs = acks.reduce((first, ack) => (ack.newestMs >= completeMs ? Math.min(first, ack.atMs) : first), Infinity);
    if (firstMs < Infinity) alerts.push({ service: anomaly.service, detectedAtMs, latencyMs: atMs - firstMs });
  }
  return alerts;
}

async function run() {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path, args: ['--log-level', 'error'] });
  const url = new URL('/api/v1/events', server.url);
  const traffic = new LatencyTraffic(1, rate);
  const startMs = performance.now();
  const fed = await feedHistory(url, traffic);
  await waitForPipeline(server.url, fed, 600_000);
  const historySeconds = (performance.now() - startMs) / 1000;
  const arrivals = new Map<string, { anomaly: Anomaly; atMs: number }>();
  let others = 0;
  using _stream = await EventStreamReader.open(server.url, ({ type, data, atMs }) => {
    const anomaly = data as Anomaly;
    if (type !== 'anomaly') others++;
    else if (anomaly.state === 'firing' && !arrivals.has(anomaly.id)) arrivals.set(anomaly.id, { anomaly, atMs });
  });
  const durationMs = Number(flags.duration) * 1000;
  const acks = await feedLive(url, traffic, durationMs);
  const alerts = alertsOf(arrivals, acks);
  const latencies = alerts.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b);
  const quantile = (q: number): number => latencies[Math.max(1, Math.ceil(q * latencies.length)) - 1] ?? NaN;
  return {
    alerts: alerts.length,
    closings: new Set(alerts.map(({ detectedAtMs }) => detectedAtMs)).size,
    services: new Set(alerts.map(({ service }) => service)).size,
    faults: Math.max(0, Math.ceil((durationMs - QUIET_MS) / FAULT_PERIOD_MS)),
    eventsPerSecond: Math.round((acks.length * BATCH * 1000) / durationMs),
    otherStreamEvents: others,
    historySeconds,
    latenciesMs: alerts.map(({ detectedAtMs, latencyMs }) => [
      new Date(detectedAtMs).toISOString(),
      Math.round(latencyMs * 10) / 10,
    ]),
    p50Ms: quantile(0.5),
    p90Ms: quantile(0.9),
    p99Ms: quantile(0.99),
    maxMs: latencies.at(-1) ?? NaN,
  };
}

const figures = await run();
if (flags.json) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  const { alerts, closings, faults, services, eventsPerSecond, p50Ms, p90Ms, p99Ms, maxMs } = figures;
  process.stdout.write(
    textTable(
      ['alerts', 'at closings', 'of services', 'faults', 'events/s', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
      [[String(alerts), closings, services, faults, eventsPerSecond, ...[p50Ms, p90Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1))]],
    ),
  );
}
if (figures.alerts === 0) process.exitCode = 1;
