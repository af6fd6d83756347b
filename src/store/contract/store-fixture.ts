import assert from 'node:assert/strict';
import type { Names } from '../../model/event-batch.ts';
import { createNames } from '../../model/event-batch.ts';
import type { Feature } from '../../model/rollup.ts';
import type { EventQuery, Page, Store, StoreUpdate, StoreWriter } from '../store.ts';
import type { FixtureEvent } from './event-fixture.ts';
import { batchOf, MemoryEventSource, rowOf } from './event-fixture.ts';
import { oracleValues, TOLERANCES } from './metrics-oracle.ts';

export interface StorePair {
  store: Store;
  writer: StoreWriter;
}

/** Opens a pair over what `log` holds; the same `place` again finds what was stored there before. */
export type OpenStorePair = (place: string, log: MemoryEventSource) => Promise<StorePair>;

/** An update that stores nothing but the offset. */
export const NO_UPDATE: StoreUpdate = { anomalies: [], incidents: [], changes: [], templates: [], models: [], checkpoint: null };
/** Start of the hour in which most tests play. */
export const T0 = Date.UTC(2025, 9, 8, 10);
export const HOUR_MS = 3_600_000;

/** Tests by the sentence that each shows to be true. */
export type ContractTests = Record<string, (fixture: StoreFixture) => Promise<void>>;

/** A pair under test, with the log that its events come from. */
export class StoreFixture {
  readonly log = new MemoryEventSource();
  readonly events: FixtureEvent[] = [];
  names: Names = createNames();
  readonly #open: OpenStorePair;
  readonly #place: string;
  #pair!: StorePair;

  constructor(open: OpenStorePair, place: string) {
    this.#open = open;
    this.#place = place;
  }

  get store(): Store {
    return this.#pair.store;
  }

  get writer(): StoreWriter {
    return this.#pair.writer;
  }

  async start(): Promise<void> {
    this.#pair = await this.#open(this.#place, this.log);
  }

  async stop(): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.writer[Symbol.asyncDispose]();
  }

  async restart(): Promise<void> {
    await this.stop();
    this.names = createNames();
    await this.start();
  }

  /** Appends one record and observes it. */
  feed(events: readonly FixtureEvent[]): void {
    this.events.push(...events);
    this.writer.observe(batchOf(this.names, events), this.log.append(events));
  }

  commit(update: Partial<StoreUpdate> = {}): Promise<void> {
    return this.writer.commit({ ...NO_UPDATE, ...update }, this.log.nextOffset);
  }

  async count(service: string, fromMs = T0, toMs = T0 + HOUR_MS): Promise<number> {
    const { series } = await this.store.metrics({ fromMs, toMs, service, names: ['event_count'], stepMs: 10_000 });
    return series.reduce((sum, { points }) => sum + points.reduce((total, [, value]) => total + (value ?? 0), 0), 0);
  }

  /** Holds every point of an answer against the oracle. */
  async checkMetrics(fromMs: number, toMs: number, stepMs: number): Promise<void> {
    const { series } = await this.store.metrics({ fromMs, toMs, names: [], stepMs });
    const rows = Map.groupBy(this.events.map(rowOf), ({ entity }) => entity);
    for (const { name, labels, points } of series) {
      for (const [ms, value] of points) {
        const expected = oracleValues(rows.get(labels.service) ?? [], ms, stepMs)[name as Feature];
        const where = `${name} of ${labels.service} at ${ms} by ${stepMs}`;
        if (expected === null || value === null) assert.equal(value, expected, where);
        else
          assert.ok(
            Math.abs(value - expected) <= TOLERANCES[name as Feature] * Math.abs(expected) + 1e-9,
            `${where}: ${value} for ${expected}`,
          );
      }
    }
  }

  async allPages(query: Partial<EventQuery>, between: () => void | Promise<void> = () => {}): Promise<Page<unknown>['items']> {
    const items: unknown[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<unknown> = await this.store.events({ levels: [], limit: 3, ...query, ...(cursor !== null && { cursor }) });
      items.push(...page.items);
      cursor = page.nextCursor;
      await between();
    } while (cursor !== null);
    return items;
  }
}
