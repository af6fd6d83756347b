import os from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../lib/assert.ts';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { openLogReader } from '../log/embedded/segment-reader.ts';
import type { SimulationResult } from '../model/simulation.ts';
import { runSimulation, type SimulationRun } from './simulation-run.ts';
import { reportFailure } from './thread.ts';

export interface SimulationThreadData {
  dir: string;
  run: SimulationRun;
  /** Next offsets after the last records to read. */
  eventOffset: number;
  pointOffset: number;
  /** Not 0 once it shall stop. */
  stopped: Int32Array<SharedArrayBuffer>;
}

export type SimulationMessage = { progress: number } | { result: SimulationResult };

/** Behind everything that a live verdict waits for. */
const THREAD_PRIORITY = 17;
const PROGRESS_PERIOD_MS = 500;

assert(parentPort, 'simulation-thread.ts runs as a worker');
const port = parentPort;
const { dir, run, eventOffset, pointOffset, stopped } = workerData as SimulationThreadData;

function post(message: SimulationMessage): void {
  port.postMessage(message);
}

try {
  os.setPriority(0, THREAD_PRIORITY);
} catch {
  // A simulation at usual priority is slow for others, not wrong.
}
let toldMs = -Infinity;
try {
  // Damage was named by those who read the log first.
  await using events = openLogReader({ dir });
  await using points = openLogReader({ dir, name: 'metrics' });
  const logs = {
    events: { reader: events, committedOffset: eventOffset },
    points: { reader: points, committedOffset: pointOffset },
  };
  const result = await runSimulation(run, logs, (progress) => {
    if (Atomics.load(stopped, 0) !== 0) throw new HeliosError('conflict', 'cannot simulate: it was cancelled');
    if (systemClock.monotonicMs() - toldMs < PROGRESS_PERIOD_MS) return;
    toldMs = systemClock.monotonicMs();
    post({ progress });
  });
  post({ result });
} catch (error) {
  if (!(error instanceof HeliosError)) throw error;
  reportFailure(port, error);
}
