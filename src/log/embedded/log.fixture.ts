import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ManualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { logConfigSchema, type LogConfig } from '../config.ts';
import { openEmbeddedLog, type EmbeddedLog, type EmbeddedLogOptions } from './embedded-log.ts';
import { nodeLogFiles, type LogFiles } from './log-files.ts';

export const FIXTURE_NOW_MS = Date.parse('2025-10-08T10:31:00Z');

/** A directory that is removed with everything in it. */
export function temporaryDir(): Disposable & { path: string } {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'helios-log-'));
  return {
    path: dir,
    [Symbol.dispose]() {
      fs.rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Opens a log in `dir` on a clock that stands still. */
export function openFixtureLog(
  dir: string,
  { config, ...rest }: Partial<Omit<EmbeddedLogOptions, 'config'>> & { config?: Partial<LogConfig> } = {},
): Promise<EmbeddedLog> {
  return openEmbeddedLog({
    dir,
    config: { ...logConfigSchema.parse({ sync: 'sync' }), ...config },
    clock: new ManualClock(FIXTURE_NOW_MS),
    logger: silentLogger,
    metrics: silentMetrics,
    idempotency: { windowMs: 86_400_000, maxKeys: 10_000 },
    ...rest,
  });
}

/** Paths of the log's files by extension ("log", "sealed"), in order. */
export function logFiles(dir: string, extension: string): string[] {
  const directory = path.join(dir, 'log');
  const names = fs.readdirSync(directory).filter((name) => name.endsWith(`.${extension}`));
  return names.toSorted().map((name) => path.join(directory, name));
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

/** A disk with room for `freeBytes` more, and errors on demand; everything else is the real file system. */
export class TroubledFiles implements LogFiles {
  freeBytes = Infinity;
  /** Error codes for the next call of each, when set. */
  writeError = '';
  syncError = '';
  truncateError = '';

  open = nodeLogFiles.open;
  close = nodeLogFiles.close;
  unlink = nodeLogFiles.unlink;
  syncDirectory = nodeLogFiles.syncDirectory;

  /** Writes what there is room for, as the kernel does, and fails only when there is none. */
  writev(fd: number, buffers: readonly Uint8Array[], position: number): number {
    if (this.writeError !== '') throw systemError(this.writeError);
    const all = Buffer.concat(buffers);
    const part = all.subarray(0, Math.min(all.length, this.freeBytes));
    if (part.length === 0 && all.length > 0) throw systemError('ENOSPC');
    this.freeBytes -= part.length;
    return nodeLogFiles.writev(fd, [part], position);
  }

  truncate(fd: number, length: number): void {
    if (this.truncateError !== '') throw systemError(this.truncateError);
    this.freeBytes += Math.max(0, fs.fstatSync(fd).size - length);
    nodeLogFiles.truncate(fd, length);
  }

  syncData(fd: number): void {
    if (this.syncError !== '') throw systemError(this.syncError);
    nodeLogFiles.syncData(fd);
  }

  async syncDataAsync(fd: number): Promise<void> {
    if (this.syncError !== '') throw systemError(this.syncError);
    await nodeLogFiles.syncDataAsync(fd);
  }
}
