import { parseArgs } from 'node:util';
import { diskUsage, unsealedBytes } from './disk-usage.ts';
import type { DiskUsage } from './disk-usage.ts';
import { runLoad } from './load-run.ts';
import { textTable } from './load-table.ts';
import { processorSeconds } from './process-usage.ts';
import { getMetrics, waitFor, waitForEvents, waitForPipeline } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';

/**
 * What events cost on the disk once they are sealed, everything in the data directory included, in processor time until they
 * are, and how long a day's p95 by service takes to answer. Events are unique, of 50 services, and as dense as ten million a day: rollups cost the same
 * however many events they stand for, so that thinner traffic costs more an event.
 *
 *     node bench/storage.ts [--events 3000000] [--segment-age 5s] [--json]               (the full day: --events 10000000)
 */
const { values: flags } = parseArgs({
  options: {
    events: { type: 'string', default: '3000000' },
    'segment-age': { type: 'string', default: '5s' },
    json: { type: 'boolean', default: false },
  },
});
const DAY_MS = 86_400_000;
const FROM_MS = Date.UTC(2025, 9, 8);
const EVENTS_A_DAY = 10_000_000;
const QUERIES = 7;
/** More than the header of an empty segment. */
const EMPTY_SEGMENT_BYTES = 8192;

interface QueryTimes {
  firstMs: number;
  medianMs: number;
  points: number;
}

/** A day's p95 of every service, in steps. */
async function timeQuery(url: string, step: string): Promise<QueryTimes> {
  const times: number[] = [];
  let points = 0;
  for (let i = 0; i < QUERIES; i++) {
    const startMs = performance.now();
    const { series } = await getMetrics(url, { name: 'p95_latency', from: FROM_MS, to: FROM_MS + DAY_MS, step });
    times.push(performance.now() - startMs);
    points = series.reduce((sum, one) => sum + one.points.filter(([, value]) => value !== null).length, 0);
  }
  return { firstMs: times[0] ?? NaN, medianMs: times.toSorted((a, b) => a - b)[QUERIES >> 1] ?? NaN, points };
}

function breakdown(usage: DiskUsage, events: number): string {
  const parts = [...usage.byEnding].toSorted(([, a], [, b]) => b - a).slice(0, 6);
  return parts.map(([ending, bytes]) => `${ending} ${(bytes / events).toFixed(2)}`).join(', ');
}

using directory = temporaryDirectory();
const args = ['--clock', 'events', '--set', `log.segment_age=${flags['segment-age']}`];
await using server = await ServerProcess.start({ dataDir: directory.path, args });
const { url, pid } = server;
const cpuBefore = processorSeconds(pid);
const load = await runLoad({
  url,
  events: Number(flags.events),
  fromMs: FROM_MS,
  spanMs: Math.min(1, Number(flags.events) / EVENTS_A_DAY) * DAY_MS,
  batch: 500,
  connections: 4,
  warmupSeconds: 0,
  durationSeconds: 3600,
});
const { acknowledged: events } = load;
await waitForPipeline(url, events, 600_000);
const sealStartMs = performance.now();
await waitFor('sealed segments', 900_000, () =>
  Promise.resolve(unsealedBytes(directory.path) <= EMPTY_SEGMENT_BYTES ? true : undefined),
);
const sealSeconds = (performance.now() - sealStartMs) / 1000;
const cpuSeconds = processorSeconds(pid) - cpuBefore;
const running = diskUsage(directory.path);
const hours = await timeQuery(url, '1h');
const minutes = await timeQuery(url, '5m');
const day = await timeQuery(url, '24h');
const counted = await waitForEvents(url, events, 60_000);
await server.stop();
const stopped = diskUsage(directory.path);

const figures = {
  events,
  counted,
  eventBytes: load.bytesPerEvent,
  storedBytesPerEvent: running.bytes / events,
  allocatedBytesPerEvent: running.allocatedBytes / events,
  storedBytesPerEventStopped: stopped.bytes / events,
  sealSeconds,
  /** Taking in, windows, rollups and sealing: all of it, per million events. */
  cpuSecondsPerMillion: (cpuSeconds * 1e6) / events,
  p95: { hours, minutes, day },
};
if (flags.json) {
  process.stdout.write(`${JSON.stringify({ ...figures, byEnding: Object.fromEntries(running.byEnding) })}\n`);
} else {
  const row = (name: string, usage: DiskUsage): (string | number)[] => [
    name,
    (usage.bytes / events).toFixed(2),
    (usage.allocatedBytes / events).toFixed(2),
    usage.files,
    breakdown(usage, events),
  ];
  const times = ({ firstMs, medianMs, points }: QueryTimes): (string | number)[] => [
    firstMs.toFixed(1),
    medianMs.toFixed(1),
    points,
  ];
  process.stdout.write(
    textTable(
      [`${events.toLocaleString('en')} events of ${load.bytesPerEvent} bytes`, 'bytes/event', 'allocated', 'files', 'of which'],
      [row('running, all sealed', running), row('stopped', stopped)],
    ),
  );
  process.stdout.write(
    textTable(
      ['p95 of every service over 24 h', 'first ms', 'median ms', 'points'],
      [
        ['in steps of 5 min', ...times(minutes)],
        ['in steps of 1 h', ...times(hours)],
        ['in one step', ...times(day)],
      ],
    ),
  );
  process.stdout.write(
    `${figures.cpuSecondsPerMillion.toFixed(2)} s of processor time per million events, sealing included; ` +
      `sealed ${sealSeconds.toFixed(1)} s after the last event was windowed; the API counts ${counted} events\n`,
  );
}
if (counted !== events) process.exitCode = 1;
