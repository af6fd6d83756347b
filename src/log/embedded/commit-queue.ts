import { HeliosError } from '../../lib/errors.ts';
import type { AppendRecord, Position } from '../event-log.ts';
import { frameHeadBytes } from './frame.ts';

interface PendingAppend {
  record: AppendRecord;
  size: number;
  resolve: (position: Position) => void;
  reject: (error: Error) => void;
}

/**
 * Collects appends and has them committed together: while one commit is under way the next batch gathers. Appends of one
 * turn of the event loop share a commit.
 */
export class CommitQueue {
  readonly #maxPendingBytes: number;
  readonly #commit: (records: readonly AppendRecord[]) => Promise<number>;
  #pending: PendingAppend[] = [];
  #bytes = 0;
  #running = false;
  #scheduled = false;
  #waiting: (() => void)[] = [];

  /** `commit` makes the records durable together and resolves to the first one's offset, or rejects for all of them. */
  constructor(maxPendingBytes: number, commit: (records: readonly AppendRecord[]) => Promise<number>) {
    this.#maxPendingBytes = maxPendingBytes;
    this.#commit = commit;
  }

  /** Bytes gathered or being committed. */
  get bytes(): number {
    return this.#bytes;
  }

  get idle(): boolean {
    return !this.#running && this.#pending.length === 0;
  }

  /** Rejects with `overloaded` when too much is waiting already. */
  add(record: AppendRecord): Promise<Position> {
    const size = frameHeadBytes(record) + record.bytes.length;
    if (this.#bytes > 0 && this.#bytes + size > this.#maxPendingBytes) {
      const waiting = `${this.#bytes} bytes are waiting for the disk`;
      return Promise.reject(new HeliosError('overloaded', `cannot append: ${waiting}`, { details: { retryAfterSeconds: 1 } }));
    }
    this.#bytes += size;
    return new Promise((resolve, reject) => {
      this.#pending.push({ record, size, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits and nothing is under way. */
  async drained(): Promise<void> {
    while (!this.idle) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  #schedule(): void {
    if (this.#running || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      const settle = await this.#attempt(batch);
      for (const { size } of batch) this.#bytes -= size;
      // Before anyone is told: who hears that an append is durable may find the queue idle.
      this.#running = this.#pending.length > 0;
      settle();
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #attempt(batch: readonly PendingAppend[]): Promise<() => void> {
    try {
      const first = await this.#commit(batch.map(({ record }) => record));
      return () => {
        for (const [i, { resolve }] of batch.entries()) resolve({ partition: 0, offset: first + i });
      };
    } catch (error) {
      return () => {
        for (const { reject } of batch) reject(error as Error);
      };
    }
  }
}
