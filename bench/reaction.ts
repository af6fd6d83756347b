import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { acknowledgedRate, completedMs, faultsIn, feedHistory, feedLive, quantilesOf } from './latency-run.ts';
import type { LatencyQuantiles } from './latency-run.ts';
import { LatencyTraffic } from './latency-traffic.ts';
import { textTable } from './load-table.ts';
import { processorSeconds } from './process-usage.ts';
import { ReactionWatch } from './reaction-watch.ts';
import type { Arrival } from './reaction-watch.ts';
import { waitForPipeline } from './server-api.ts';
import type { StackAudit } from './stack-audit.ts';
import { startStackServers } from './stack-servers.ts';
import type { Anomaly } from '../src/model/anomaly.ts';

/**
 * From event to alert to report through Kafka and PostgreSQL, one process a role, on the wall clock: history first, then live events with
 * faults at changing services (latency-run.ts). The clock starts at the acknowledgement of the event that completes the evidence; the alert
 * is seen in its topic, and on the console's stream with its incident. Reports are timed from the first alert of their incident.
 *
 *     HELIOS_TEST_SERVERS=DIR node bench/reaction.ts [--rate 10000] [--duration 180] [--history 390]
 */
const { values: flags } = parseArgs({
  options: {
    rate: { type: 'string', default: '10000' },
    duration: { type: 'string', default: '180' },
    history: { type: 'string', default: '390' },
  },
});
const rate = Number(flags.rate);
const durationMs = Number(flags.duration) * 1000;
/** For what the last events bring about. */
const SETTLE_MS = 5000;
const HISTORY_MS = 600_000;

function row(name: string, { count, ...quantiles }: LatencyQuantiles): (string | number)[] {
  return [name, count, ...Object.values(quantiles).map((ms) => ms.toFixed(1))];
}

/** How long alerts lay with the reporters, by the database's clock. */
async function waited(audit: StackAudit): Promise<LatencyQuantiles & { held: number }> {
  const rows = await audit.query<{ ms: number }>(
    `SELECT extract(epoch FROM settled_at - received_at)::float8 * 1000 AS ms FROM pending_alerts WHERE settled_at IS NOT NULL`,
  );
  const quantiles = quantilesOf(rows.map(({ ms }) => ms));
  return { ...quantiles, held: rows.filter(({ ms }) => ms >= 1000).length };
}

async function run(): Promise<boolean> {
  await using servers = await startStackServers({ args: ['--log-level', 'warn'] });
  const { kafka, stack, audit } = servers;
  const load = { url: new URL('/api/v1/events', stack.url('ingest-0')), traffic: new LatencyTraffic(1, rate), rate };
  const startMs = performance.now();
  const fed = await feedHistory(load, Number(flags.history));
  for (const name of ['detect-0', 'store-0']) await waitForPipeline(stack.url(name), fed, HISTORY_MS);
  process.stderr.write(`history of ${fed} events in ${((performance.now() - startMs) / 1000).toFixed(0)} s\n`);

  await using watch = await ReactionWatch.open(kafka.address, 'anomaly-alerts', stack.url('console-0'));
  const before = new Map(stack.names().map((name) => [name, processorSeconds(stack.of(name).pid)]));
  const acks = await feedLive(load, durationMs);
  const events = (acknowledgedRate(acks, durationMs) * durationMs) / 1000;
  const micros = [...before].map(([name, seconds]): string[] => {
    return [name, (((processorSeconds(stack.of(name).pid) - seconds) * 1e6) / events).toFixed(1)];
  });
  await sleep(SETTLE_MS);
  const latencies = (arrivals: ReadonlyMap<string, Arrival<Anomaly>>): number[] =>
    [...arrivals.values()]
      .map(({ value, atMs }) => atMs - completedMs(value.detectedAt, acks))
      .filter((latencyMs) => latencyMs > -Infinity);
  const inTopic = quantilesOf(latencies(watch.inTopic));
  const onStream = quantilesOf(latencies(watch.onStream));
  const reports = quantilesOf(watch.reportDelays());
  const { held, ...atReporters } = await waited(audit);
  process.stderr.write(stack.said().slice(-2000));
  const rows = [
    row('event to alert in the topic', inTopic),
    row('event to alert on the stream', onStream),
    row('alert to report', reports),
    row('alert in the topic to all partitions past it', quantilesOf(watch.waits)),
    row('received by the reporters to settled', atReporters),
  ];
  process.stdout.write(
    `${faultsIn(durationMs)} faults at ${acknowledgedRate(acks, durationMs)} events/s; ${held} alerts held for a partition\n\n`,
  );
  process.stdout.write(textTable(['', 'count', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'], rows));
  process.stdout.write(`\n${textTable(['process', 'CPU us an event'], micros)}`);
  return onStream.count > 0 && reports.count > 0;
}

if (!(await run())) process.exitCode = 1;
