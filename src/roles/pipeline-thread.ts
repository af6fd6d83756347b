import os from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { DetectConfig } from '../detect/config.ts';
import type { DetectorCommand } from '../detect/detector.ts';
import { createDetector } from '../detect/engine.ts';
import { assert } from '../lib/assert.ts';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { serveCalls } from '../lib/thread-rpc.ts';
import { openLogReader } from '../log/embedded/segment-reader.ts';
import { createRotatingScanner } from '../model/rotating-scanner.ts';
import type { StoreConfig } from '../store/config.ts';
import { createMetricScanner } from '../model/metric-scanner.ts';
import { openMetricWriter } from '../store/embedded/metric-writer.ts';
import { openStoreWriter } from '../store/embedded/store-writer.ts';
import { markIdle, readCommitted } from './commit-signal.ts';
import type { CommitSignal } from './commit-signal.ts';
import { createDamageLog } from './damage-log.ts';
import { DiskPatience, isDiskFull } from './disk-patience.ts';
import { createLogger } from './logger.ts';
import { MetricPipeline } from './metric-pipeline.ts';
import { createMetricsRelay } from './metrics-relay.ts';
import { Pipeline } from './pipeline.ts';
import { reportFailure } from './thread.ts';

export interface PipelineThreadData {
  dir: string;
  clockMode: 'wall' | 'events';
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  signal: CommitSignal;
  /** Of the metrics log. */
  metricSignal: CommitSignal;
  detect: DetectConfig;
  store: StoreConfig;
}

/** Time between looks at the clock while no events come: how late silence may be seen. */
const TICK_MS = 200;
/** Behind the ingest thread, ahead of sealing. */
const THREAD_PRIORITY = 10;
/** Any constant: detection must not depend on luck. */
const SEED = 1;

const data = workerData as PipelineThreadData;
assert(parentPort, 'pipeline-thread.ts runs as a worker');
const port = parentPort;
const clock = systemClock;
const logger = createLogger(data.logLevel);
const metrics = createMetricsRelay((message) => port.postMessage(message), clock);

const patience = new DiskPatience(clock, logger);

function checkOffset(known: number, signal: CommitSignal, log: string): void {
  const committed = readCommitted(signal);
  if (known <= committed) return;
  throw new HeliosError(
    'corrupt_data',
    `cannot go on in ${data.dir}: the store knows records up to ${known}, the ${log} ends at ${committed}; ` +
      'restore the log, or remove the store to have it built again',
  );
}

async function openMetricPipeline(events: Pipeline): Promise<MetricPipeline> {
  const writer = await openMetricWriter({ dir: data.dir, config: data.store, clock, logger, metrics });
  checkOffset(writer.offset(), data.metricSignal, 'metrics log');
  return new MetricPipeline({
    reader: openLogReader({ dir: data.dir, name: 'metrics', onDamage: createDamageLog(logger) }),
    writer,
    scanner: createMetricScanner(),
    clock,
    committedOffset: () => readCommitted(data.metricSignal),
    watchedOffset: events.safeMetricOffset,
    watch: (batch, record) => events.observeMetrics(batch, record),
    commitIntervalMs: data.store.commit_interval,
    logger,
    metrics,
    patience,
    onProgress: (metricOffset) => port.postMessage({ metricOffset: Math.min(metricOffset, events.safeMetricOffset) }),
  });
}

async function openEventPipeline(): Promise<Pipeline> {
  const writer = await openStoreWriter({ dir: data.dir, config: data.store, clock, logger, metrics });
  checkOffset(writer.offset(), data.signal, 'log');
  return new Pipeline({
    reader: openLogReader({ dir: data.dir, onDamage: createDamageLog(logger) }),
    writer,
    detector: createDetector({ config: data.detect, clock: data.clockMode, seed: SEED }),
    scanner: createRotatingScanner({ entities: data.detect.max_entities }, () => clock.nowMs()),
    clock,
    clockMode: data.clockMode,
    committedOffset: () => readCommitted(data.signal),
    commitIntervalMs: data.store.commit_interval,
    checkpointIntervalMs: data.store.checkpoint_interval,
    logger,
    metrics,
    patience,
    publish: (output) => port.postMessage({ output }),
    onProgress: (progress) => port.postMessage({ progress }),
  });
}

interface Pipelines {
  events: Pipeline;
  points: MetricPipeline;
}

let wake = (): void => {};
const stopping = new AbortController();
/** Commands, events and points take turns: the thread does one thing at a time. */
let turn: Promise<unknown> = Promise.resolve();

function inTurn<T>(run: () => Promise<T>): Promise<T> {
  const result = turn.then(run);
  turn = result.catch(() => undefined);
  return result;
}

function waitForWork(): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(TICK_MS, () => wake());
    wake = () => {
      cancel();
      resolve();
    };
    markIdle(data.signal);
    markIdle(data.metricSignal);
  });
}

async function run({ events, points }: Pipelines): Promise<void> {
  let tickedMs = -Infinity;
  while (!stopping.signal.aborted) {
    const committed = readCommitted(data.signal);
    const metricCommitted = readCommitted(data.metricSignal);
    const hadEvents = await inTurn(() => events.step());
    // What is found in points must not be taken for what the replay of events finds again.
    const hadPoints = !events.isReplaying && (await inTurn(() => points.step()));
    // Silence is to be seen while only points come, too.
    if (!hadEvents && (!hadPoints || clock.monotonicMs() - tickedMs >= TICK_MS)) {
      await inTurn(() => events.tick());
      tickedMs = clock.monotonicMs();
    }
    if (hadEvents || hadPoints) {
      // Lets commands in, and notices a commit that came between the last read and the wait.
      await clock.sleep(0);
      continue;
    }
    await inTurn(() => points.tick());
    const waiting = waitForWork();
    // Not the place where the readers stand: they never reach offsets that are lost at the end of a log.
    if (readCommitted(data.signal) > committed || readCommitted(data.metricSignal) > metricCommitted) wake();
    await waiting;
  }
}

async function close({ events, points }: Pipelines, loop: Promise<void>): Promise<void> {
  stopping.abort();
  patience.stop();
  wake();
  try {
    await loop;
    while (await inTurn(() => events.step()));
    while (await inTurn(() => points.step()));
    await inTurn(() => points.commit());
    await inTurn(() => events.commit(true));
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    logger.warn('the disk is full: what is not derived yet will be from the log, at the next start');
  }
}

async function retain({ events, points }: Pipelines, beforeMs: number): Promise<void> {
  await inTurn(() => events.retain(beforeMs));
  await inTurn(() => points.retain(beforeMs));
}

/** Ends the thread and the process with it. */
function die(error: unknown): void {
  if (stopping.signal.aborted && isDiskFull(error)) return;
  if (error instanceof HeliosError) reportFailure(port, error);
  // Rethrown outside the promise.
  process.nextTick(() => {
    throw error;
  });
}

try {
  os.setPriority(0, THREAD_PRIORITY);
} catch {
  logger.debug('cannot lower the priority of the pipeline thread');
}
try {
  const events = await openEventPipeline();
  const pipelines = { events, points: await openMetricPipeline(events) };
  const loop = run(pipelines);
  loop.catch(die);
  port.on('message', (message: { wake?: true }) => {
    if (message.wake) wake();
  });
  serveCalls(port, {
    command: (command: DetectorCommand) => patience.unlessBlocked(() => inTurn(() => pipelines.events.command(command))),
    close: () => close(pipelines, loop),
    retain: (beforeMs: number) => patience.unlessBlocked(() => retain(pipelines, beforeMs)),
  });
  // Where time follows the data, it is not 1970 until the first commit.
  port.postMessage({ progress: pipelines.events.progress() });
  port.postMessage({ ready: true });
} catch (error) {
  if (!(error instanceof HeliosError)) throw error;
  reportFailure(port, error);
}
