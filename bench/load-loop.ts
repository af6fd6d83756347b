import { setInterval } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { createPrng } from '../src/lib/prng.ts';
import type { LoadChannel } from './load-channel.ts';
import { LOAD_DOORS } from './load-doors.ts';
import { ChannelOpener } from './load-opener.ts';
import type { LoadOptions } from './load-options.ts';
import { createLoadRequest, mixId, RequestWriter } from './load-request.ts';
import type { LoadRequest } from './load-request.ts';
import { LoadMeter } from './load-result.ts';
import type { LoadReport, LoadResult } from './load-result.ts';

/** Prepared requests in all: enough that latencies, messages and services vary, few enough to stay in the cache. */
const PREPARED_REQUESTS = 224;
/** Other answers than success stop a connection for so long: a server that asks for patience is not asked without a pause. */
const PAUSE_MS = 50;

interface Run {
  options: LoadOptions;
  opener: ChannelOpener;
  writer: RequestWriter;
  meter: LoadMeter;
  endMs: number;
}

function isOver({ options, meter, writer, endMs }: Run): boolean {
  return performance.now() >= endMs || (options.events > 0 && Math.max(meter.acknowledged, writer.records) >= options.events);
}

/** Time order with a little disorder, as from many hosts; the step between two events is span / events. */
function timestampOf({ fromMs, spanMs, events }: LoadOptions): (n: number) => number {
  const stepMs = spanMs / events;
  return (n) => fromMs + (n + mixId(n) / 2 ** 32) * stepMs;
}

function makeUnique({ options, writer }: Run, request: LoadRequest): void {
  if (options.spanMs > 0) writer.spread(request, timestampOf(options));
  else writer.stamp(request, Date.now());
}

async function post(run: Run, channel: LoadChannel, request: LoadRequest, dueMs: number): Promise<void> {
  const { meter } = run;
  makeUnique(run, request);
  const sinceMs = dueMs < 0 ? performance.now() : dueMs;
  const answer = await channel.post(request.bytes);
  const nowMs = performance.now();
  meter.answered(answer, request.records, nowMs - sinceMs, nowMs);
  if (answer.outcome !== 'stored') await setTimeout(PAUSE_MS);
}

/** Hands out due times of an open loop: request k is due `k x interval` after the start, whatever was answered by then. */
class Schedule {
  readonly #startMs = performance.now();
  readonly #intervalMs: number;
  #next = 0;

  constructor({ rate, batch }: LoadOptions) {
    this.#intervalMs = (1000 * batch) / rate;
  }

  /** Waits for the next due time; a caller that comes late gets one that has passed. */
  async next(): Promise<number> {
    const dueMs = this.#startMs + this.#next++ * this.#intervalMs;
    // Timers are up to a millisecond late, which counts as latency: polling would take the processor from the server.
    for (let waitMs = dueMs - performance.now(); waitMs > 0; waitMs = dueMs - performance.now()) await setTimeout(waitMs);
    return dueMs;
  }
}

async function drive(run: Run, requests: readonly LoadRequest[], schedule: Schedule | null): Promise<void> {
  let channel: LoadChannel | undefined;
  try {
    for (let i = 0; !isOver(run); i++) {
      const dueMs = schedule ? await schedule.next() : -1;
      if (schedule && isOver(run)) break;
      channel = channel?.usable ? channel : await run.opener.open();
      try {
        await post(run, channel, requests[i % requests.length] as LoadRequest, dueMs);
      } catch (error) {
        run.meter.failed(error as Error);
        await setTimeout(PAUSE_MS);
      }
    }
  } catch (error) {
    run.meter.failed(error as Error);
  } finally {
    channel?.close();
  }
}

function prepare(options: LoadOptions, connection: number): LoadRequest[] {
  const prng = createPrng(options.seed * 1000 + connection);
  const { batch, idempotency } = options;
  const count = Math.max(2, Math.floor(PREPARED_REQUESTS / options.connections));
  const { host } = new URL(options.url);
  const door = { ...LOAD_DOORS[options.door], ...(options.path !== '' && { path: options.path }) };
  return Array.from({ length: count }, () => createLoadRequest({ door, host, batch, idempotency, prng }));
}

/** Posts events until the duration is over, or the number of events is reached. `onReport` hears every `reportSeconds`. */
export async function runLoadLoop(options: LoadOptions, onReport: (report: LoadReport) => void): Promise<LoadResult> {
  const { door, connections, batch, rate, warmupSeconds, durationSeconds } = options;
  const opener = new ChannelOpener(LOAD_DOORS[door], new URL(options.url), options.sessions);
  const prepared = Array.from({ length: connections }, (_, index) => prepare(options, index));
  const fromMs = performance.now() + warmupSeconds * 1000;
  const endMs = fromMs + durationSeconds * 1000;
  const meter = new LoadMeter(fromMs, endMs);
  const run: Run = { options, opener, writer: new RequestWriter(options.seed), meter, endMs };
  const schedule = rate > 0 ? new Schedule(options) : null;
  const cpuBefore = setTimeout(warmupSeconds * 1000, undefined, { ref: false }).then(() => process.cpuUsage());
  const reportMs = options.reportSeconds * 1000;
  const reports = reportMs > 0 ? setInterval(() => onReport(meter.takeReport(door)), reportMs) : undefined;
  await Promise.all(prepared.map((requests) => drive(run, requests, schedule)));
  clearInterval(reports);
  opener.close();
  const measuredSeconds = Math.max(0.001, (Math.min(performance.now(), endMs) - fromMs) / 1000);
  const isShort = performance.now() < fromMs;
  const { user, system } = isShort ? process.cpuUsage() : process.cpuUsage(await cpuBefore);
  const sizes = prepared.flat().reduce((sum, { bodyLength }) => sum + bodyLength, 0);
  const { histogram } = meter;
  return {
    door,
    batch,
    connections,
    rate,
    eventsPerSecond: Math.round(meter.measuredEvents / measuredSeconds),
    bytesPerEvent: Math.round((sizes / (prepared.flat().length * batch)) * 10) / 10,
    p50Ms: histogram.quantileMs(0.5),
    p90Ms: histogram.quantileMs(0.9),
    p99Ms: histogram.quantileMs(0.99),
    maxMs: histogram.maxMs(),
    acknowledged: meter.acknowledged,
    notStored: meter.notStored,
    netErrors: meter.netErrors,
    firstError: meter.firstError,
    measuredSeconds: Math.round(measuredSeconds * 100) / 100,
    clientCpuSeconds: Math.round((user + system) / 10_000) / 100,
  };
}
