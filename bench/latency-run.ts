import { postRequest } from './latency-traffic.ts';
import type { LatencyTraffic } from './latency-traffic.ts';
import { LoadConnection } from './load-connection.ts';

/**
 * What completes the evidence. An anomaly is judged on whole sub-windows of 10 s; the last one it needed ends at
 * its `detectedAt`. That sub-window stays open for `allowed_lateness` (2 s) of event time, because an event that arrives
 * until then belongs to it. So the last event that the verdict needs is the first one with a timestamp >= detectedAt +
 * allowed_lateness, and the clock starts when the first request that holds such an event is acknowledged. (The detector
 * also waits as long as this client's batches usually take to arrive, some milliseconds; that counts as latency here.)
 */
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

export interface LatencyLoad {
  /** Of the door for events. */
  url: URL;
  traffic: LatencyTraffic;
  /** Events a second. */
  rate: number;
}

/** A request was acknowledged at monotonic time `atMs`. */
export interface Acknowledgement {
  newestMs: number;
  atMs: number;
}

/** Posts the healthy past as fast as it is taken; returns how many events that were. */
export async function feedHistory({ url, traffic, rate }: LatencyLoad, seconds: number): Promise<number> {
  const connections = await openAll(url);
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

/** Posts a batch each time its events have happened, with faults; an open loop over connections that take turns. */
export async function feedLive({ url, traffic, rate }: LatencyLoad, durationMs: number): Promise<Acknowledgement[]> {
  const connections = await openAll(url);
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

/** Faults that `feedLive` injects in this time. */
export function faultsIn(durationMs: number): number {
  return Math.max(0, Math.ceil((durationMs - QUIET_MS) / FAULT_PERIOD_MS));
}

/** Events that were acknowledged a second. */
export function acknowledgedRate(acknowledged: readonly Acknowledgement[], durationMs: number): number {
  return Math.round((acknowledged.length * BATCH * 1000) / durationMs);
}

/** Monotonic time at which the evidence of what is `detectedAt` (ISO 8601) was complete and acknowledged; Infinity for never. */
export function completedMs(detectedAt: string, acknowledged: readonly Acknowledgement[]): number {
  const neededMs = Date.parse(detectedAt) + ALLOWED_LATENESS_MS;
  return acknowledged.reduce((first, { newestMs, atMs }) => (newestMs >= neededMs ? Math.min(first, atMs) : first), Infinity);
}

export interface LatencyQuantiles {
  count: number;
  p50Ms: number;
  p90Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** By nearest rank; NaN where there is nothing. */
export function quantilesOf(latenciesMs: readonly number[]): LatencyQuantiles {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const quantile = (q: number): number => sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? NaN;
  return {
    count: sorted.length,
    p50Ms: quantile(0.5),
    p90Ms: quantile(0.9),
    p99Ms: quantile(0.99),
    maxMs: sorted.at(-1) ?? NaN,
  };
}

function openAll(url: URL): Promise<LoadConnection[]> {
  return Promise.all(Array.from({ length: CONNECTIONS }, () => LoadConnection.open(url)));
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
