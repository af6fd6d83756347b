import { HeliosError } from '../../lib/errors.ts';
import type { AppendRecord, Position } from '../event-log.ts';
import { FrameBatch } from './frame-batch.ts';
import { frameHeadBytes } from './frame.ts';

/** One that gathers and one that is being committed; more only while the disk is behind. */
const KEPT_BATCHES = 2;

/**
 * Collects appends and has them committed together: while one commit is under way the next batch gathers. Appends of one
 * turn of the event loop share a commit, as far as a batch holds them.
 */
export class CommitQueue {
  readonly #maxPendingBytes: number;
  readonly #commit: (batch: FrameBatch) => Promise<number>;
  readonly #pending: FrameBatch[] = [];
  readonly #spare: FrameBatch[] = [];
  #bytes = 0;
  #running = false;
  #scheduled = false;
  #waiting: (() => void)[] = [];

  /** `commit` makes the records durable together and resolves to the first one's offset, or rejects for all of them. */
  constructor(maxPendingBytes: number, commit: (batch: FrameBatch) => Promise<number>) {
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
    const headBytes = frameHeadBytes(record);
    const size = headBytes + record.bytes.length;
    if (this.#bytes > 0 && this.#bytes + size > this.#maxPendingBytes) {
      const waiting = `${this.#bytes} bytes are waiting for the disk`;
      return Promise.reject(new HeliosError('overloaded', `cannot append: ${waiting}`, { details: { retryAfterSeconds: 1 } }));
    }
    let batch = this.#pending.at(-1);
    if (!batch?.hasRoom(headBytes, record.bytes.length)) {
      batch = this.#spare.pop() ?? new FrameBatch();
      this.#pending.push(batch);
    }
    this.#bytes += size;
    this.#schedule();
    return batch.add(record);
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
    for (let batch = this.#pending.shift(); batch; batch = this.#pending.shift()) {
      const settle = await this.#attempt(batch);
      this.#bytes -= batch.bytes;
      // Before anyone is told: who hears that an append is durable may find the queue idle.
      this.#running = this.#pending.length > 0;
      settle();
      batch.reset();
      if (this.#spare.length < KEPT_BATCHES) this.#spare.push(batch);
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #attempt(batch: FrameBatch): Promise<() => void> {
    try {
      const first = await this.#commit(batch);
      return () => batch.resolve(first);
    } catch (error) {
      return () => batch.reject(error as Error);
    }
  }
}
