/** Events for the store's tests and fixture: made by hand and by seed, as lines, as batches, and as a log in memory. */
import { assert } from '../../lib/assert.ts';
import type { Prng } from '../../lib/prng.ts';
import type { EventBatch, Names } from '../../model/event-batch.ts';
import { createEventBatch, growEventBatch } from '../../model/event-batch.ts';
import type { EventRow } from '../../model/event-rules.ts';
import { judgeEvent } from '../../model/event-rules.ts';
import { formatRfc3339 } from '../../model/rfc3339.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { EventBlock, EventSource } from '../../model/event-block.ts';

export interface FixtureEvent {
  timestamp: string;
  service: string;
  level: string;
  message: string;
  metadata?: Record<string, unknown>;
  [key: string]: unknown;
}

export function rowOf(event: FixtureEvent): EventRow {
  const row = judgeEvent(event, NO_LIMITS);
  assert('timestamp' in row, 'a fixture event is valid');
  return row;
}

/** An event `ms` after the epoch; `fields` override the rest. */
export function eventAt(ms: number, fields: Partial<FixtureEvent> = {}): FixtureEvent {
  return { timestamp: formatRfc3339(ms), service: 'cart', level: 'INFO', message: 'ok', ...fields };
}

/** A batch as the scanner would make it. */
export function batchOf(names: Names, events: readonly FixtureEvent[]): EventBatch {
  const batch = createEventBatch(names, 16);
  const lines = events.map((event) => Buffer.from(`${JSON.stringify(event)}\n`));
  batch.bytes = Buffer.concat(lines);
  let offset = 0;
  for (const [i, event] of events.entries()) {
    if (i === batch.timestamp.length) growEventBatch(batch);
    const row = rowOf(event);
    batch.timestamp[i] = row.timestamp;
    batch.latency[i] = row.latency;
    batch.weight[i] = row.weight;
    batch.kind[i] = row.kind;
    batch.level[i] = row.level;
    batch.entity[i] = names.entities.internString(row.entity);
    batch.endpoint[i] = names.endpoints.internString(row.endpoint);
    batch.version[i] = names.versions.internString(row.version);
    batch.offset[i] = offset;
    batch.length[i] = (lines[i] as Buffer).length - 1;
    offset += (lines[i] as Buffer).length;
  }
  batch.count = events.length;
  return batch;
}

const SERVICES = ['cart', 'checkout', 'prod//cart', 'payment'] as const;

/** Seeded events of four entities over [fromMs, toMs): out of order, some without latency, some errors. */
export function randomEvents(prng: Prng, count: number, fromMs: number, toMs: number): FixtureEvent[] {
  return Array.from({ length: count }, () => {
    const name = SERVICES[prng.below(SERVICES.length)] as string;
    const [environment, service] = name.includes('/') ? ['prod', 'cart'] : ['', name];
    return eventAt(fromMs + Math.floor(prng.next() * (toMs - fromMs) * 1000) / 1000, {
      service,
      level: prng.next() < 0.1 ? 'ERROR' : 'INFO',
      metadata: {
        ...(environment !== '' && { environment }),
        ...(prng.next() < 0.8 && { latency_ms: Math.round(Math.exp(3 + prng.normal()) * 1000) / 1000 }),
        ...(prng.next() < 0.7 && { endpoint: `/path/${prng.below(12)}` }),
      },
    });
  });
}

/** A log in memory, a block a record: what the embedded store reads raw events from in its tests. */
export class MemoryEventSource implements EventSource {
  readonly #blocks: EventBlock[] = [];
  #firstOffset = 0;
  #eventCount = 0;
  /** Offsets of the blocks that were read, in order. */
  readonly reads: number[] = [];
  isClosed = false;

  get nextOffset(): number {
    return this.#blocks.length;
  }

  /** Appends a record; returns its offset. `knowsEntities` false leaves the block's entities unknown. */
  append(events: readonly FixtureEvent[], { knowsEntities = true } = {}): number {
    const rows = events.map(rowOf);
    const times = rows.map(({ timestamp }) => timestamp);
    const offset = this.nextOffset;
    const bytes = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    this.#blocks.push({
      offset,
      firstEvent: this.#eventCount,
      minTimestampMs: Math.min(...times),
      maxTimestampMs: Math.max(...times),
      count: events.length,
      entities: knowsEntities ? new Set(rows.map(({ entity }) => entity)) : null,
      read: () => {
        this.reads.push(offset);
        return bytes;
      },
    });
    this.#eventCount += events.length;
    return offset;
  }

  /** Puts a block in place of the one at `offset`. */
  replace(offset: number, change: Partial<EventBlock>): void {
    this.#blocks[offset] = { ...(this.#blocks[offset] as EventBlock), ...change };
  }

  dropBefore(offset: number): void {
    this.#firstOffset = offset;
  }

  blocks(committedOffset: number): EventBlock[] {
    return this.#blocks.filter(({ offset }) => offset >= this.#firstOffset && offset < committedOffset);
  }

  firstOffset(): number {
    return this.#firstOffset;
  }

  close(): void {
    this.isClosed = true;
  }
}
