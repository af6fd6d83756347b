import { parseArgs } from 'node:util';
import type { Incident } from '../src/model/incident.ts';
import type { Report } from '../src/model/report.ts';
import { feedHistory, feedLive, quantilesOf } from './latency-run.ts';
import { LatencyTraffic } from './latency-traffic.ts';
import { textTable } from './load-table.ts';
import { waitForPipeline } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';
import { EventStreamReader } from './stream-reader.ts';

/**
 * From the opening of an incident on the event stream to its first stored report there, while events come; incidents are kept from growing
 * together, so that there are many.
 *
 *     node bench/reporting.ts [--duration 240] [--rate 10000] [--history 600]
 */
const { values: flags } = parseArgs({
  options: {
    duration: { type: 'string', default: '240' },
    rate: { type: 'string', default: '10000' },
    history: { type: 'string', default: '600' },
  },
});
const rate = Number(flags.rate);

using directory = temporaryDirectory();
await using server = await ServerProcess.start({
  dataDir: directory.path,
  args: ['--log-level', 'error', '--set', 'anomaly_detection.incident_gap=1s'],
});
const load = { url: new URL('/api/v1/events', server.url), traffic: new LatencyTraffic(1, rate), rate };
const fed = await feedHistory(load, Number(flags.history));
await waitForPipeline(server.url, fed, 600_000);
const openedMs = new Map<string, number>();
const latenciesMs: number[] = [];
using _stream = await EventStreamReader.open(server.url, ({ type, data, atMs }) => {
  if (type === 'incident') {
    const { id } = data as Incident;
    if (!openedMs.has(id)) openedMs.set(id, atMs);
  } else if (type === 'report') {
    const { incidentId, version } = data as Report;
    const sinceMs = openedMs.get(incidentId);
    if (version === 1 && sinceMs !== undefined) latenciesMs.push(atMs - sinceMs);
  }
});
await feedLive(load, Number(flags.duration) * 1000);
const { count, p50Ms, p90Ms, p99Ms, maxMs } = quantilesOf(latenciesMs);
const row = [count, ...[p50Ms, p90Ms, p99Ms, maxMs].map((ms) => ms.toFixed(1))];
process.stdout.write(textTable(['first reports', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'], [row.map(String)]));
process.stdout.write(`${openedMs.size} incidents, ${rate} events/s\n`);
