import type { LogReader } from './event-log.ts';

/**
 * Reader of one partition of a topic. `read` answers from what has been fetched, null while nothing is there; its first
 * parameter may be Infinity. Offsets may have gaps. `seek` past what retention has removed stands at the first kept offset.
 */
export interface PartitionReader extends LogReader {
  /** Resolves when `read` has something, or after `timeoutMs`, or when the partition is taken away. */
  wait(timeoutMs: number): Promise<void>;
  /** First offset that is kept, and the next to be written, as last heard from the log. */
  firstOffset(): number;
  endOffset(): number;
  /**
   * Whether all that the log had a moment ago has been read: `read` answers null also while records are on their way, and while the log is
   * not there.
   */
  isCurrent(): boolean;
  /** Names the log that the offsets are of: a topic that was deleted and made anew has another one. */
  logId(): string;
}

/** A partition that is this member's until the signal aborts. */
export interface AssignedPartition {
  topic: string;
  partition: number;
  /** Aborted when the partition goes to another member or the process stops: finish what is in hand and return. */
  signal: AbortSignal;
  reader: PartitionReader;
  /** Tells the log how far the group is, for its lag to be seen; nothing is read from it again. */
  committed(nextOffset: number): void;
}

/** Called for every partition that comes; it runs until the signal aborts. One that rejects is run again after a pause. */
export type PartitionWork = (assigned: AssignedPartition) => Promise<void>;

export interface PartitionLag {
  topic: string;
  partition: number;
  nextOffset: number;
  endOffset: number;
}

/** A member of a consumer group: it shares the partitions of its topics with the other members. */
export interface PartitionGroup extends AsyncDisposable {
  /** The partitions that are this member's now. */
  lags(): PartitionLag[];
  /** Why it does not work at the moment, or null. */
  failure(): Error | null;
}

/** A record that could not be read, with where it came from and why. */
export interface DeadLetter {
  topic: string;
  partition: number;
  offset: number;
  reason: string;
  /** The record's value, or the part of it that is at fault. */
  value: Uint8Array;
  /** The record's headers, where the whole record is meant. */
  headers?: readonly (readonly [name: string, value: Uint8Array])[];
}
