import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runLoad } from './load-run.ts';
import type { LoadResult } from './load-result.ts';
import { textTable } from './load-table.ts';
import { processorSeconds } from './process-usage.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';
import { readRecords } from './server-api.ts';
import { startStackServers } from './stack-servers.ts';

/**
 * The whole stack on the cores that the load client also uses: a broker, PostgreSQL, one process a role. Events acknowledged and
 * stored in a sustained open loop, how far behind the store is when the load ends, and how long it takes until everything is stored; beside it
 * the same load on embedded storage.
 *
 *     HELIOS_TEST_SERVERS=DIR node bench/stack.ts [--rate 100000] [--duration 60] [--batch 500] [--connections 16] [--skip-embedded]
 */
const { values: flags } = parseArgs({
  options: {
    rate: { type: 'string', default: '100000' },
    duration: { type: 'string', default: '60' },
    batch: { type: 'string', default: '500' },
    connections: { type: 'string', default: '16' },
    'skip-embedded': { type: 'boolean', default: false },
  },
});
const WARMUP_SECONDS = 3;
const CATCH_UP_MS = 300_000;
const load = {
  rate: Number(flags.rate),
  batch: Number(flags.batch),
  connections: Number(flags.connections),
  durationSeconds: Number(flags.duration),
  warmupSeconds: WARMUP_SECONDS,
};

interface Outcome {
  load: LoadResult;
  behind: number;
  catchUpSeconds: number;
  stored: number;
  /** Processor microseconds an event, by process. */
  cpuMicros: Map<string, number>;
}

/** Waits until `stored` says as much as was acknowledged. */
async function catchUp(
  acknowledged: number,
  stored: () => Promise<number>,
): Promise<{ behind: number; seconds: number; stored: number }> {
  const startMs = performance.now();
  const behind = acknowledged - (await stored());
  for (;;) {
    const count = await stored();
    const seconds = (performance.now() - startMs) / 1000;
    if (count >= acknowledged || seconds * 1000 > CATCH_UP_MS) return { behind, seconds, stored: count };
    await sleep(250);
  }
}

async function measureEmbedded(): Promise<Outcome> {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path, args: ['--log-level', 'error'] });
  const result = await runLoad({ ...load, url: server.url });
  const { behind, seconds, stored } = await catchUp(result.acknowledged, () => readRecords(server.url, false));
  const cpuMicros = new Map([['helios', (processorSeconds(server.pid) * 1e6) / result.acknowledged]]);
  return { load: result, behind, catchUpSeconds: seconds, stored, cpuMicros };
}

async function measureStack(): Promise<Outcome> {
  await using servers = await startStackServers({ args: ['--log-level', 'warn'] });
  const { stack, audit } = servers;
  const result = await runLoad({ ...load, url: stack.url('ingest-0') });
  // Committed rows, by what the store's own transactions say; counting the table would load the server that is measured.
  const committed = async (): Promise<number> => {
    const text = await (await fetch(new URL('/metrics', stack.url('store-0')))).text();
    return Number(/^helios_store_committed_events_total (\S+)/m.exec(text)?.[1] ?? 0);
  };
  const { behind, seconds } = await catchUp(result.acknowledged, committed);
  const cpuMicros = new Map(
    stack.names().map((name) => [name, (processorSeconds(stack.of(name).pid) * 1e6) / result.acknowledged]),
  );
  const [row] = await audit.query<{ count: string }>('SELECT count(*) AS count FROM events');
  process.stderr.write(stack.said().slice(-2000));
  return { load: result, behind, catchUpSeconds: seconds, stored: Number(row?.count), cpuMicros };
}

const outcomes: [string, Outcome][] = [];
if (!flags['skip-embedded']) outcomes.push(['embedded', await measureEmbedded()]);
outcomes.push(['Kafka and PostgreSQL', await measureStack()]);
process.stdout.write(
  textTable(
    ['', 'acknowledged/s', 'p50 ms', 'p99 ms', 'not stored', 'acknowledged', 'stored', 'behind at the end', 'caught up s'],
    outcomes.map(([name, { load: result, behind, catchUpSeconds, stored }]) => [
      name,
      Math.round(result.eventsPerSecond),
      result.p50Ms.toFixed(1),
      result.p99Ms.toFixed(1),
      result.notStored + result.netErrors,
      result.acknowledged,
      stored,
      behind,
      catchUpSeconds.toFixed(1),
    ]),
  ),
);
for (const [name, { cpuMicros, load: result }] of outcomes) {
  const shares = [...cpuMicros].map(([process, micros]) => `${process} ${micros.toFixed(2)}`);
  process.stdout.write(
    `${name}: CPU us an event: ${shares.join(', ')}${result.firstError === null ? '' : `; first error ${result.firstError}`}\n`,
  );
}
if (outcomes.some(([, { stored, load: result }]) => stored < result.acknowledged)) process.exitCode = 1;
