import { isoTime } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import type { HeliosError } from '../lib/errors.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { ClientReport } from '../model/client.ts';
import type { Rejection } from '../model/scanner.ts';
import { CLIENTS_EVICTED } from './metrics.ts';
import type { MemoryHolder } from './pending-bytes.ts';

/** Clients known at most; past it those seen longest ago make room, a share of them at a time so that it costs little each. */
const MAX_CLIENTS = 10_000;
const MAX_STRANGERS = 1000;
const EVICTED_SHARE = 0.1;
/** Reasons told apart per client; all others count as "other". */
const MAX_REASONS = 16;
const MAX_ERROR_CHARACTERS = 300;
const OTHER = 'other';

export interface Settlement {
  accepted: number;
  rejectedCount: number;
  rejections: readonly Rejection[];
  /** Bytes of the body on the wire. */
  sentBytes: number;
}

/** What one client holds now, and what came of all it sent since it was first seen. */
export class ClientEntry implements MemoryHolder {
  heldBytes = 0;
  inFlight = 0;
  readonly firstSeenMs: number;
  lastSeenMs: number;
  #requests = 0;
  #accepted = 0;
  #rejected = 0;
  #sentBytes = 0;
  readonly #reasons = new Map<string, { field: string; reason: string; count: number }>();
  readonly #refused = new Map<string, number>();
  readonly #errors = new Map<string, { door: string; atMs: number; code: string; message: string }>();

  constructor(nowMs: number) {
    this.firstSeenMs = nowMs;
    this.lastSeenMs = nowMs;
  }

  settle({ accepted, rejectedCount, rejections, sentBytes }: Settlement): void {
    this.#requests++;
    this.#accepted += accepted;
    this.#sentBytes += sentBytes;
    if (rejectedCount === 0) return;
    this.#rejected += rejectedCount;
    for (const { field, reason } of rejections) this.#addReason(field, reason, 1);
    const unlisted = rejectedCount - rejections.length;
    if (unlisted > 0) this.#addReason(OTHER, OTHER, unlisted);
  }

  /** A request that was answered with an error. */
  refuse(door: string, error: HeliosError, nowMs: number): void {
    this.lastSeenMs = nowMs;
    this.#refused.set(error.code, (this.#refused.get(error.code) ?? 0) + 1);
    const message = error.message.slice(0, MAX_ERROR_CHARACTERS);
    this.#errors.set(door, { door, atMs: nowMs, code: error.code, message });
  }

  report(client: string, peer: string | null): ClientReport {
    return {
      client,
      peer,
      firstSeen: isoTime(this.firstSeenMs),
      lastSeen: isoTime(this.lastSeenMs),
      requests: this.#requests,
      accepted: this.#accepted,
      bytes: this.#sentBytes,
      rejected: this.#rejected,
      rejectedBy: [...this.#reasons.values()].map((reason) => ({ ...reason })).toSorted((a, b) => b.count - a.count),
      refused: [...this.#refused].map(([code, count]) => ({ code, count })).toSorted((a, b) => b.count - a.count),
      lastErrors: [...this.#errors.values()].map(({ atMs, ...error }) => ({ ...error, at: isoTime(atMs) })),
      inFlight: this.inFlight,
      heldBytes: this.heldBytes,
    };
  }

  #addReason(field: string, reason: string, count: number): void {
    const key = `${field}\0${reason}`;
    const known = this.#reasons.get(key);
    if (known) known.count += count;
    else if (this.#reasons.size < MAX_REASONS - 1 || field === OTHER) this.#reasons.set(key, { field, reason, count });
    else this.#addReason(OTHER, OTHER, count);
  }
}

/** Entries by name, at most `capacity` of them; those with requests in flight are never dropped. */
class EntryTable {
  readonly #capacity: number;
  readonly #entries = new Map<string, ClientEntry>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  find(name: string): ClientEntry | undefined {
    return this.#entries.get(name);
  }

  /** Returns how many entries had to go for it. */
  add(name: string, entry: ClientEntry): number {
    const evicted = this.#entries.size < this.#capacity ? 0 : this.#evict();
    this.#entries.set(name, entry);
    return evicted;
  }

  [Symbol.iterator](): Iterator<[string, ClientEntry]> {
    return this.#entries.entries();
  }

  #evict(): number {
    const idle = [...this.#entries].filter(([, { inFlight }]) => inFlight === 0);
    idle.sort(([, a], [, b]) => a.lastSeenMs - b.lastSeenMs);
    const leaving = idle.slice(0, Math.ceil(this.#capacity * EVICTED_SHARE));
    for (const [name] of leaving) this.#entries.delete(name);
    return leaving.length;
  }
}

export interface ClientQuery {
  client?: string;
  offset: number;
  limit: number;
}

/** Who sends, and why what they sent is not there. All tables are bounded. */
export class ClientLedger {
  readonly #clients = new EntryTable(MAX_CLIENTS);
  readonly #strangers = new EntryTable(MAX_STRANGERS);
  readonly #clock: Clock;
  readonly #metrics: Metrics;

  constructor(clock: Clock, metrics: Metrics) {
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** The client's entry, made at first sight; it has been seen now. */
  seen(client: string): ClientEntry {
    return this.#seenIn(this.#clients, client);
  }

  /** Somebody whom no key let in, known by the address only. */
  stranger(peer: string): ClientEntry {
    return this.#seenIn(this.#strangers, peer);
  }

  /** Most recently seen first; `client` narrows to one, "" to those whom no key let in. The cursor is an offset. */
  list({ client, offset, limit }: ClientQuery): { items: ClientReport[]; nextCursor: string | null } {
    const rows: { client: string; peer: string | null; entry: ClientEntry }[] = [];
    for (const [name, entry] of this.#clients) rows.push({ client: name, peer: null, entry });
    for (const [peer, entry] of this.#strangers) rows.push({ client: '', peer, entry });
    const wanted = client === undefined ? rows : rows.filter((row) => row.client === client);
    wanted.sort((a, b) => b.entry.lastSeenMs - a.entry.lastSeenMs);
    const items = wanted.slice(offset, offset + limit).map((row) => row.entry.report(row.client, row.peer));
    return { items, nextCursor: offset + limit < wanted.length ? String(offset + limit) : null };
  }

  #seenIn(table: EntryTable, name: string): ClientEntry {
    const nowMs = this.#clock.nowMs();
    let entry = table.find(name);
    if (entry) {
      entry.lastSeenMs = nowMs;
      return entry;
    }
    entry = new ClientEntry(nowMs);
    const evicted = table.add(name, entry);
    if (evicted > 0) this.#metrics.add(CLIENTS_EVICTED, evicted);
    return entry;
  }
}
