import type { HeliosError } from '../../lib/errors.ts';
import type { AppendRecord, Position } from '../event-log.ts';

/** One call of `append`, until every part of it is acknowledged. */
export class PendingAppend {
  readonly promise: Promise<Position>;
  /** Monotonic clock. */
  readonly deadlineMs: number;
  readonly keyed: Pick<AppendRecord, 'idempotency' | 'count' | 'receivedAtMs'> | null;
  readonly events: number;
  readonly #onDurable: (append: PendingAppend) => void;
  #resolve!: (position: Position) => void;
  #reject!: (error: HeliosError) => void;
  #parts = 0;
  #position: Position | null = null;
  #isSettled = false;
  #isRefused = false;

  constructor(record: AppendRecord, deadlineMs: number, onDurable: (append: PendingAppend) => void) {
    this.deadlineMs = deadlineMs;
    this.events = record.count;
    this.#onDurable = onDurable;
    const { idempotency, count, receivedAtMs } = record;
    this.keyed = idempotency ? { idempotency, count, receivedAtMs } : null;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** One more record holds a part of it; returns the part's number. */
  addPart(): number {
    return this.#parts++;
  }

  /** The record with its part `part` is durable. */
  acknowledge(part: number, partition: number, offset: number): void {
    if (part === 0) this.#position = { partition, offset };
    if (--this.#parts > 0 || this.#isRefused) return;
    // Also when the caller has been told otherwise in the meantime: whoever asks again is told the truth.
    this.#onDurable(this);
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#resolve(this.#position as Position);
  }

  /** A part will never be durable. */
  refuse(error: HeliosError): void {
    this.#isRefused = true;
    this.fail(error);
  }

  /** Tells the caller that it failed, which need not be the end of its parts. */
  fail(error: HeliosError): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#reject(error);
  }
}
