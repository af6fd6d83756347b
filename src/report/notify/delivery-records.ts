import { parseTime } from '../../lib/clock.ts';
import { updateRecords } from '../../store/record-store.ts';
import type { RecordStore } from '../../store/record-store.ts';
import { deliveryKey, isFinal, receiverKey } from './delivery-record.ts';
import type { DeliveryRecord } from './delivery-record.ts';
import type { Incident } from '../../model/incident.ts';

const PAGE = 500;
/** Records of closed incidents are kept so long at least, so that one that is opened again is told in its own message. */
const KEEP_MS = 7 * 86_400_000;

export interface Kept {
  record: DeliveryRecord;
  /** Of the store. */
  revision: number;
}

/** The records of one receiver, as this process last saw them. */
export class DeliveryRecords {
  readonly #records: RecordStore;
  readonly #receiver: string;
  readonly #known = new Map<string, Kept>();
  /** The latest update of any incident when the receiver was new: what was over by then is not told. */
  #since: string | undefined;

  constructor(records: RecordStore, receiver: string) {
    this.#records = records;
    this.#receiver = receiver;
  }

  /** By incident id. */
  get known(): ReadonlyMap<string, Kept> {
    return this.#known;
  }

  /** Whether the incident was over before the receiver was there, or so long that its record may be gone; `newestUpdate` is the latest of any incident. */
  isHistory(incident: Incident, newestUpdate: string): boolean {
    if (!isFinal(incident) || this.#known.has(incident.id)) return false;
    const isOld = parseTime(incident.updatedAt) < parseTime(newestUpdate) - KEEP_MS;
    return isOld || incident.updatedAt <= (this.#since ?? '');
  }

  /** Incidents of which the receiver lacks something, or has not been told the end. */
  unfinished(): string[] {
    const open = [...this.#known].filter(
      ([, { record }]) => record.dueMs !== null || (record.closed === null && record.sent?.state !== 'resolved'),
    );
    return open.map(([id]) => id);
  }

  /** Makes the receiver known with what there is when it is new. */
  async begin(newestUpdate: string): Promise<void> {
    if (this.#since !== undefined) return;
    const key = receiverKey(this.#receiver);
    this.#since = await updateRecords(this.#records, [key], (values) => {
      const known = values.get(key) as { since: string } | undefined;
      return known
        ? { values: new Map(), answer: known.since }
        : { values: new Map([[key, { since: newestUpdate }]]), answer: newestUpdate };
    });
  }

  /** Reads all of them, and removes old ones of incidents that are not `looked` at any more. */
  async sweep(nowMs: number, looked: { has(id: string): boolean }): Promise<void> {
    const prefix = deliveryKey(this.#receiver, '');
    const seen = new Set<string>();
    let after: string | undefined;
    for (;;) {
      const page = await this.#records.list({ prefix, limit: PAGE, ...(after !== undefined && { after }) });
      for (const { key, value, revision } of page) {
        const id = key.slice(prefix.length);
        seen.add(id);
        this.#known.set(id, { record: value as DeliveryRecord, revision });
      }
      after = page.at(-1)?.key;
      if (page.length < PAGE) break;
    }
    for (const id of this.#known.keys()) if (!seen.has(id)) this.#known.delete(id);
    const unfinished = new Set(this.unfinished());
    const old = [...this.#known].filter(
      ([id, { record }]) => nowMs - record.writtenMs > KEEP_MS && !unfinished.has(id) && !looked.has(id),
    );
    for (const [id, { revision }] of old) await this.remove(id, revision);
  }

  async read(ids: readonly string[]): Promise<void> {
    const keys = ids.map((id) => deliveryKey(this.#receiver, id));
    const prefix = deliveryKey(this.#receiver, '');
    const found = await this.#records.get(keys);
    for (const id of ids) this.#known.delete(id);
    for (const { key, value, revision } of found) {
      this.#known.set(key.slice(prefix.length), { record: value as DeliveryRecord, revision });
    }
  }

  /** Writes the record where nobody has since it was read; whether that was so. */
  async claim(id: string, record: DeliveryRecord): Promise<boolean> {
    const revision = this.#known.get(id)?.revision ?? 0;
    return this.#records.write([{ key: deliveryKey(this.#receiver, id), value: record, revision }]);
  }

  /** Writes what `change` makes of the record if it is still leased to `owner` for `revision`; false when somebody else has taken it over. */
  async settle(id: string, claimed: DeliveryRecord, change: (record: DeliveryRecord) => DeliveryRecord): Promise<boolean> {
    const key = deliveryKey(this.#receiver, id);
    return updateRecords(this.#records, [key], (values) => {
      const record = values.get(key) as DeliveryRecord | undefined;
      const isOurs =
        record?.lease?.owner === claimed.lease?.owner &&
        record?.lease?.untilMs === claimed.lease?.untilMs &&
        record?.attempts === claimed.attempts;
      if (!record || !isOurs) return { values: new Map(), answer: false };
      return { values: new Map([[key, change(record)]]), answer: true };
    });
  }

  async remove(id: string, revision = this.#known.get(id)?.revision ?? 0): Promise<void> {
    await this.#records.write([{ key: deliveryKey(this.#receiver, id), value: undefined, revision }]);
    this.#known.delete(id);
  }
}
