import { checkKeys, keyRange } from './record-store.ts';
import type { RecordStore, StoredRecord } from './record-store.ts';

/** Records in memory, for tests of what is kept in them. */
export class MemoryRecords implements RecordStore {
  readonly #records = new Map<string, StoredRecord>();
  #revision = 0;

  async get(keys: readonly string[]): Promise<StoredRecord[]> {
    return structuredClone(keys.map((key) => this.#records.get(key)).filter((record) => record !== undefined));
  }

  async list({ limit, ...range }: Parameters<RecordStore['list']>[0]): Promise<StoredRecord[]> {
    const { from, isAfter, to } = keyRange(range);
    const found = [...this.#records.values()].filter(({ key }) => (isAfter ? key > from : key >= from) && key < to);
    return structuredClone(found.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))).slice(0, limit));
  }

  async write(writes: Parameters<RecordStore['write']>[0]): Promise<boolean> {
    checkKeys(writes.map(({ key }) => key));
    if (writes.some(({ key, revision }) => (this.#records.get(key)?.revision ?? 0) !== revision)) return false;
    for (const { key, value } of writes) {
      if (value === undefined) this.#records.delete(key);
      else this.#records.set(key, { key, value: JSON.parse(JSON.stringify(value)) as unknown, revision: ++this.#revision });
    }
    return true;
  }
}
