import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface DiskUsage {
  /** Sum of file sizes, bytes. */
  bytes: number;
  /** Space that the file system gives them, bytes, directories included. */
  allocatedBytes: number;
  /** File sizes by the name's ending. */
  byEnding: Map<string, number>;
  files: number;
}

/** Everything below a directory. A file that goes away meanwhile counts as nothing. */
export function diskUsage(directory: string): DiskUsage {
  const usage: DiskUsage = { bytes: 0, allocatedBytes: statSync(directory).blocks * 512, byEnding: new Map(), files: 0 };
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const stats = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false });
    if (!stats) continue;
    usage.allocatedBytes += stats.blocks * 512;
    if (!stats.isFile()) continue;
    const ending = /\.[^.]+$/.exec(entry.name)?.[0] ?? entry.name;
    usage.bytes += stats.size;
    usage.files++;
    usage.byEnding.set(ending, (usage.byEnding.get(ending) ?? 0) + stats.size);
  }
  return usage;
}

/** Bytes in raw segments of the event log that have not been sealed. */
export function unsealedBytes(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.log')) continue;
    bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
