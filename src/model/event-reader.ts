import type { EventBatch } from './event-batch.ts';
import type { ScanLimits } from './scanner.ts';

/**
 * Reads usual events straight from bytes into rows of its batch. It only ever accepts: whatever is unusual or wrong is left
 * to `judgeEvent`, its plain twin. Rows are counted in `batch.count`.
 */
export interface EventReader {
  readonly batch: EventBatch;
  /** Starts a body; it must be valid UTF-8 where it is read. */
  begin(body: Uint8Array, limits: ScanLimits): void;
  /** Takes lines from index `at` on, blank ones included; index of the first line left to others, or of the end. */
  readLines(at: number): number;
  /** Takes elements of an array from index `at` on that another element follows; index of the first one left to others. */
  readElements(at: number): number;
  /** Takes the event at index `at`, which may hold newlines as white space; index after it, or -1 when it is left to others. */
  readEvent(at: number): number;
  /** Makes room for at least one more row. */
  grow(): void;
}
