import { parseArgs } from 'node:util';
import { doorAddress } from './door-address.ts';
import { DOOR_NAMES, isDoorName, LOAD_DOORS } from './load-doors.ts';
import type { DoorName } from './load-doors.ts';
import type { LoadResult } from './load-result.ts';
import { runLoad } from './load-run.ts';
import { textTable } from './load-table.ts';
import { processorSeconds } from './process-usage.ts';
import { readRecords, waitForRecords } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';

/**
 * Every door at saturation, each on a server of its own: records a second, time to answer, processor time of the server until
 * everything is in windows or series, and whether what was acknowledged is what the pipeline read back from the log.
 *
 *     node bench/doors.ts [DOOR...] [--duration 15] [--batch 500] [--connections 16] [--sessions 4] [--rate 0] [--json]
 */
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    duration: { type: 'string', default: '15' },
    batch: { type: 'string', default: '500' },
    connections: { type: 'string', default: '16' },
    sessions: { type: 'string', default: '4' },
    rate: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const WARMUP_SECONDS = 2;

interface DoorFigures {
  door: DoorName;
  load: LoadResult;
  /** Of the server, all threads, microseconds a record until nothing is left to do. */
  cpuMicrosPerRecord: number;
  /** Records that the pipeline was behind when the load ended, and how long it took to have them all. */
  behindRecords: number;
  catchUpSeconds: number;
  /** Records that the pipeline has read from the log. */
  storedRecords: number;
}

async function measure(door: DoorName): Promise<DoorFigures> {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const { url, pid } = server;
  const { isMetrics } = LOAD_DOORS[door];
  const cpuBefore = processorSeconds(pid);
  const load = await runLoad({
    url: doorAddress(server, door),
    door,
    batch: Number(flags.batch),
    connections: Number(flags.connections),
    sessions: Number(flags.sessions),
    rate: Number(flags.rate),
    warmupSeconds: WARMUP_SECONDS,
    durationSeconds: Number(flags.duration),
  });
  const endedMs = performance.now();
  const { acknowledged } = load;
  const behindRecords = acknowledged - (await readRecords(url, isMetrics));
  const storedRecords = await waitForRecords(url, isMetrics, acknowledged, 600_000);
  const catchUpSeconds = (performance.now() - endedMs) / 1000;
  const cpuMicrosPerRecord = ((processorSeconds(pid) - cpuBefore) * 1e6) / acknowledged;
  return { door, load, cpuMicrosPerRecord, behindRecords, catchUpSeconds, storedRecords };
}

const known = positionals.filter(isDoorName);
if (known.length < positionals.length) throw new Error(`the doors are ${DOOR_NAMES.join(', ')}`);
const doors = known.length > 0 ? known : DOOR_NAMES;
const figures: DoorFigures[] = [];
for (const door of doors) figures.push(await measure(door));
if (flags.json) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  process.stdout.write(
    textTable(
      ['door', 'records/s', 'p50 ms', 'p99 ms', 'CPU us/record', 'behind', 'caught up s', 'acknowledged', 'stored', 'not stored'],
      figures.map(({ door, load, cpuMicrosPerRecord, behindRecords, catchUpSeconds, storedRecords }) => [
        door,
        load.eventsPerSecond,
        load.p50Ms.toFixed(2),
        load.p99Ms.toFixed(2),
        cpuMicrosPerRecord.toFixed(2),
        behindRecords,
        catchUpSeconds.toFixed(1),
        load.acknowledged,
        storedRecords,
        load.notStored + load.netErrors,
      ]),
    ),
  );
  for (const { door, load } of figures) if (load.firstError !== null) process.stdout.write(`${door}: ${load.firstError}\n`);
}
if (figures.some(({ load, storedRecords }) => storedRecords !== load.acknowledged)) process.exitCode = 1;
