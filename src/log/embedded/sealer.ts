import type { Logger } from '../../lib/logger.ts';
import type { SealAnswer } from './seal-thread.ts';
import type { SealWorker } from './seal-worker.ts';
import type { Segment } from './segment.ts';
import { sealedPath } from './segment-file.ts';

interface SealerOptions {
  worker: SealWorker;
  logger: Logger;
  /** Told after a segment has its new form; `cpuMs` is what it cost. */
  onSealed: (segment: Segment, cpuMs: number) => void;
}

/** Hands one log's closed raw segments to the sealing thread, one after the other. */
export class Sealer {
  readonly #options: SealerOptions;
  #queue: Segment[] = [];
  /** Could not be sealed (a full disk): tried again when the next segment is closed. */
  #failed: Segment[] = [];
  #current: Segment | null = null;
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
    if (this.#current) await this.#options.worker.cancel(this.#current.path);
    this.#settle();
  }

  #next(): void {
    if (this.#current !== null || this.#closed) return;
    const segment = this.#queue.shift();
    if (segment === undefined) {
      this.#settle();
      return;
    }
    this.#current = segment;
    void this.#options.worker.seal(segment.path).then((answer) => this.#answered(segment, answer));
  }

  #settle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** A failure leaves the raw segment in use. */
  #answered(segment: Segment, answer: SealAnswer | null): void {
    this.#current = null;
    if (answer === null) this.#failed.push(segment);
    else if ('error' in answer) {
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
