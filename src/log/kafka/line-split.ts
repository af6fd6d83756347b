import { assert } from '../../lib/assert.ts';
import { entityId } from '../../model/entity.ts';
import type { EventBatch, Names } from '../../model/event-batch.ts';
import { hashOf, HeadTable } from '../../model/head-table.ts';
import { POINTS_KEY } from '../../model/metric.ts';
import { parseMetricLine } from '../../model/metric-line.ts';
import { createRotatingScanner } from '../../model/rotating-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { AppendRecord } from '../event-log.ts';
import type { EntitySpread } from './entity-spread.ts';
import { partitionOfEntity, partitionOfTrace } from './partition-of.ts';

/** Where each line of a record goes; rows 0..count-1, valid until the next record. */
export interface LineSplit {
  count: number;
  /** Bytes of each line without its newline. */
  length: Uint32Array;
  /** -1 for a line that does not go to the topic. */
  partition: Int16Array;
  /** Milliseconds; absent where lines have no time of their own. */
  timestamp?: Float64Array;
}

/** Says to which partition of each topic a record's lines go. */
export interface LineSplitter {
  split(record: AppendRecord): { main: LineSplit; traces: LineSplit | null };
}

const NEWLINE = 10;
const UNKNOWN = -1;
/** Events of a hot service that stay together, as a power of two: neighbours are copied at once. */
const RUN_BITS = 6;

/** By entity; where there is a topic of traces, those of a trace by its id too. Null trace partitions: none. */
export function createEventSplitter(spread: EntitySpread, tracePartitions: number | null, nowMs: () => number): LineSplitter {
  return new EventSplitter(spread, tracePartitions, nowMs);
}

class EventSplitter implements LineSplitter {
  readonly #spread: EntitySpread;
  /** Home and width of each hot entity. */
  readonly #hot: { home: number; width: number }[] = [];
  readonly #tracePartitions: number | null;
  readonly #nowMs: () => number;
  /** Partition by entity id, for each table of names: ids mean something in theirs only. Of hot ones, -2 - their place in `#hot`. */
  readonly #known = new WeakMap<Names, Int16Array>();
  #main = new Int16Array(1024);
  #traces = new Int16Array(1024);
  #scanner: ReturnType<typeof createRotatingScanner> | null = null;

  constructor(spread: EntitySpread, tracePartitions: number | null, nowMs: () => number) {
    this.#spread = spread;
    this.#tracePartitions = tracePartitions;
    this.#nowMs = nowMs;
  }

  split(record: AppendRecord): { main: LineSplit; traces: LineSplit | null } {
    const batch = record.batch ?? this.#scan(record);
    const { count, length, timestamp } = batch;
    if (count > this.#main.length) {
      this.#main = new Int16Array(2 * count);
      this.#traces = new Int16Array(2 * count);
    }
    this.#byEntity(batch, record);
    const main = { count, length, partition: this.#main, timestamp };
    const hasTraces = this.#tracePartitions !== null && this.#byTrace(batch, this.#tracePartitions);
    return { main, traces: hasTraces ? { count, length, partition: this.#traces, timestamp } : null };
  }

  #byEntity({ count, entity, names }: EventBatch, record: AppendRecord): void {
    const partition = this.#main;
    let known = this.#known.get(names);
    if (!known) this.#known.set(names, (known = new Int16Array(names.entities.capacity + 2).fill(UNKNOWN)));
    let turn = UNKNOWN;
    for (let i = 0; i < count; i++) {
      const id = entity[i] as number;
      let found = known[id] as number;
      if (found === UNKNOWN) known[id] = found = this.#place(names.entities.name(id));
      if (found < UNKNOWN) {
        if (turn === UNKNOWN) turn = turnOf(record);
        const { home, width } = this.#hot[-2 - found] as { home: number; width: number };
        found = (home + ((turn + (i >>> RUN_BITS)) % width)) % this.#spread.partitions;
      }
      partition[i] = found;
    }
  }

  #place(entity: string): number {
    const home = this.#spread.homeOf(entity);
    const width = this.#spread.widthOf(entity);
    if (width === 1) return home;
    const place = this.#hot.findIndex((hot) => hot.home === home && hot.width === width);
    return -2 - (place >= 0 ? place : this.#hot.push({ home, width }) - 1);
  }

  /** Whether any event belongs to a trace. */
  #byTrace({ count, traceHash }: EventBatch, partitions: number): boolean {
    const partition = this.#traces;
    let isAny = false;
    for (let i = 0; i < count; i++) {
      const low = traceHash[2 * i] as number;
      const high = traceHash[2 * i + 1] as number;
      const isTraced = (low | high) !== 0;
      isAny ||= isTraced;
      partition[i] = isTraced ? partitionOfTrace(low, high, partitions) : UNKNOWN;
    }
    return isAny;
  }

  /** For callers who have no columns; those of the doors have. */
  #scan({ bytes, count }: AppendRecord): EventBatch {
    this.#scanner ??= createRotatingScanner({}, this.#nowMs);
    const { batch } = this.#scanner.scan(bytes, NO_LIMITS);
    assert(batch.count === count, `a record holds ${count} events, not ${batch.count}`);
    return batch;
  }
}

/**
 * Where a request begins among the partitions of a hot service: small ones must not all go to the first. A retried request that is to be
 * recognised begins where it did the first time, by its key; others by what they hold.
 */
function turnOf({ idempotency, bytes, minTimestampMs }: AppendRecord): number {
  if (idempotency) return parseInt(idempotency.keyHash.slice(0, 8), 16);
  let mixed = Math.imul(bytes.length ^ Math.floor(minTimestampMs % 2 ** 32), 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

const POINTS = Buffer.from(POINTS_KEY);
const MAX_HEADS = 262_144;

/** Lines of metrics by the entity that sent them; the partition of a series is found by the bytes of its head. */
export function createMetricSplitter(partitions: number): LineSplitter {
  return new MetricSplitter(partitions);
}

class MetricSplitter implements LineSplitter {
  readonly #partitions: number;
  #heads = new HeadTable();
  /** Partition by id of a head. */
  #known = new Int16Array(1024);
  #length = new Uint32Array(1024);
  #partition = new Int16Array(1024);

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  split({ bytes, count }: AppendRecord): { main: LineSplit; traces: null } {
    if (this.#heads.size >= MAX_HEADS) this.#heads = new HeadTable();
    if (count > this.#length.length) {
      this.#length = new Uint32Array(2 * count);
      this.#partition = new Int16Array(2 * count);
    }
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let previous = 0;
    let at = 0;
    for (let i = 0; i < count; i++) {
      const end = view.indexOf(NEWLINE, at);
      assert(end >= 0, 'a record of metrics has a newline after each line');
      previous = this.#headOf(view, at, end, previous);
      this.#length[i] = end - at;
      this.#partition[i] = this.#known[previous] as number;
      at = end + 1;
    }
    return { main: { count, length: this.#length, partition: this.#partition }, traces: null };
  }

  /** Id of the head of a line; senders repeat their order, so most are found by one comparison. */
  #headOf(bytes: Buffer, start: number, end: number, previous: number): number {
    const expected = this.#heads.following(previous);
    if (expected !== 0) {
      const headEnd = this.#heads.matchEnd(expected, bytes, start);
      if (headEnd > 0 && bytes[headEnd] === POINTS[0] && bytes[headEnd + 2] === POINTS[2]) return expected;
    }
    // A quote inside a string is escaped, so this text ends the head wherever it occurs.
    const headEnd = bytes.indexOf(POINTS, start);
    assert(headEnd >= 0 && headEnd < end, 'a line of metrics has points');
    const known = this.#heads.find(bytes, start, headEnd, hashOf(bytes, start, headEnd));
    const id = known === 0 ? this.#add(bytes, start, headEnd, end) : known;
    this.#heads.setFollowing(previous, id);
    return id;
  }

  #add(bytes: Buffer, start: number, headEnd: number, end: number): number {
    const line = parseMetricLine(bytes.subarray(start, end));
    assert(line, 'a line of metrics is well formed');
    const id = this.#heads.add(bytes, start, headEnd, line.key);
    if (id >= this.#known.length) {
      const grown = new Int16Array(2 * id);
      grown.set(this.#known);
      this.#known = grown;
    }
    this.#known[id] = partitionOfEntity(entityId(line.key), this.#partitions);
    return id;
  }
}
