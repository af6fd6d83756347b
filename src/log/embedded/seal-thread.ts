import os from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createSealBuffers, sealSegment } from './sealing.ts';

export interface SealRequest {
  path: string;
}

/** `workerData`: the zstd level of every segment. */
export interface SealThreadData {
  level: number;
}

export type SealAnswer = { sealed: boolean; bytes: number; events: number; cpuMs: number } | { error: string; code: string };

// Linux sets the priority of the calling thread only, which is the point; elsewhere it may be the process's, or refused.
if (process.platform === 'linux') os.setPriority(0, 15);

const buffers = createSealBuffers((workerData as SealThreadData).level);

parentPort?.on('message', ({ path }: SealRequest) => {
  const before = process.threadCpuUsage();
  let answer: SealAnswer;
  try {
    const outcome = sealSegment(path, buffers);
    const used = process.threadCpuUsage(before);
    answer = { ...outcome, cpuMs: (used.user + used.system) / 1000 };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    answer = { error: message, code: code ?? '' };
  }
  parentPort?.postMessage(answer);
});
