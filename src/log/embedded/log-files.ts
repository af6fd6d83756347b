import fs from 'node:fs';
import { systemCode } from '../../lib/errors.ts';

/**
 * The writes that the log depends on, so that tests can fill the disk or break it. Errors are Node.js system errors
 * with a `code`. Reads go to `node:fs` directly.
 */
export interface LogFiles {
  /** Creates the file, or opens it as it is, for reading and writing. */
  open: (path: string) => number;
  close: (fd: number) => void;
  /** Writes at `position`; returns how many bytes were written, which may be fewer than given. */
  writev: (fd: number, buffers: readonly Uint8Array[], position: number) => number;
  truncate: (fd: number, length: number) => void;
  /** Data and size on the disk, in this thread. */
  syncData: (fd: number) => void;
  /** The same in the thread pool. */
  syncDataAsync: (fd: number) => Promise<void>;
  /** Makes creations, renames and removals inside a directory durable. */
  syncDirectory: (path: string) => void;
  unlink: (path: string) => void;
}

/** Whether the disk, or what of it this user may take, is full. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error));
}

export const nodeLogFiles: LogFiles = {
  open: (path) => fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o640),
  close: (fd) => fs.closeSync(fd),
  writev: (fd, buffers, position) => fs.writevSync(fd, buffers, position),
  truncate: (fd, length) => fs.ftruncateSync(fd, length),
  syncData: (fd) => fs.fdatasyncSync(fd),
  syncDataAsync: (fd) =>
    new Promise((resolve, reject) => {
      fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()));
    }),
  syncDirectory(path) {
    const fd = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  unlink: (path) => fs.unlinkSync(path),
};
