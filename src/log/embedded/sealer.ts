import { Worker } from 'node:worker_threads';
import type { Logger } from '../../lib/logger.ts';
import type { SealAnswer, SealRequest, SealThreadData } from './seal-thread.ts';
import type { Segment } from './segment.ts';
import { sealedPath } from './segment-file.ts';

interface SealerOptions {
  level: number;
  logger: Logger;
  /** Told after a segment has its new form; `cpuMs` is what it cost. */
  onSealed: (segment: Segment, cpuMs: number) => void;
}

/** Hands closed raw segments to the sealing thread, one after the other. The thread starts with the first of them. */
export class Sealer {
  readonly #options: SealerOptions;
  #queue: Segment[] = [];
  /** Could not be sealed (a full disk): tried again when the next segment is closed. */
  #failed: Segment[] = [];
  #current: Segment | null = null;
  #worker: Worker | null = null;
  #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: SealerOptions) {
    this.#options = options;
  }

  /** A damaged segment is not taken: it stays as it is. */
  add(segment: Segment): void {
    if (segment.sealed || segment.damaged || segment === this.#current || this.#queue.includes(segment)) return;
    this.#failed = this.#failed.filter((other) => other !== segment);
    this.#queue.push(...this.#failed.splice(0), segment);
    this.#next();
  }

  /** Whether the segment's file is about to change. */
  isSealing(segment: Segment): boolean {
    return this.#current === segment;
  }

  /** Takes back a segment that is not being sealed yet: it is going to be removed. */
  drop(segment: Segment): void {
    this.#queue = this.#queue.filter((other) => other !== segment);
    this.#failed = this.#failed.filter((other) => other !== segment);
  }

  /** Resolves when nothing is left to seal. */
  idle(): Promise<void> {
    if (this.#current === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  /** Stops at once: what is half made is removed at the next open. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#queue = [];
    await this.#worker?.terminate();
    this.#settle();
  }

  #next(): void {
    if (this.#current !== null || this.#closed) return;
    this.#current = this.#queue.shift() ?? null;
    if (this.#current === null) {
      this.#settle();
      return;
    }
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#worker.postMessage({ path: this.#current.path } satisfies SealRequest);
  }

  #settle(): void {
    // An idle thread must not keep the process alive.
    this.#worker?.unref();
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #start(): Worker {
    const worker = new Worker(new URL('./seal-thread.ts', import.meta.url), {
      workerData: { level: this.#options.level } satisfies SealThreadData,
    });
    worker.on('message', (answer: SealAnswer) => this.#answered(answer));
    worker.on('error', (error) => {
      this.#worker = null;
      this.#answered({ error: error.message, code: '' });
    });
    return worker;
  }

  /** A failure leaves the raw segment in use. */
  #answered(answer: SealAnswer): void {
    const segment = this.#current as Segment;
    this.#current = null;
    if ('error' in answer) {
      this.#failed.push(segment);
      this.#options.logger.warn('cannot seal a segment; it stays raw for now', { file: segment.path, reason: answer.error });
    } else if (answer.sealed) {
      segment.sealed = true;
      segment.path = sealedPath(segment.path);
      segment.bytes = answer.bytes;
      this.#options.onSealed(segment, answer.cpuMs);
    } else segment.damaged = true;
    this.#next();
  }
}
