import os from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createSealBuffers, SealCancelled, sealSegment } from './sealing.ts';

export interface SealRequest {
  path: string;
}

export interface SealThreadData {
  /** Of zstd, of every segment. */
  level: number;
  /** Not 0 while the current segment is cancelled. */
  cancelled: Int32Array<SharedArrayBuffer>;
}

export type SealAnswer = { sealed: boolean; bytes: number; events: number; cpuMs: number } | { error: string; code: string };
/** Null: it was cancelled. */
export type SealReply = SealAnswer | null;

// Linux sets the priority of the calling thread only, which is the point; elsewhere it may be the process's, or refused.
if (process.platform === 'linux') os.setPriority(0, 15);

const { level, cancelled } = workerData as SealThreadData;
const buffers = createSealBuffers(level);
const isCancelled = (): boolean => Atomics.load(cancelled, 0) !== 0;

parentPort?.on('message', ({ path }: SealRequest) => {
  const before = process.threadCpuUsage();
  let answer: SealReply;
  try {
    const outcome = sealSegment(path, buffers, isCancelled);
    const used = process.threadCpuUsage(before);
    answer = { ...outcome, cpuMs: (used.user + used.system) / 1000 };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    answer = error instanceof SealCancelled ? null : { error: message, code: code ?? '' };
  }
  parentPort?.postMessage(answer);
});
