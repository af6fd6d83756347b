import { assert } from '../../lib/assert.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { PARTITION_STORE } from '../metrics.ts';
import type { Session } from './database.ts';
import type { PartitionKey } from './progress.ts';

/** What a request, or a piece of one, put into a record: see RecordPart of log/event-log.ts. */
interface RequestPart {
  keyHash: string;
  chunk: number;
  events: number;
  bytes: number;
}

/** A record of the log, as far as it matters here. */
export interface PartedRecord {
  position: { offset: number };
  bytes: Uint8Array;
  count: number;
  parts?: readonly RequestPart[];
}

/** Requests that are remembered by partition; an older one that comes again is stored again. */
const MAX_STORED_REQUESTS = 200_000;
const HASH_BYTES = 16;
const ENTRY_BYTES = HASH_BYTES + 2;
/** Rows are removed from the database once there are this many requests too many. */
const TRIM_SLACK = 10_000;

const WHERE_KEY = 'consumer_group = $1 AND topic = $2 AND log_partition = $3';

/** A part as the 18 bytes that are stored, read as Latin-1. */
function entryOf({ keyHash, chunk }: RequestPart): string {
  return Buffer.from(keyHash, 'hex').toString('latin1') + String.fromCharCode(chunk >>> 8, chunk & 255);
}

/**
 * Drops what a retried request brought a second time: parts whose hash and chunk were stored before. What is new is remembered, and
 * stored by the commit that stores its events. Records that are read again from behind the stored offset, to build up a state, are
 * filtered as they were the first time: what the same commit or a later one stored is no repetition.
 */
export class RequestFilter {
  readonly #metrics: Metrics;
  readonly #key: PartitionKey;
  readonly #limit: number;
  /** Stored requests, oldest first, by the offset up to which their commit stored. */
  readonly #stored = new Map<string, number>();
  /** Seen and not stored, or seen again from behind the stored offset. */
  readonly #seen = new Set<string>();
  /** Seen and not stored, in the order of the log, with the offset of their record. */
  #pending: { entry: string; offset: number }[] = [];
  /** Commits with requests in the database, oldest first. */
  #commits: { nextOffset: number; entries: number }[] = [];
  #entries = 0;

  constructor(key: PartitionKey, metrics: Metrics, limit = MAX_STORED_REQUESTS) {
    this.#key = key;
    this.#metrics = metrics;
    this.#limit = limit;
  }

  /** Reads what was stored. */
  async load(session: Pick<Session, 'query'>): Promise<void> {
    const { rows } = await session.query(
      `SELECT next_offset, hashes FROM stored_requests WHERE ${WHERE_KEY} ORDER BY next_offset`,
      this.#values(),
    );
    for (const { next_offset, hashes } of rows) {
      const nextOffset = Number(next_offset);
      const bytes = hashes as Uint8Array;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
      const entries = text.length / ENTRY_BYTES;
      for (let i = 0; i < entries; i++) this.#remember(text.slice(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES), nextOffset);
      this.#count(nextOffset, entries);
    }
  }

  /**
   * The record without repeated parts; the record itself when there are none. Called once a record, in the order of the log. What is
   * left of a record may be nothing: it is no heartbeat for that.
   */
  filter<R extends PartedRecord>(record: R): R {
    const { parts, position } = record;
    if (!parts || parts.every(({ keyHash }) => keyHash === '')) return record;
    const kept = parts.map((part) => part.keyHash === '' || this.#isFirst(entryOf(part), position.offset));
    const dropped = kept.filter((isKept) => !isKept).length;
    if (dropped === 0) return record;
    this.#metrics.add(PARTITION_STORE.repeatedParts, dropped);
    return withoutParts(record, parts, kept);
  }

  /**
   * Stores what came since the last commit in records below `nextOffset`; the caller holds the transaction. Records may be filtered long before
   * they are committed: what lies behind would be taken for repeated when a crash makes it be read again.
   */
  async store(session: Session, nextOffset: number): Promise<void> {
    const due = this.#pending.slice(0, this.#dueBefore(nextOffset)).map(({ entry }) => entry);
    if (due.length === 0) return;
    await session.query(
      `INSERT INTO stored_requests AS s (consumer_group, topic, log_partition, next_offset, hashes) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (consumer_group, topic, log_partition, next_offset) DO UPDATE SET hashes = s.hashes || excluded.hashes`,
      [...this.#values(), nextOffset, Buffer.from(due.join(''), 'latin1')],
    );
    const below = this.#trimBelow(due.length);
    if (below === null) return;
    await session.query(`DELETE FROM stored_requests WHERE ${WHERE_KEY} AND next_offset < $4`, [...this.#values(), below]);
  }

  /** Called once the commit up to `nextOffset` is stored. */
  settle(nextOffset: number): void {
    const due = this.#pending.splice(0, this.#dueBefore(nextOffset));
    if (due.length === 0) return;
    const below = this.#trimBelow(due.length);
    for (const { entry } of due) {
      this.#seen.delete(entry);
      this.#remember(entry, nextOffset);
    }
    this.#count(nextOffset, due.length);
    if (below === null) return;
    const first = this.#commits.findIndex((commit) => commit.nextOffset >= below);
    for (const { entries } of this.#commits.splice(0, first < 0 ? this.#commits.length : first)) this.#entries -= entries;
  }

  /** Whether this is the request's first time, which it then is no more. */
  #isFirst(entry: string, offset: number): boolean {
    const storedUpTo = this.#stored.get(entry);
    if (storedUpTo !== undefined && storedUpTo <= offset) return false;
    if (this.#seen.has(entry)) return false;
    this.#seen.add(entry);
    if (storedUpTo === undefined) this.#pending.push({ entry, offset });
    return true;
  }

  /** How many of the pending lie below that offset. */
  #dueBefore(nextOffset: number): number {
    const first = this.#pending.findIndex(({ offset }) => offset >= nextOffset);
    return first < 0 ? this.#pending.length : first;
  }

  #remember(entry: string, nextOffset: number): void {
    this.#stored.set(entry, nextOffset);
    if (this.#stored.size <= this.#limit) return;
    const oldest = this.#stored.keys().next().value as string;
    this.#stored.delete(oldest);
    this.#seen.delete(oldest);
  }

  #count(nextOffset: number, entries: number): void {
    const last = this.#commits.at(-1);
    if (last?.nextOffset === nextOffset) last.entries += entries;
    else this.#commits.push({ nextOffset, entries });
    this.#entries += entries;
  }

  /** Commits below this offset hold only requests that are too old; null while it is not worth a statement. */
  #trimBelow(added: number): number | null {
    let excess = this.#entries + added - this.#limit;
    if (excess < Math.min(TRIM_SLACK, this.#limit)) return null;
    for (const { nextOffset, entries } of this.#commits) {
      if (entries > excess) return nextOffset;
      excess -= entries;
    }
    return null;
  }

  #values(): [string, string, number] {
    const { group, topic, partition } = this.#key;
    return [group, topic, partition];
  }
}

/** The times stay those of the whole record: they are bounds. */
function withoutParts<R extends PartedRecord>(record: R, parts: readonly RequestPart[], kept: readonly boolean[]): R {
  const pieces: Uint8Array[] = [];
  let at = 0;
  let count = 0;
  for (const [i, part] of parts.entries()) {
    if (kept[i]) {
      pieces.push(record.bytes.subarray(at, at + part.bytes));
      count += part.events;
    }
    at += part.bytes;
  }
  assert(at === record.bytes.length, 'the parts of a record are all of it');
  return { ...record, bytes: Buffer.concat(pieces), count, parts: parts.filter((_, i) => kept[i]) };
}
