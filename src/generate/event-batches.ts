import type { EventBatch, Names } from '../model/event-batch.ts';
import { createEventBatch, createNames, growEventBatch } from '../model/event-batch.ts';
import { isErrorLevel } from '../model/event.ts';
import { messageOf } from './event-text.ts';
import type { Endpoint, Fleet } from './fleet.ts';
import type { HopBuffer } from './hop-buffer.ts';
import { ID_WORDS, PARENT, SPAN, TRACE } from './hop-buffer.ts';
import { hashWords } from './word-hash.ts';

/** The events that one client delivers at once. */
export interface Delivery {
  client: string;
  batch: EventBatch;
}

interface OpenBatch {
  batch: EventBatch;
  /** How many of the batch's bytes are taken. */
  used: number;
}

const BYTES = 4096;
const COLLECTOR = 'collector';

/**
 * Hops as the batches that the scanner makes of their text, without the text: every column is the same but `offset` and `length`
 * (0), and only messages of errors stand in `bytes`, which is all that detection reads. Services whose clocks are wrong are
 * clients of their own, all others come through one collector. The batches are used again by the next call.
 */
export class EventBatches {
  readonly #names: Names = createNames();
  readonly #fleet: Fleet;
  readonly #entityIds: number[];
  /** Ids of endpoints by service and position, before and after a move; 0 until they are seen. */
  readonly #endpointIds: { path: number; moved: number }[][];
  readonly #versionIds = new Map<string, number>();
  readonly #open = new Map<string, OpenBatch>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    this.#entityIds = fleet.services.map(({ name }) => this.#names.entities.internString(name));
    this.#endpointIds = fleet.services.map(({ endpoints }) => endpoints.map(() => ({ path: 0, moved: 0 })));
  }

  add(hops: HopBuffer, row: number): void {
    const endpoint = hops.endpoints[row] as Endpoint;
    const open = this.#openOf(hops.skewed[row] === 1 ? (this.#fleet.services[endpoint.service]?.name as string) : COLLECTOR);
    const { batch } = open;
    if (batch.count === batch.timestamp.length) growEventBatch(batch);
    const i = batch.count++;
    const at = row * ID_WORDS;
    const version = hops.versions[row] as string;
    const level = hops.level[row] as number;
    batch.timestamp[i] = hops.timestampMs[row] as number;
    batch.latency[i] = hops.latencyMs[row] as number;
    batch.level[i] = level;
    batch.entity[i] = this.#entityIds[endpoint.service] as number;
    batch.endpoint[i] = this.#endpointId(endpoint, hops.moved[row] === 1);
    batch.version[i] = this.#versionIds.get(version) ?? this.#versionId(version);
    hashWords(hops.ids, at + TRACE, 4, batch.traceHash, 2 * i);
    hashWords(hops.ids, at + SPAN, 2, batch.spanHash, 2 * i);
    if (hops.ids[at + PARENT] !== 0 || hops.ids[at + PARENT + 1] !== 0) {
      hashWords(hops.ids, at + PARENT, 2, batch.parentHash, 2 * i);
    } else batch.parentHash[2 * i] = batch.parentHash[2 * i + 1] = 0;
    batch.messageStart[i] = batch.messageEnd[i] = open.used;
    if (isErrorLevel(level)) batch.messageEnd[i] = this.#write(open, messageOf(hops, row));
  }

  /** What was added since the last call, by client. */
  take(): Delivery[] {
    const deliveries: Delivery[] = [];
    for (const [client, { batch }] of this.#open) if (batch.count > 0) deliveries.push({ client, batch });
    return deliveries;
  }

  /** Forgets what was taken. */
  clear(): void {
    for (const open of this.#open.values()) open.batch.count = open.used = 0;
  }

  #openOf(client: string): OpenBatch {
    let open = this.#open.get(client);
    if (open === undefined) {
      open = { batch: createEventBatch(this.#names, 64), used: 0 };
      open.batch.bytes = new Uint8Array(BYTES);
      this.#open.set(client, open);
    }
    return open;
  }

  #endpointId({ service, index, path, movedPath }: Endpoint, moved: boolean): number {
    const ids = this.#endpointIds[service]?.[index] as { path: number; moved: number };
    if (moved) return (ids.moved ||= this.#names.endpoints.internString(movedPath));
    return (ids.path ||= this.#names.endpoints.internString(path));
  }

  #versionId(version: string): number {
    const id = this.#names.versions.internString(version);
    this.#versionIds.set(version, id);
    return id;
  }

  /** Puts a message behind the others; returns its end. */
  #write(open: OpenBatch, message: string): number {
    const { batch, used } = open;
    if (used + message.length > batch.bytes.length) {
      const wider = new Uint8Array(2 * (used + message.length));
      wider.set(batch.bytes);
      batch.bytes = wider;
    }
    for (let i = 0; i < message.length; i++) batch.bytes[used + i] = message.charCodeAt(i);
    open.used += message.length;
    return open.used;
  }
}
