import { parseArgs } from 'node:util';
import { runLoad, startSink } from './load-run.ts';
import type { LoadResult } from './load-result.ts';
import { loadTable, textTable } from './load-table.ts';
import { processorSeconds } from './process-usage.ts';
import { readRecords, waitForEvents, waitForPipeline } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';

/**
 * Events through the native HTTP door, every answer after fdatasync, windows and store running, on the cores that the load client
 * also uses: open loops, then as much as goes through in batches of 100, of 1,000 and of one. Beside it a bare node:http server
 * that only counts.
 *
 *     node bench/http.ts [--duration 60] [--open-duration 20] [--sink-duration 10] [--connections 32] [--json]
 */
const { values: flags } = parseArgs({
  options: {
    duration: { type: 'string', default: '60' },
    'open-duration': { type: 'string', default: '20' },
    'sink-duration': { type: 'string', default: '10' },
    connections: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
  },
});

interface Scenario {
  batch: number;
  /** Events a second of an open loop; 0 saturates. */
  rate: number;
}

const SCENARIOS: readonly Scenario[] = [
  { batch: 100, rate: 50_000 },
  { batch: 100, rate: 250_000 },
  { batch: 100, rate: 0 },
  { batch: 1000, rate: 0 },
  { batch: 1, rate: 0 },
];
const WARMUP_SECONDS = 3;

interface ServerRun {
  load: LoadResult;
  /** Of the server, all threads, microseconds an event until nothing is left to do. */
  cpuMicrosPerEvent: number;
  /** Events that the pipeline was behind when the load ended, and how long it took to have them all. */
  behindEvents: number;
  catchUpSeconds: number;
}

function loadOf({ batch, rate }: Scenario, index: number) {
  return { batch, rate, connections: Number(flags.connections), warmupSeconds: WARMUP_SECONDS, seed: index + 1 };
}

function nameOf({ batch, rate }: Scenario): string {
  return `batch ${batch.toLocaleString('en')}, ${rate > 0 ? `${rate.toLocaleString('en')}/s` : 'saturated'}`;
}

async function measureSink(): Promise<LoadResult[]> {
  await using sink = await startSink();
  const durationSeconds = Number(flags['sink-duration']);
  const results: LoadResult[] = [];
  for (const [index, scenario] of SCENARIOS.entries()) {
    results.push(await runLoad({ ...loadOf(scenario, index), url: sink.url, durationSeconds }));
  }
  return results;
}

/** One server for all: what an earlier scenario left behind has been caught up with when the next starts. */
async function measureServer(): Promise<{ runs: ServerRun[]; acknowledged: number; counted: number }> {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const { url, pid } = server;
  const runs: ServerRun[] = [];
  let acknowledged = 0;
  for (const [index, scenario] of SCENARIOS.entries()) {
    const durationSeconds = Number(scenario.rate > 0 ? flags['open-duration'] : flags.duration);
    const cpuBefore = processorSeconds(pid);
    const load = await runLoad({ ...loadOf(scenario, index), url, durationSeconds });
    const endedMs = performance.now();
    acknowledged += load.acknowledged;
    const behindEvents = acknowledged - (await readRecords(url, false));
    await waitForPipeline(url, acknowledged, 600_000);
    const catchUpSeconds = (performance.now() - endedMs) / 1000;
    const cpuMicrosPerEvent = ((processorSeconds(pid) - cpuBefore) * 1e6) / load.acknowledged;
    runs.push({ load, cpuMicrosPerEvent, behindEvents, catchUpSeconds });
  }
  return { runs, acknowledged, counted: await waitForEvents(url, acknowledged, 60_000) };
}

const sink = await measureSink();
const { runs, acknowledged, counted } = await measureServer();
if (flags.json) {
  process.stdout.write(`${JSON.stringify({ scenarios: SCENARIOS, sink, runs, acknowledged, counted })}\n`);
} else {
  const rows = SCENARIOS.flatMap((scenario, i) => [
    [`bare node:http, ${nameOf(scenario)}`, sink[i] as LoadResult] as const,
    [`HELIOS, ${nameOf(scenario)}`, runs[i]?.load as LoadResult] as const,
  ]);
  process.stdout.write(loadTable(rows));
  process.stdout.write(
    textTable(
      ['', 'of the bare server', 'CPU us/event', 'behind at the end', 'caught up s'],
      runs.map(({ load, cpuMicrosPerEvent, behindEvents, catchUpSeconds }, i) => [
        nameOf(SCENARIOS[i] as Scenario),
        `${((100 * load.eventsPerSecond) / (sink[i]?.eventsPerSecond ?? NaN)).toFixed(0)} %`,
        cpuMicrosPerEvent.toFixed(2),
        behindEvents,
        catchUpSeconds.toFixed(1),
      ]),
    ),
  );
  process.stdout.write(`acknowledged ${acknowledged}, counted by the API ${counted}\n`);
}
if (counted !== acknowledged) process.exitCode = 1;
