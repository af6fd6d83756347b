import { Worker } from 'node:worker_threads';
import type { SealAnswer, SealReply, SealRequest, SealThreadData } from './seal-thread.ts';

interface SealJob {
  path: string;
  resolve: (answer: SealReply) => void;
  ended: Promise<SealReply>;
}

/**
 * The sealing thread, for any number of logs: one segment after the other, whichever log it belongs to. The thread starts
 * with the first job, and does not keep the process alive while it has none.
 */
export class SealWorker {
  readonly #data: SealThreadData;
  readonly #queue: SealJob[] = [];
  #current: SealJob | null = null;
  #worker: Worker | null = null;

  /** `level` is zstd's, 1 to 19. */
  constructor(level: number) {
    this.#data = { level, cancelled: new Int32Array(new SharedArrayBuffer(4)) };
  }

  /** Resolves when the raw segment at `path` is sealed or known not to be, and to null when it was cancelled. */
  seal(path: string): Promise<SealAnswer | null> {
    const { promise, resolve } = Promise.withResolvers<SealReply>();
    this.#queue.push({ path, resolve, ended: promise });
    this.#next();
    return promise;
  }

  /**
   * Stops work on `path` soon; resolves when nothing touches the file any more. The thread ends its work by itself: one that is terminated in
   * the middle of making a compressor takes the process along (node aborts in zlib, "close before init").
   */
  async cancel(path: string): Promise<void> {
    const waiting = this.#queue.findIndex((job) => job.path === path);
    if (waiting >= 0) this.#queue.splice(waiting, 1)[0]?.resolve(null);
    const job = this.#current;
    if (job?.path !== path) return;
    Atomics.store(this.#data.cancelled, 0, 1);
    await job.ended;
  }

  /** Ends the thread; what waits is cancelled. */
  async close(): Promise<void> {
    for (const job of this.#queue.splice(0)) job.resolve(null);
    if (this.#current) await this.cancel(this.#current.path);
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  #next(): void {
    if (this.#current !== null) return;
    this.#current = this.#queue.shift() ?? null;
    if (this.#current === null) {
      this.#worker?.unref();
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.ref();
    Atomics.store(this.#data.cancelled, 0, 0);
    this.#worker.postMessage({ path: this.#current.path } satisfies SealRequest);
  }

  #settle(job: SealJob, answer: SealReply): void {
    if (this.#current !== job) return;
    this.#current = null;
    job.resolve(answer);
    this.#next();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./seal-thread.ts', import.meta.url), { workerData: this.#data });
    worker.on('message', (answer: SealReply) => {
      if (worker === this.#worker && this.#current) this.#settle(this.#current, answer);
    });
    worker.on('error', (error) => {
      if (worker !== this.#worker) return;
      this.#worker = null;
      if (this.#current) this.#settle(this.#current, { error: error.message, code: '' });
    });
    return worker;
  }
}
