import type { Backoff } from '../../lib/backoff.ts';
import type { HeliosError } from '../../lib/errors.ts';
import type { FetchedPartition, FetchedRecord, OffsetRange } from './fetch-client.ts';

/** Bytes of records that may wait to be read; fetching goes on below that, so one answer more can be there. */
const BUFFER_BYTES = 4_000_000;
/** Asked of a partition at once, compressed: lines like ours take 5 to 10 times as much afterwards. */
const FETCH_BYTES = 512 * 1024;
/** An answer says for so long that nothing more has come; several polls. */
const CURRENT_MS = 2000;

/**
 * `alone`: an answer of several partitions could not be read, so each is asked for alone; `one`: this one is at fault, so it is
 * asked for one batch at a time, and offsets whose batch cannot be read are passed.
 */
export type FetchMode = 'together' | 'alone' | 'one';

/** One partition of a fetch loop: where it stands, and the records that wait for its reader. */
export class FetchPartition {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  /** Pauses after failures. */
  readonly backoff: Backoff;
  firstOffset: number;
  endOffset: number;
  /** Node id of the leader, or -1 while it is not known. */
  leader = -1;
  /** Monotonic time before which it is not fetched. */
  pausedUntilMs = 0;
  mode: FetchMode = 'together';
  failure: Error | null = null;
  /** Why the offsets asked for mean nothing (any more): the log is another one, or has lost its end. */
  broken: HeliosError | null = null;
  /** Whether its reader keeps offsets, which must not be moved back. */
  isStored = false;
  /** Monotonic time of the last answer that said how far the partition goes. */
  #heardMs = -Infinity;
  /** Where to fetch next; null until someone has said from where, so that nothing is fetched in vain. */
  #nextOffset: number | null = null;
  #records: FetchedRecord[] = [];
  #taken = 0;
  #bytes = 0;
  #closed = false;
  readonly #waiting = new Set<() => void>();
  readonly #onRoom: () => void;

  constructor(topic: string, partition: number, range: OffsetRange, backoff: Backoff, onRoom: () => void) {
    this.topic = topic;
    this.partition = partition;
    this.topicId = range.topicId;
    this.firstOffset = range.firstOffset;
    this.endOffset = range.endOffset;
    this.backoff = backoff;
    this.#onRoom = onRoom;
  }

  /** Offset of the next record to be read, or where it will be looked for. */
  get position(): number | null {
    return this.#records[this.#taken]?.offset ?? this.#nextOffset;
  }

  get nextOffset(): number | null {
    return this.#nextOffset;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  get hasRoom(): boolean {
    return this.#bytes < BUFFER_BYTES;
  }

  /** Whether everything is read of what was there a moment before `nowMs`, as far as the broker has said. */
  isCurrent(nowMs: number): boolean {
    return this.#nextOffset !== null && !this.peek() && this.#nextOffset >= this.endOffset && nowMs - this.#heardMs < CURRENT_MS;
  }

  /** The broker has answered at `nowMs`, if only that there is nothing new. */
  hear(nowMs: number): void {
    this.failure = null;
    this.#heardMs = nowMs;
  }

  get maxBytes(): number {
    return this.mode === 'one' ? 1 : FETCH_BYTES;
  }

  peek(): FetchedRecord | undefined {
    return this.#records[this.#taken];
  }

  /** Lets go of the record that `peek` gives. */
  take(): void {
    const record = this.#records[this.#taken];
    if (!record) return;
    const hadRoom = this.hasRoom;
    this.#bytes -= sizeOf(record);
    if (++this.#taken === this.#records.length) {
      this.#records = [];
      this.#taken = 0;
    }
    if (!hadRoom && this.hasRoom) this.#onRoom();
  }

  /** Keeps what is buffered behind `offset`, and fetches from there otherwise. */
  seek(offset: number): void {
    const position = this.position;
    if (position === null || offset < position || offset > this.#nextOffset!) this.#restart(offset);
    else for (let next = this.peek(); next && next.offset < offset; next = this.peek()) this.take();
    this.#onRoom();
  }

  #restart(offset: number): void {
    this.#records = [];
    this.#taken = 0;
    this.#bytes = 0;
    this.#nextOffset = offset;
  }

  /** Takes an answer, unless it was asked for from another offset than now wanted. */
  accept(answer: FetchedPartition, askedFrom: number): void {
    if (answer.firstOffset >= 0) this.firstOffset = answer.firstOffset;
    if (answer.endOffset >= 0) this.endOffset = answer.endOffset;
    this.failure = null;
    this.backoff.reset();
    if (askedFrom !== this.#nextOffset || this.#closed) return;
    this.#nextOffset = answer.nextOffset;
    this.#append(answer.records);
  }

  /** The record at the next offset cannot be got at: its place is taken by the reason. */
  passDamage(reason: string): void {
    const offset = this.#nextOffset!;
    this.#nextOffset = offset + 1;
    this.#append([{ offset, timestampMs: 0, appendedMs: null, key: null, value: null, headers: [], damage: reason }]);
  }

  #append(records: readonly FetchedRecord[]): void {
    if (records.length === 0) return;
    for (const record of records) {
      this.#records.push(record);
      this.#bytes += sizeOf(record);
    }
    this.wake();
  }

  /** Resolves when there are records, at the latest when `wake` is called. */
  arrival(): { promise: Promise<void>; forget: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.peek() || this.broken || this.#closed) resolve();
    else this.#waiting.add(resolve);
    return { promise, forget: () => this.#waiting.delete(resolve) };
  }

  /** Nothing more is fetched of it. */
  break(reason: HeliosError): void {
    this.broken = this.failure = reason;
    this.wake();
  }

  wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  close(): void {
    this.#closed = true;
    this.#restart(this.#nextOffset ?? 0);
    this.wake();
  }
}

function sizeOf({ key, value, headers }: FetchedRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, text] of headers) bytes += (name?.length ?? 0) + (text?.length ?? 0);
  return bytes;
}
