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
import { openStoreWriter } from '../store/embedded/store-writer.ts';
import { markIdle, readCommitted } from './commit-signal.ts';
import type { CommitSignal } from './commit-signal.ts';
import { createDamageLog } from './damage-log.ts';
import { createLogger } from './logger.ts';
import { createMetricsRelay } from './metrics-relay.ts';
import { Pipeline } from './pipeline.ts';
import { reportFailure } from './thread.ts';

export interface PipelineThreadData {
  dir: string;
  clockMode: 'wall' | 'events';
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  signal: CommitSignal;
  detect: DetectConfig;
  store: StoreConfig;
}

/** Time between looks at the clock while no events come: how late silence may be seen. */
const TICK_MS = 200;
/** Behind the ingest thread, ahead of sealing. */
const THREAD_PRIORITY = 5;
/** Any constant: detection must not depend on luck. */
const SEED = 1;

const data = workerData as PipelineThreadData;
assert(parentPort, 'pipeline-thread.ts runs as a worker');
const port = parentPort;
const clock = systemClock;
const logger = createLogger(data.logLevel);
const metrics = createMetricsRelay((message) => port.postMessage(message), clock);

async function open(): Promise<Pipeline> {
  const writer = await openStoreWriter({ dir: data.dir, config: data.store, clock, logger, metrics });
  const committed = readCommitted(data.signal);
  if (writer.offset() > committed) {
    throw new HeliosError(
      'corrupt_data',
      `cannot go on in ${data.dir}: the store knows records up to ${writer.offset()}, the log ends at ${committed}; ` +
        'restore the log, or remove the store to have it built again',
    );
  }
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
    publish: (output) => port.postMessage({ output }),
    onProgress: (progress) => port.postMessage({ progress }),
  });
}

let wake = (): void => {};
const stopping = new AbortController();
/** Commands and the loop take turns: the pipeline does one thing at a time. */
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
  });
}

async function run(pipeline: Pipeline): Promise<void> {
  while (!stopping.signal.aborted) {
    const committed = readCommitted(data.signal);
    const moved = await inTurn(() => pipeline.step());
    // Lets commands in, and notices a commit that came between the last read and the wait.
    if (moved) await clock.sleep(0);
    else {
      await inTurn(() => pipeline.tick());
      const waiting = waitForWork();
      // Not the place where the reader stands: it never reaches offsets that are lost at the end of the log.
      if (readCommitted(data.signal) > committed) wake();
      await waiting;
    }
  }
}

async function close(pipeline: Pipeline, loop: Promise<void>): Promise<void> {
  stopping.abort();
  pipeline.stop();
  wake();
  try {
    await loop;
    while (await inTurn(() => pipeline.step()));
    await inTurn(() => pipeline.commit(true));
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    logger.warn('the disk is full: what is not derived yet will be from the log, at the next start');
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof HeliosError && error.code === 'disk_full';
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
  const pipeline = await open();
  const loop = run(pipeline);
  loop.catch(die);
  port.on('message', (message: { wake?: true }) => {
    if (message.wake) wake();
  });
  serveCalls(port, {
    command: (command: DetectorCommand) => pipeline.unlessBlocked(() => inTurn(() => pipeline.command(command))),
    close: () => close(pipeline, loop),
    retain: (beforeMs: number) => pipeline.unlessBlocked(() => inTurn(() => pipeline.retain(beforeMs))),
  });
  port.postMessage({ ready: true });
} catch (error) {
  if (!(error instanceof HeliosError)) throw error;
  reportFailure(port, error);
}
