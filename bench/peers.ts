import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { freePort } from '../test/servers/server-script.ts';
import { diskUsage } from './disk-usage.ts';
import type { LoadResult } from './load-result.ts';
import { runLoad } from './load-run.ts';
import { textTable } from './load-table.ts';
import { processorSeconds } from './process-usage.ts';
import { waitFor, waitForEvents } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';

/**
 * The same NDJSON through HELIOS and through VictoriaLogs, one after the other and twice by turns, on the same cores as the
 * load client. HELIOS answers after fdatasync and has windows, forest and store running; VictoriaLogs answers before its data
 * is on disk, and only stores.
 *
 *     node bench/peers.ts --victoria-logs BINARY [--duration 20] [--batch 100] [--connections 32] [--json]
 */
const { values: flags } = parseArgs({
  options: {
    'victoria-logs': { type: 'string' },
    duration: { type: 'string', default: '20' },
    batch: { type: 'string', default: '100' },
    connections: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
  },
});
const INSERT = '/insert/jsonline?_stream_fields=service&_time_field=timestamp&_msg_field=message';
const ROUNDS = 2;
/** VictoriaLogs writes what it holds in memory every five seconds, and merges for a while after that. */
const SETTLE_MS = 15_000;
const binary = flags['victoria-logs'];
if (binary === undefined) {
  process.stdout.write('left out: name the program to compare with, --victoria-logs BINARY\n');
  process.exit();
}
const load = {
  batch: Number(flags.batch),
  connections: Number(flags.connections),
  durationSeconds: Number(flags.duration),
  warmupSeconds: 3,
};

interface PeerFigures {
  name: string;
  load: LoadResult;
  cpuMicrosPerEvent: number;
  bytesPerEvent: number;
}

function figuresOf(name: string, result: LoadResult, cpuSeconds: number, bytes: number): PeerFigures {
  const events = result.acknowledged;
  return { name, load: result, cpuMicrosPerEvent: (cpuSeconds * 1e6) / events, bytesPerEvent: bytes / events };
}

async function measureHelios(seed: number): Promise<PeerFigures> {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path, args: ['--set', 'log.segment_age=5s'] });
  const result = await runLoad({ ...load, url: server.url, seed });
  await waitForEvents(server.url, result.acknowledged, 600_000);
  await pause(SETTLE_MS);
  return figuresOf('HELIOS', result, processorSeconds(server.pid), diskUsage(directory.path).bytes);
}

async function measureVictoriaLogs(program: string, seed: number): Promise<PeerFigures> {
  using directory = temporaryDirectory();
  const url = `http://127.0.0.1:${await freePort()}`;
  const args = [`-httpListenAddr=${new URL(url).host}`, `-storageDataPath=${directory.path}`, '-retentionPeriod=100y'];
  const child = spawn(program, args, { stdio: 'ignore' });
  try {
    await waitFor('VictoriaLogs to listen', 20_000, async () => {
      const response = await fetch(`${url}/health`).catch(() => null);
      return response?.ok === true ? true : undefined;
    });
    const result = await runLoad({ ...load, url, path: INSERT, seed });
    await pause(SETTLE_MS);
    return figuresOf('VictoriaLogs', result, processorSeconds(child.pid as number), diskUsage(directory.path).bytes);
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

const figures: PeerFigures[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  figures.push(await measureHelios(round), await measureVictoriaLogs(binary, round));
}
const rateOf = (name: string): number =>
  Math.max(...figures.filter((one) => one.name === name).map((one) => one.load.eventsPerSecond));
const ratio = rateOf('HELIOS') / rateOf('VictoriaLogs');
if (flags.json) process.stdout.write(`${JSON.stringify({ figures, ratio })}\n`);
else {
  process.stdout.write(
    textTable(
      ['', 'events/s', 'p50 ms', 'p99 ms', 'CPU us/event', 'bytes/event', 'not stored'],
      figures.map(({ name, load: { eventsPerSecond, p50Ms, p99Ms, notStored }, cpuMicrosPerEvent, bytesPerEvent }) => [
        name,
        eventsPerSecond,
        p50Ms.toFixed(2),
        p99Ms.toFixed(2),
        cpuMicrosPerEvent.toFixed(2),
        bytesPerEvent.toFixed(1),
        notStored,
      ]),
    ),
  );
  process.stdout.write(`HELIOS takes ${ratio.toFixed(2)} times as many (best of ${ROUNDS} each)\n`);
}
