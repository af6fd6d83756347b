import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { MetricBatch, SeriesKey } from '../../model/metric.ts';
import { HeadSlots } from '../head-slots.ts';
import { canonicalLabels, identityOf } from '../series-key.ts';

/** Chunk keys have room for ids below this. */
export const MAX_SERIES_ID = 2 ** 26 - 1;
const DROPPED = -1;

interface StoredSeries extends Record<string, unknown> {
  id: number;
  first_ms: number | null;
  last_ms: number | null;
}

/**
 * Every series that the store holds, with a slot each: a small number for columns in memory, used again once its series is gone.
 * Past `capacity` further ones are dropped. New ones stay pending until a commit has stored them.
 */
export class SeriesRegistry {
  readonly #capacity: number;
  readonly #slots = new Map<string, number>();
  readonly #identities: string[] = [];
  readonly ids: number[] = [];
  readonly firstMs: number[] = [];
  readonly lastMs: number[] = [];
  #free: number[] = [];
  #pending: { slot: number; key: SeriesKey }[] = [];
  nextId = 1;
  readonly #heads = new HeadSlots();
  readonly #registerKey = (key: SeriesKey): number => this.#register(key);

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Slots are below this. */
  get slotCount(): number {
    return this.ids.length;
  }

  /** Takes what is stored, in place of everything known; slots change their meaning. */
  load(database: DatabaseSync): void {
    this.#slots.clear();
    for (const list of [this.#identities, this.ids, this.firstMs, this.lastMs]) list.length = 0;
    this.#free = [];
    this.#pending = [];
    this.#heads.forget();
    this.nextId = database.prepare('SELECT next_series FROM progress').get()?.['next_series'] as number;
    const rows = database.prepare('SELECT * FROM series LEFT JOIN series_seen USING (id) ORDER BY id').all();
    for (const row of rows as StoredSeries[]) {
      const key = { ...row, labels: JSON.parse(row['labels'] as string) as Record<string, string> } as unknown as SeriesKey;
      this.#add(identityOf(key), row.id, row.first_ms ?? Infinity, row.last_ms ?? -Infinity);
    }
  }

  /** The slot of a batch's series; -1 when there are too many. */
  slotOf(batch: MetricBatch, head: number): number {
    // What is dropped is looked up again each time: room may come.
    return this.#heads.slotOf(batch, head, this.#registerKey);
  }

  /** Notes a point's time. */
  touch(slot: number, time: number): void {
    if (time < (this.firstMs[slot] as number)) this.firstMs[slot] = time;
    if (time > (this.lastMs[slot] as number)) this.lastMs[slot] = time;
  }

  /** Slots by series id. */
  slotsById(): Map<number, number> {
    return new Map([...this.#slots.values()].map((slot) => [this.ids[slot] as number, slot]));
  }

  /** Stores the series that are new; call `settle` once the transaction is done. */
  write(insert: StatementSync, writeSeen: (slot: number) => void): void {
    for (const { slot, key } of this.#pending) {
      const { name, kind, unit, service, environment, namespace, labels } = key;
      insert.run(this.ids[slot] as number, name, kind, unit, service, environment, namespace, canonicalLabels(labels));
      writeSeen(slot);
    }
  }

  settle(): void {
    this.#pending = [];
  }

  /** Series whose latest point is before `beforeMs`; those that wait for their first commit are not meant. */
  staleSlots(beforeMs: number): number[] {
    const pending = new Set(this.#pending.map(({ slot }) => slot));
    return [...this.#slots.values()].filter((slot) => (this.lastMs[slot] as number) < beforeMs && !pending.has(slot));
  }

  /** Frees slots that nothing in memory refers to. */
  remove(slots: readonly number[]): void {
    for (const slot of slots) {
      this.#slots.delete(this.#identities[slot] as string);
      this.#identities[slot] = '';
      this.#free.push(slot);
    }
    this.#heads.forget();
  }

  #register(key: SeriesKey): number {
    const identity = identityOf(key);
    const known = this.#slots.get(identity);
    if (known !== undefined) return known;
    if (this.#slots.size >= this.#capacity || this.nextId > MAX_SERIES_ID) return DROPPED;
    const slot = this.#add(identity, this.nextId++, Infinity, -Infinity);
    this.#pending.push({ slot, key });
    return slot;
  }

  #add(identity: string, id: number, firstMs: number, lastMs: number): number {
    const slot = this.#free.pop() ?? this.ids.length;
    this.#slots.set(identity, slot);
    this.#identities[slot] = identity;
    this.ids[slot] = id;
    this.firstMs[slot] = firstMs;
    this.lastMs[slot] = lastMs;
    return slot;
  }
}
