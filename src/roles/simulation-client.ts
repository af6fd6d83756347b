import { Worker } from 'node:worker_threads';
import { HeliosError, systemCode, type ErrorCode } from '../lib/errors.ts';
import type { SimulationResult } from '../model/simulation.ts';
import type { SimulationMessage, SimulationThreadData } from './simulation-thread.ts';

/** Of the thread's heap: two detectors of ten thousand services and as many series, with room to spare. */
const MAX_HEAP_MB = 2048;

export interface SimulationThread {
  /** Rejects with the HeliosError that ended it; never settles once stopped. */
  result: Promise<SimulationResult>;
  stop(): Promise<void>;
}

/** Runs one simulation in a thread of its own. */
export function startSimulationThread(
  data: Omit<SimulationThreadData, 'stopped'>,
  onProgress: (share: number) => void,
): SimulationThread {
  const stopped = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./simulation-thread.ts', import.meta.url), {
    workerData: { ...data, stopped } satisfies SimulationThreadData,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve());
  });
  const { promise, resolve, reject } = Promise.withResolvers<SimulationResult>();
  let isStopped = false;
  worker.on('message', (message: SimulationMessage | { failed: { code: ErrorCode; message: string } }) => {
    if (isStopped) return;
    if ('progress' in message) onProgress(message.progress);
    else if ('result' in message) resolve(message.result);
    else reject(new HeliosError(message.failed.code, message.failed.message));
  });
  worker.on('error', (error) => {
    const isFull = systemCode(error) === 'ERR_WORKER_OUT_OF_MEMORY';
    const reason = isFull ? `it needs more than ${MAX_HEAP_MB} MB` : error.message;
    if (!isStopped) reject(new HeliosError(isFull ? 'overloaded' : 'internal', `cannot simulate: ${reason}`, { cause: error }));
  });
  worker.on('exit', () => {
    if (!isStopped) reject(new HeliosError('internal', 'cannot simulate: its thread ended'));
  });
  return {
    result: promise,
    async stop() {
      isStopped = true;
      Atomics.store(stopped, 0, 1);
      // It ends by itself, within a read of the log: terminated in the middle of making a decompressor it takes the process along.
      await ended;
    },
  };
}
