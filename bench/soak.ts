import { setInterval } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { doorAddress } from './door-address.ts';
import type { DoorName } from './load-doors.ts';
import { runLoad } from './load-run.ts';
import { textTable } from './load-table.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';
import { judgeSoak, SoakRecorder } from './soak-minute.ts';
import type { SoakMinute } from './soak-minute.ts';

/**
 * Steady load through several doors, open loop: memory, file descriptors, time to answer, bytes on disk and how far the pipeline
 * is behind, minute by minute, and how flat they are after the first five.
 *
 *     node bench/soak.ts [--duration 300] [--rate 100000] [--period 60] [--warmup 300] [--log FILE] [--json]
 *                                                                              (the full figure: --duration 3600)
 */
const { values: flags } = parseArgs({
  options: {
    duration: { type: 'string', default: '300' },
    rate: { type: 'string', default: '100000' },
    period: { type: 'string', default: '60' },
    warmup: { type: 'string', default: '300' },
    log: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
interface Stream {
  door: DoorName;
  share: number;
  batch: number;
  connections: number;
}

/** A fleet of which most post events, and some have exporters. */
const MIX: readonly Stream[] = [
  { door: 'http', share: 0.8, batch: 100, connections: 24 },
  { door: 'otlp-grpc-logs', share: 0.1, batch: 200, connections: 8 },
  { door: 'otlp-http-traces', share: 0.05, batch: 200, connections: 4 },
  { door: 'remote-write', share: 0.05, batch: 500, connections: 4 },
];
const SAMPLE_MS = 5000;
const COLUMNS = ['s', 'RSS MB', 'peak MB', 'heap MB', 'fds', 'stored MB', 'lag', 'p50 ms', 'p99 ms', 'events', 'failed'];
const WIDTH = 11;

function line(cells: readonly string[]): void {
  if (!flags.json)
    process.stdout.write(
      `${cells
        .map((cell) => cell.padStart(WIDTH))
        .join('')
        .trimEnd()}\n`,
    );
}

function minuteCells(minute: SoakMinute): string[] {
  const { megabytes, peakMegabytes, heapMegabytes, storedMegabytes, lagRecords, p50Ms, p99Ms } = minute;
  return [
    String(minute.seconds),
    ...[megabytes, peakMegabytes, heapMegabytes].map((value) => value.toFixed(0)),
    String(minute.descriptors),
    storedMegabytes.toFixed(0),
    String(lagRecords),
    ...[p50Ms, p99Ms].map((value) => value.toFixed(2)),
    minute.events.toLocaleString('en'),
    String(minute.failures),
  ];
}

const [durationSeconds, rate, reportSeconds] = [Number(flags.duration), Number(flags.rate), Number(flags.period)];
const warmupSeconds = Math.min(Number(flags.warmup), durationSeconds / 2);
using directory = temporaryDirectory();
await using server = await ServerProcess.start({ dataDir: directory.path });
const recorder = new SoakRecorder({ pid: server.pid, url: server.url, dataDir: directory.path });
line(COLUMNS);
const loads = MIX.map(({ door, share, batch, connections }, index) => {
  const options = { url: doorAddress(server, door), door, batch, connections, rate: rate * share, seed: index + 1 };
  return runLoad({ ...options, warmupSeconds: 0, durationSeconds, reportSeconds }, (report) => recorder.report(report));
});
const sampling = setInterval(() => recorder.sample(), SAMPLE_MS);
const done = Promise.all(loads);
const endMs = performance.now() + durationSeconds * 1000;
while (performance.now() + reportSeconds * 500 < endMs) {
  // A moment later than the clients' reports, which come at the same pace.
  await Promise.race([setTimeout(reportSeconds * 1000 + (recorder.minutes.length === 0 ? 1000 : 0)), done]);
  line(minuteCells(await recorder.close(flags.log)));
}
const results = await done;
clearInterval(sampling);
const verdict = judgeSoak(recorder.minutes, warmupSeconds);
if (flags.json) {
  process.stdout.write(`${JSON.stringify({ verdict, minutes: recorder.minutes, results })}\n`);
} else {
  const { medianMegabytes, abovePercent, belowPercent, firstP99Ms, lastP99Ms, descriptorGrowth } = verdict;
  process.stdout.write(
    textTable(
      [`after ${warmupSeconds} s`, 'RSS MB', 'highest', 'lowest', 'p99 ms, first third', 'last third', 'more descriptors'],
      [
        [
          `${durationSeconds} s at ${rate.toLocaleString('en')}/s`,
          medianMegabytes.toFixed(0),
          `+${abovePercent.toFixed(1)} %`,
          `-${belowPercent.toFixed(1)} %`,
          firstP99Ms.toFixed(2),
          lastP99Ms.toFixed(2),
          descriptorGrowth,
        ],
      ],
    ),
  );
  const sent = results.map(
    ({ door, eventsPerSecond, p99Ms }) => `${door} ${eventsPerSecond.toLocaleString('en')}/s p99 ${p99Ms.toFixed(1)} ms`,
  );
  process.stdout.write(`${sent.join(', ')}\n`);
}
if (results.some(({ notStored, netErrors }) => notStored + netErrors > 0)) process.exitCode = 1;
