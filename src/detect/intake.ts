import type { EventBatch, Names } from '../model/event-batch.ts';
import { KIND_INNER_SPAN, KIND_LOG } from '../model/event.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { wholeWeights } from '../model/whole-weights.ts';
import {
  AHEAD_MS,
  createAheadBuffer,
  hasJumped,
  holdAhead,
  jumpTarget,
  releaseUntil,
  type AheadBuffer,
  type HeldEvent,
} from './ahead-buffer.ts';
import type { DetectConfig } from './config.ts';
import { subWindowOf, type Entity } from './entity-state.ts';
import type { PartialRecord, PartialWindow } from './partial-record.ts';
import type { PartitionShares } from './partition-shares.ts';
import { addEvent, addSums, type SubWindow } from './sub-window.ts';
import { createWatermark, observeClient, watermarkOf, watermarkOnTick, type Watermark } from './watermark.ts';

/** How events come in: event time, names, what is late and what is held back. Plain data. */
export interface IntakeState {
  watermark: Watermark;
  ahead: AheadBuffer;
  /** Every step below is closed or due; -1 before the first event. */
  closedBefore: number;
  lateEvents: number;
  /** Endpoint names to the detector's ids from 1 on; beyond the cap all share one. */
  endpoints: Map<string, number>;
}

const MAX_ENDPOINTS = 50_000;
const SAMPLE = 15;

function createIntakeState(): IntakeState {
  return { watermark: createWatermark(), ahead: createAheadBuffer(), closedBefore: -1, lateEvents: 0, endpoints: new Map() };
}

/** The detector's own view of a scanner's ids, rebuilt with every scanner. */
interface NameCache {
  entities: (Entity | undefined)[];
  endpoints: number[];
}

export interface IntakeHost {
  config: DetectConfig;
  clock: 'wall' | 'events';
  pool: SubWindow[];
  entityNamed(name: string): Entity;
  /** The entity in place of one that was judged by its log records and now has requests: it learns anew. */
  withRequests(entity: Entity): Entity;
  entityCount(): number;
  /** Of one partition's detector: what it has of others' entities, and others of its own. */
  shares?: PartitionShares | undefined;
}

/** The hot path: columns in, counts in open sub-windows out. */
export class Intake {
  state: IntakeState = createIntakeState();
  readonly #host: IntakeHost;
  #caches = new WeakMap<Names, NameCache>();

  constructor(host: IntakeHost) {
    this.#host = host;
  }

  /** Forgets which entity a scanner's id meant; needed when entities come or go. */
  dropCaches(): void {
    this.#caches = new WeakMap();
  }

  observe(batch: EventBatch, receivedAtMs: number, clientId: string): void {
    if (batch.count === 0) return;
    const wall = this.#host.clock === 'wall';
    const { watermark, ahead } = this.state;
    const shiftMs = wall ? observeClient(watermark, clientId, batch.timestamp, batch.count, receivedAtMs) : 0;
    if (watermark.newestMs === -Infinity) this.#begin(batch, shiftMs, wall ? receivedAtMs : Infinity);
    const onTime = this.#addAll(batch, shiftMs, clientId, wall ? receivedAtMs : Infinity, wall ? Infinity : AHEAD_MS);
    if (!wall) {
      ahead.calls = onTime > 0 ? 0 : ahead.calls + 1;
      this.#settleAhead();
    }
    this.#close(watermarkOf(watermark));
  }

  /** Lets the wall clock close steps too. */
  tick(nowMs: number): void {
    this.#close(watermarkOnTick(this.state.watermark, nowMs));
  }

  /** Lets event time go on as an event of `timeMs` would that is on time. */
  advanceTo(timeMs: number): void {
    const { watermark, ahead } = this.state;
    if (!(timeMs > watermark.newestMs)) return;
    watermark.newestMs = timeMs;
    if (ahead.time.length > 0) this.#settleAhead();
    this.#close(watermarkOf(watermark));
  }

  /** Adds what another partition has of entities that are judged here; it tells nothing of how far this one is. */
  observePartial(partial: PartialRecord): void {
    const { shares } = this.#host;
    if (!shares) return;
    if (shares.isNew(partial)) for (const window of partial.windows) this.#addPartial(window, partial.client);
    shares.hear(partial);
    this.#close(shares.ownMs);
  }

  /** Event time starts at the middle of the first batch, so that one wild first event cannot set it. */
  #begin(batch: EventBatch, shiftMs: number, latestMs: number): void {
    const stride = Math.max(1, Math.floor(batch.count / SAMPLE));
    const sample: number[] = [];
    for (let i = 0; i < batch.count; i += stride) sample.push(batch.timestamp[i] as number);
    sample.sort((a, b) => a - b);
    this.state.watermark.newestMs = Math.min(latestMs, (sample[(sample.length - 1) >> 1] as number) + shiftMs);
  }

  #close(watermarkMs: number): void {
    if (watermarkMs === -Infinity) return;
    const { config, shares } = this.#host;
    let step = Math.floor((watermarkMs - config.allowed_lateness) / SUB_WINDOW_MS);
    if (shares) step = shares.closeBefore(step, watermarkMs, this.state.closedBefore, this.#host.entityCount());
    if (step > this.state.closedBefore) this.state.closedBefore = step;
  }

  #addAll(batch: EventBatch, shiftMs: number, clientId: string, latestMs: number, aheadMs: number): number {
    const { state } = this;
    const { pool } = this.#host;
    const cache = this.#cacheOf(batch.names);
    const { timestamp, latency, level, kind, entity: entityIds, endpoint: endpointIds, count } = batch;
    const weights = wholeWeights(batch);
    const closedBefore = state.closedBefore;
    let newest = state.watermark.newestMs;
    let late = 0;
    let held = 0;
    for (let i = 0; i < count; i++) {
      let time = (timestamp[i] as number) + shiftMs;
      if (time > latestMs) time = latestMs;
      if (time > newest) {
        if (time > newest + aheadMs) {
          if (kind[i] === KIND_INNER_SPAN) continue;
          held++;
          this.#hold(batch, i, time, weights === null ? 1 : (weights[i] as number));
          continue;
        }
        newest = time;
      }
      state.ahead.run = 0;
      const step = Math.floor(time / SUB_WINDOW_MS);
      if (step < closedBefore) {
        late++;
        const tardy = cache.entities[entityIds[i] as number];
        if (tardy) tardy.state.late += 1;
        continue;
      }
      const what = kind[i] as number;
      if (what === KIND_INNER_SPAN) continue;
      const id = entityIds[i] as number;
      let entity = cache.entities[id] ?? this.#resolveEntity(cache, batch.names, id);
      if ((what === KIND_LOG) === entity.state.hasRequests) {
        if (what === KIND_LOG) continue;
        cache.entities[id] = entity = this.#host.withRequests(entity);
      }
      const endpointId = endpointIds[i] as number;
      const endpoint =
        endpointId === 0 ? 0 : (cache.endpoints[endpointId] ?? this.#resolveEndpoint(cache, batch.names, endpointId));
      let window = entity.recent;
      if (window.index !== step) {
        window = subWindowOf(entity, step, pool);
        entity.state.client = clientId;
      }
      addEvent(window, level[i] as number, latency[i] as number, endpoint, weights === null ? 1 : (weights[i] as number));
    }
    state.watermark.newestMs = newest;
    state.lateEvents += late;
    return count - held;
  }

  #hold(batch: EventBatch, i: number, time: number, weight: number): void {
    const cache = this.#cacheOf(batch.names);
    const endpointId = batch.endpoint[i] as number;
    const event = {
      time,
      entity: batch.names.entities.name(batch.entity[i] as number),
      endpoint: endpointId === 0 ? 0 : (cache.endpoints[endpointId] ?? this.#resolveEndpoint(cache, batch.names, endpointId)),
      level: batch.level[i] as number,
      latency: batch.latency[i] as number,
      isLog: batch.kind[i] === KIND_LOG,
      weight,
    };
    if (!holdAhead(this.state.ahead, event)) this.state.lateEvents++;
  }

  #settleAhead(): void {
    const { ahead, watermark } = this.state;
    while (hasJumped(ahead, this.#host.entityCount())) watermark.newestMs = this.#release(jumpTarget(ahead));
    if (ahead.time.length > 0) this.#release(watermark.newestMs + AHEAD_MS);
  }

  #release(limitMs: number): number {
    for (const event of releaseUntil(this.state.ahead, limitMs)) {
      const step = Math.floor(event.time / SUB_WINDOW_MS);
      if (step < this.state.closedBefore) this.state.lateEvents++;
      else this.#addHeld(event, step);
    }
    return limitMs;
  }

  #addHeld({ entity: name, isLog, level, latency, endpoint, weight }: HeldEvent, step: number): void {
    let entity = this.#host.entityNamed(name);
    if (isLog === entity.state.hasRequests) {
      if (isLog) return;
      entity = this.#host.withRequests(entity);
    }
    addEvent(subWindowOf(entity, step, this.#host.pool), level, latency, endpoint, weight);
  }

  #addPartial(sums: PartialWindow, client: string): void {
    const { shares, pool } = this.#host;
    // Who counts the partitions otherwise is told nothing in return: it would come back for ever.
    if (shares?.isForeign(sums.entity) === true) {
      this.state.lateEvents += sums.count;
      return;
    }
    let entity = this.#host.entityNamed(sums.entity);
    if (sums.step < this.state.closedBefore) {
      this.state.lateEvents += sums.count;
      entity.state.late += sums.count;
      return;
    }
    if (sums.isLog === entity.state.hasRequests) {
      if (sums.isLog) return;
      entity = this.#host.withRequests(entity);
    }
    if (!entity.state.open.has(sums.step)) entity.state.client = client;
    const endpoints = sums.endpoints.map((name) => this.#endpointNamed(name));
    addSums(subWindowOf(entity, sums.step, pool), sums, endpoints);
  }

  #cacheOf(names: Names): NameCache {
    let cache = this.#caches.get(names);
    if (!cache) {
      cache = { entities: [], endpoints: [] };
      this.#caches.set(names, cache);
    }
    return cache;
  }

  #resolveEntity(cache: NameCache, names: Names, id: number): Entity {
    const entity = this.#host.entityNamed(names.entities.name(id));
    cache.entities[id] = entity;
    return entity;
  }

  #resolveEndpoint(cache: NameCache, names: Names, id: number): number {
    const own = this.#endpointNamed(names.endpoints.name(id));
    cache.endpoints[id] = own;
    return own;
  }

  #endpointNamed(name: string): number {
    const { endpoints } = this.state;
    let own = endpoints.get(name);
    if (own === undefined) {
      own = Math.min(endpoints.size, MAX_ENDPOINTS) + 1;
      if (own <= MAX_ENDPOINTS) endpoints.set(name, own);
    }
    return own;
  }
}
