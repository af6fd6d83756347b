import { parseArgs } from 'node:util';
import type { Anomaly } from '../src/model/anomaly.ts';
import { acknowledgedRate, completedMs, faultsIn, feedHistory, feedLive, quantilesOf } from './latency-run.ts';
import type { Acknowledgement } from './latency-run.ts';
import { LatencyTraffic } from './latency-traffic.ts';
import { textTable } from './load-table.ts';
import { waitForPipeline } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';
import { EventStreamReader } from './stream-reader.ts';

/**
 * Detection latency: from the acknowledgement of the event that completes the evidence (latency-run.ts) to the alert on the event
 * stream, at 20,000 events a second.
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

interface Alert {
  service: string;
  detectedAtMs: number;
  latencyMs: number;
}

function alertsOf(arrivals: ReadonlyMap<string, { anomaly: Anomaly; atMs: number }>, acks: readonly Acknowledgement[]): Alert[] {
  return [...arrivals.values()]
    .map(({ anomaly: { service, detectedAt }, atMs }) => ({
      service,
      detectedAtMs: Date.parse(detectedAt),
      latencyMs: atMs - completedMs(detectedAt, acks),
    }))
    .filter(({ latencyMs }) => latencyMs > -Infinity);
}

async function run() {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path, args: ['--log-level', 'error'] });
  const traffic = new LatencyTraffic(1, rate);
  const load = { url: new URL('/api/v1/events', server.url), traffic, rate };
  const startMs = performance.now();
  const fed = await feedHistory(load, Number(flags.history));
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
  const acks = await feedLive(load, durationMs);
  const alerts = alertsOf(arrivals, acks);
  const { p50Ms, p90Ms, p99Ms, maxMs } = quantilesOf(alerts.map(({ latencyMs }) => latencyMs));
  return {
    alerts: alerts.length,
    closings: new Set(alerts.map(({ detectedAtMs }) => detectedAtMs)).size,
    services: new Set(alerts.map(({ service }) => service)).size,
    faults: faultsIn(durationMs),
    eventsPerSecond: acknowledgedRate(acks, durationMs),
    otherStreamEvents: others,
    historySeconds,
    latenciesMs: alerts.map(({ detectedAtMs, latencyMs }) => [
      new Date(detectedAtMs).toISOString(),
      Math.round(latencyMs * 10) / 10,
    ]),
    p50Ms,
    p90Ms,
    p99Ms,
    maxMs,
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
