import { parseArgs } from 'node:util';
import { runLoad, startSink } from './load-run.ts';
import type { LoadResult } from './load-result.ts';
import { loadTable } from './load-table.ts';
import { processorSeconds } from './process-usage.ts';
import { getSelfMetrics, waitForEvents, waitForPipeline } from './server-api.ts';
import { ServerProcess, temporaryDirectory } from './server-process.ts';

/**
 * Events through the HTTP door, every answer after fdatasync, windows and store running, on the cores that the load client
 * also uses; beside a bare node:http server that only counts. First an open loop, then as much as goes through.
 *
 *     node bench/http.ts [--duration 60] [--open-duration 20] [--rate 50000] [--batch 100] [--connections 32] [--json]
 */
const { values: flags } = parseArgs({
  options: {
    duration: { type: 'string', default: '60' },
    'open-duration': { type: 'string', default: '20' },
    rate: { type: 'string', default: '50000' },
    batch: { type: 'string', default: '100' },
    connections: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
  },
});
const load = { batch: Number(flags.batch), connections: Number(flags.connections), warmupSeconds: 3 };
const openLoop = { ...load, rate: Number(flags.rate), durationSeconds: Number(flags['open-duration']) };
const closedLoop = { ...load, durationSeconds: Number(flags.duration) };
const BASELINE_SECONDS = 10;

interface ServerFigures {
  open: LoadResult;
  closed: LoadResult;
  /** Of the server, microseconds an event at saturation, all threads. */
  cpuMicrosPerEvent: number;
  /** Events that the pipeline was behind when the load ended, and how long it took to have them all. */
  behindEvents: number;
  catchUpSeconds: number;
  /** Events that the API counts, and that were acknowledged. */
  countedEvents: number;
  acknowledgedEvents: number;
}

async function measureSink(): Promise<{ open: LoadResult; closed: LoadResult }> {
  await using sink = await startSink();
  const durationSeconds = Math.min(BASELINE_SECONDS, closedLoop.durationSeconds);
  const open = await runLoad({
    ...openLoop,
    url: sink.url,
    durationSeconds: Math.min(BASELINE_SECONDS, openLoop.durationSeconds),
  });
  return { open, closed: await runLoad({ ...closedLoop, url: sink.url, durationSeconds }) };
}

async function measureServer(): Promise<ServerFigures> {
  using directory = temporaryDirectory();
  await using server = await ServerProcess.start({ dataDir: directory.path });
  const { url, pid } = server;
  const open = await runLoad({ ...openLoop, url, seed: 1 });
  await waitForPipeline(url, open.acknowledged, 60_000);
  const cpuBefore = processorSeconds(pid);
  const closed = await runLoad({ ...closedLoop, url, seed: 2 });
  const endedMs = performance.now();
  const acknowledgedEvents = open.acknowledged + closed.acknowledged;
  const seen = (await getSelfMetrics(url)).get('helios_pipeline_events_total') ?? 0;
  await waitForPipeline(url, acknowledgedEvents, 600_000);
  const catchUpSeconds = (performance.now() - endedMs) / 1000;
  const cpuSeconds = processorSeconds(pid) - cpuBefore;
  const countedEvents = await waitForEvents(url, acknowledgedEvents, 60_000);
  const cpuMicrosPerEvent = (cpuSeconds * 1e6) / closed.acknowledged;
  return {
    open,
    closed,
    cpuMicrosPerEvent,
    behindEvents: acknowledgedEvents - seen,
    catchUpSeconds,
    countedEvents,
    acknowledgedEvents,
  };
}

const sink = await measureSink();
const server = await measureServer();
const ratio = server.closed.eventsPerSecond / sink.closed.eventsPerSecond;
if (flags.json) {
  process.stdout.write(`${JSON.stringify({ sink, server, ratio })}\n`);
} else {
  const rate = openLoop.rate.toLocaleString('en');
  process.stdout.write(
    loadTable([
      [`bare node:http, ${rate}/s`, sink.open],
      [`HELIOS, ${rate}/s`, server.open],
      ['bare node:http, saturated', sink.closed],
      ['HELIOS, saturated', server.closed],
    ]),
  );
  process.stdout.write(
    `saturated: ${(ratio * 100).toFixed(0)} % of the bare server, ${server.cpuMicrosPerEvent.toFixed(2)} us of processor an event; ` +
      `the pipeline was ${server.behindEvents.toLocaleString('en')} events behind at the end and had them all ` +
      `${server.catchUpSeconds.toFixed(1)} s later\n` +
      `acknowledged ${server.acknowledgedEvents}, counted by the API ${server.countedEvents}\n`,
  );
}
if (server.countedEvents !== server.acknowledgedEvents) process.exitCode = 1;
