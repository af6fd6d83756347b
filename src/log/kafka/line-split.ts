import { assert } from '../../lib/assert.ts';
import { entityId } from '../../model/entity.ts';
import type { EventBatch, Names } from '../../model/event-batch.ts';
import { hashOf, HeadTable } from '../../model/head-table.ts';
import { POINTS_KEY } from '../../model/metric.ts';
import { parseMetricLine } from '../../model/metric-line.ts';
import { createRotatingScanner } from '../../model/rotating-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { AppendRecord } from '../event-log.ts';
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

/** By entity; where there is a topic of traces, those of a trace by its id too. Null trace partitions: none. */
export function createEventSplitter(partitions: number, tracePartitions: number | null, nowMs: () => number): LineSplitter {
  return new EventSplitter(partitions, tracePartitions, nowMs);
}

class EventSplitter implements LineSplitter {
  readonly #partitions: number;
  readonly #tracePartitions: number | null;
  readonly #nowMs: () => number;
  /** Partition by entity id, for each table of names: ids mean something in theirs only. */
  readonly #known = new WeakMap<Names, Int16Array>();
  #main = new Int16Array(1024);
  #traces = new Int16Array(1024);
  #scanner: ReturnType<typeof createRotatingScanner> | null = null;

  constructor(partitions: number, tracePartitions: number | null, nowMs: () => number) {
    this.#partitions = partitions;
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
    this.#byEntity(batch);
    const main = { count, length, partition: this.#main, timestamp };
    const hasTraces = this.#tracePartitions !== null && this.#byTrace(batch, this.#tracePartitions);
    return { main, traces: hasTraces ? { count, length, partition: this.#traces, timestamp } : null };
  }

  #byEntity({ count, entity, names }: EventBatch): void {
    const partition = this.#main;
    let known = this.#known.get(names);
    if (!known) this.#known.set(names, (known = new Int16Array(names.entities.capacity + 2).fill(UNKNOWN)));
    for (let i = 0; i < count; i++) {
      const id = entity[i] as number;
      let found = known[id] as number;
      if (found === UNKNOWN) known[id] = found = partitionOfEntity(names.entities.name(id), this.#partitions);
      partition[i] = found;
    }
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
