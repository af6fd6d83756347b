// How long a data directory of some size takes to open: the log for writing, its blocks for queries, and the whole server.
// node bench/open.ts [--size=GB]
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/lib/clock.ts';
import { silentLogger } from '../src/lib/logger.ts';
import { silentMetrics } from '../src/lib/metrics.ts';
import { logConfigSchema } from '../src/log/config.ts';
import { openEmbeddedLog, type EmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import { openEventSource } from '../src/log/embedded/event-source.ts';
import { openLogReader } from '../src/log/embedded/segment-reader.ts';
import { diskUsage } from './disk-usage.ts';
import { sampleRecords } from './sample-events.ts';
import { readSegmentTemplate } from './segment-copy.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';

/** A segment of the usual size, every record of 100 events with an idempotency key. */
const SEGMENT_EVENTS = 330_000;
const EVENTS_PER_RECORD = 100;
const BYTES_PER_GB = 1e9;

function openLog(dir: string): Promise<EmbeddedLog> {
  return openEmbeddedLog({
    dir,
    config: logConfigSchema.parse({}),
    clock: systemClock,
    logger: silentLogger,
    metrics: silentMetrics,
    idempotency: { windowMs: 86_400_000, maxKeys: 2_000_000 },
  });
}

async function writeFirstSegment(dir: string): Promise<string> {
  await using log = await openLog(dir);
  const nowMs = systemClock.nowMs();
  const appended = sampleRecords(SEGMENT_EVENTS, EVENTS_PER_RECORD).map(({ bytes, count }, i) => {
    const keyHash = createHash('sha256').update(String(i)).digest('hex').slice(0, 32);
    const times = { minTimestampMs: nowMs, maxTimestampMs: nowMs, receivedAtMs: nowMs };
    return log.append({
      bytes,
      count,
      ...times,
      clientId: 'bench',
      idempotency: { keyHash, bodyHash: keyHash.slice(16), answer: '' },
    });
  });
  await Promise.all(appended);
  await log.seal();
  const directory = path.join(dir, 'log');
  const [file] = fs.readdirSync(directory).filter((name) => name.endsWith('.sealed'));
  for (const name of fs.readdirSync(directory)) if (name.endsWith('.log')) fs.unlinkSync(path.join(directory, name));
  return path.join(directory, file as string);
}

async function timed<T>(run: () => T | Promise<T>): Promise<{ value: T; seconds: number; cpuSeconds: number }> {
  const start = systemClock.monotonicMs();
  const cpu = process.cpuUsage();
  const value = await run();
  const { user, system } = process.cpuUsage(cpu);
  return { value, seconds: (systemClock.monotonicMs() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

const { size = '1' } = parseArgs({ options: { size: { type: 'string' } } }).values;
using dir = temporaryDirectory();
const template = readSegmentTemplate(await writeFirstSegment(dir.path));
let copies = 1;
for (let bytes = 0; bytes < Number(size) * BYTES_PER_GB; copies++) bytes += template.write(copies);
const committed = copies * template.records;
const { bytes, files } = diskUsage(dir.path);
console.log(
  `${(bytes / BYTES_PER_GB).toFixed(2)} GB in ${files} files, ${((copies * template.events) / 1e6).toFixed(0)} million events`,
);

const rows: { step: string; seconds: string; 'CPU seconds': string }[] = [];
const add = (step: string, { seconds, cpuSeconds }: { seconds: number; cpuSeconds: number }): void => {
  rows.push({ step, seconds: seconds.toFixed(2), 'CPU seconds': cpuSeconds.toFixed(2) });
};
const opened = await timed(() => openLog(dir.path));
add('open the log, with 2 million idempotency keys', opened);
const { nextOffset, damages } = opened.value.status();
if (nextOffset !== committed || damages.length > 0) throw new Error(`opened at ${nextOffset} with ${damages.length} damages`);
await opened.value[Symbol.asyncDispose]();
const source = openEventSource({ dir: dir.path });
const listed = await timed(() => source.blocks(committed).length);
add(`list its ${listed.value} blocks for the first query`, listed);
add('list them again', await timed(() => source.blocks(committed).length));
source.close();
await using reader = openLogReader({ dir: dir.path });
const readLast = async (): Promise<unknown> => {
  reader.seek(committed - 1);
  return reader.read(committed, 1);
};
add('read the newest record', await timed(readLast));
const server = await timed(() => ServerProcess.start({ dataDir: dir.path }));
add('helios serve, until it says that it is ready', server);
await server.value.kill();
console.table(rows);
