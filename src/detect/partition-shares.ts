import { SUB_WINDOW_MS } from '../model/rollup.ts';
import type { Entity } from './entity-state.ts';
import { ForeignEntities } from './foreign-entities.ts';
import type { AddressedPartial, PartialRecord, RecordOrigin } from './partial-record.ts';
import type { SubWindow } from './sub-window.ts';

/** Where the events of entities are, among the partitions of a log. */
export interface PartitionMap {
  /** The partition whose detector judges the entity. */
  homeOf(entity: string): number;
  /** Further partitions that its events are spread over. */
  othersOf(entity: string): readonly number[];
  /** Partitions whose entities may be spread to `partition`. */
  homesBefore(partition: number): readonly number[];
}

/** What other partitions have told. Plain data. */
export interface SharesState {
  /** Of each source the last partial record merged, and the latest arrival of all of them. */
  merged: Map<number, { offset: number; part: number; latestMs: number }>;
  /** Event time that each source has passed, milliseconds. */
  toldMs: Map<number, number>;
}

export interface PartitionSharesOptions {
  map: PartitionMap;
  partition: number;
  clock: 'wall' | 'events';
  pool: SubWindow[];
  latenessMs: number;
  maxEntities: number;
}

/** How much event time goes by between two words of how far a partition is, where it has no sums to tell. */
const TELL_MS = 500;
/** How far behind its own events a partition keeps steps open for others: live, or while history is read. */
const MAX_HELD_STEPS = 30;
const MAX_HELD_WINDOWS = 20_000;
/** So many late events that traffic is not judged while others are behind; they fade (step-grid.ts). */
const DOUBT = 1e6;

export function createSharesState(): SharesState {
  return { merged: new Map(), toldMs: new Map() };
}

/**
 * One partition's side of services that are spread over several. Of entities that others judge it gives the sums of each record away; for
 * its own it says up to where steps may be closed: as far as every partition with a share of them has come, since their sums lie behind
 * its own events in the log, however much of that is read at once.
 */
export class PartitionShares {
  state: SharesState = createSharesState();
  readonly foreign: ForeignEntities;
  readonly #options: PartitionSharesOptions;
  readonly #homes: readonly number[];
  /** Entities of this partition that others have a share of, and who. */
  readonly #spread = new Map<string, readonly number[]>();
  #awaited = new Set<number>();
  #toldMs = -Infinity;
  /** Event time that this partition's own records have passed. */
  #ownMs = -Infinity;
  #hasGivenUp = false;

  constructor(options: PartitionSharesOptions) {
    this.#options = options;
    this.foreign = new ForeignEntities(options.pool);
    this.#homes = options.map.homesBefore(options.partition);
  }

  get ownMs(): number {
    return this.#ownMs;
  }

  isForeign(entity: string): boolean {
    return this.#options.map.homeOf(entity) !== this.#options.partition;
  }

  /** An entity is judged here from now on. */
  add(entity: string): void {
    const others = this.#options.map.othersOf(entity);
    if (others.length > 0) this.#spread.set(entity, others);
    for (const other of others) this.#awaited.add(other);
  }

  remove(entity: string): void {
    if (this.#spread.delete(entity)) this.#awaited = new Set([...this.#spread.values()].flat());
  }

  /** Starts from a restored state; entities are added anew. */
  restore(state: SharesState | undefined, ownMs: number): void {
    this.state = state ?? createSharesState();
    this.foreign.clear();
    this.#spread.clear();
    this.#awaited.clear();
    this.#toldMs = -Infinity;
    this.#ownMs = ownMs;
    this.#hasGivenUp = false;
  }

  /**
   * Whether the sums of this record are new: after a crash a source tells again what it had told. Every source tells in order; offsets that
   * come a second time with later arrivals are those of a log that was made anew, or has lost its end.
   */
  isNew({ source, offset, part, receivedAtMs, windows }: PartialRecord): boolean {
    if (windows.length === 0) return false;
    const last = this.state.merged.get(source);
    const isBehind = last !== undefined && (offset < last.offset || (offset === last.offset && part <= last.part));
    if (isBehind && receivedAtMs <= last.latestMs) return false;
    this.state.merged.set(source, { offset, part, latestMs: Math.max(receivedAtMs, last?.latestMs ?? -Infinity) });
    return true;
  }

  hear({ source, toMs }: PartialRecord): void {
    this.state.toldMs.set(source, toMs);
  }

  /** The step below which all is closed, when by this partition's own records it would be `step`. */
  closeBefore(step: number, watermarkMs: number, closedBefore: number, entities: number): number {
    if (watermarkMs > this.#ownMs) this.#ownMs = watermarkMs;
    if (this.#awaited.size === 0) return step;
    let slowestMs = Infinity;
    for (const source of this.#awaited) slowestMs = Math.min(slowestMs, this.state.toldMs.get(source) ?? -Infinity);
    const held = Math.floor((slowestMs - this.#options.latenessMs) / SUB_WINDOW_MS);
    if (held >= step) return step;
    const least = step - this.#maxHeldSteps(entities);
    if (held >= least) return held;
    if (least > closedBefore) this.#hasGivenUp = true;
    return least;
  }

  /** Steps were closed without waiting any longer: nobody knows how much of these entities is missing in them. */
  doubt(entities: ReadonlyMap<string, Entity>, closedBefore: number): void {
    if (!this.#hasGivenUp) return;
    this.#hasGivenUp = false;
    for (const name of this.#spread.keys()) {
      const state = entities.get(name)?.state;
      if (state && [...state.open.keys()].some((step) => step < closedBefore)) state.late = Math.max(state.late, DOUBT);
    }
  }

  /** What to tell after this record, to whom; `urgent` where nothing may follow for long. */
  drain(
    { clientId: client, ...record }: RecordOrigin,
    urgent: boolean,
    endpoints: ReadonlyMap<string, number>,
  ): AddressedPartial[] {
    const { partition: source, map, maxEntities } = this.#options;
    const windows = Map.groupBy(this.foreign.take(endpoints), ({ entity }) => map.homeOf(entity));
    if (this.foreign.size > maxEntities) this.foreign.clear();
    const isDue = urgent ? this.#ownMs > this.#toldMs : this.#ownMs >= Math.max(this.#toldMs, Number.MIN_SAFE_INTEGER) + TELL_MS;
    const homes = new Set(isDue ? [...this.#homes, ...windows.keys()] : windows.keys());
    if (isDue) this.#toldMs = this.#ownMs;
    return [...homes].map((home) => {
      return { home, partial: { source, ...record, part: 0, toMs: this.#ownMs, client, windows: windows.get(home) ?? [] } };
    });
  }

  #maxHeldSteps(entities: number): number {
    if (this.#options.clock === 'wall') return MAX_HELD_STEPS;
    return Math.max(MAX_HELD_STEPS, Math.floor(MAX_HELD_WINDOWS / Math.max(1, entities)));
  }
}
