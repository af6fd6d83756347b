import path from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { LogFiles } from './log-files.ts';

const SAMPLES = 5;
const PROBE_BYTES = 4096;

/** Median duration of an fdatasync in this directory, milliseconds, of a file that does not grow: commits are like that. */
export function probeSyncMs(files: LogFiles, directory: string, clock: Clock): number {
  const file = path.join(directory, 'probe.tmp');
  const fd = files.open(file);
  try {
    files.writev(fd, [Buffer.alloc(SAMPLES * PROBE_BYTES)], 0);
    files.syncData(fd);
    const samples = Array.from({ length: SAMPLES }, (_, i) => {
      files.writev(fd, [Buffer.alloc(PROBE_BYTES, 1)], i * PROBE_BYTES);
      const start = clock.monotonicMs();
      files.syncData(fd);
      return clock.monotonicMs() - start;
    });
    return samples.toSorted((a, b) => a - b)[SAMPLES >> 1] as number;
  } finally {
    files.close(fd);
    files.unlink(file);
  }
}
