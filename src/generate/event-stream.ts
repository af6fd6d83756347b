import { createPrng } from '../lib/prng.ts';
import type { Fleet } from './fleet.ts';
import { createFleetState } from './fleet-state.ts';
import type { FleetState, ServiceState } from './fleet-state.ts';
import type { FleetTimeline } from './fleet-timeline.ts';
import { HopBuffer, ID_WORDS, SPAN } from './hop-buffer.ts';
import type { HopSink } from './hop-buffer.ts';
import { hash32, poisson } from './random-field.ts';
import { entryOf, MAX_REQUEST_MS, RequestWalk } from './request-walk.ts';

const SECOND_MS = 1000;
/** No event is delivered later than this after the start of its second, however late its agent. */
const MAX_DELIVERY_MS = MAX_REQUEST_MS + 140_000;

/** What a stream is made of, fixed for its life. */
export interface StreamSource {
  fleet: Fleet;
  timeline: FleetTimeline;
  seed: number;
  /** Mean requests of users per second. */
  requestRate: number;
  /** No request starts before this, milliseconds since the epoch. */
  startMs: number;
}

/**
 * Hops in order of delivery, from a moment on. Each second of requests has a random generator of its own, keyed by the
 * seed and the second, so that any slice of time comes out the same wherever the stream began. Holds only the
 * hops of requests that are under way.
 */
export class EventStream {
  readonly #source: StreamSource;
  readonly #state: FleetState;
  readonly #walked = new HopBuffer();
  /** By the second of their delivery. */
  readonly #pending = new Map<number, HopBuffer>();
  readonly #spare: HopBuffer[] = [];
  #order = new Float64Array(256);
  #positionMs: number;
  /** First second whose requests are not yet generated. */
  #nextSecond: number;

  constructor(source: StreamSource, fromMs: number) {
    this.#source = source;
    this.#state = createFleetState(source.fleet);
    this.#positionMs = Math.max(fromMs, source.startMs);
    const reachMs = source.timeline.isDelayed(this.#positionMs - MAX_DELIVERY_MS, this.#positionMs)
      ? MAX_DELIVERY_MS
      : MAX_REQUEST_MS;
    this.#nextSecond = Math.floor(Math.max(source.startMs, this.#positionMs - reachMs) / SECOND_MS);
  }

  /** Gives the sink all hops from where the last call ended up to `toMs`, exclusive, in order of delivery. */
  advanceTo(toMs: number, sink: HopSink): void {
    while (this.#positionMs < toMs) {
      const second = Math.floor(this.#positionMs / SECOND_MS);
      while (this.#nextSecond <= second) this.#generate(this.#nextSecond++);
      const endMs = Math.min(toMs, (second + 1) * SECOND_MS);
      this.#flush(second, endMs, sink);
      this.#positionMs = endMs;
    }
  }

  #flush(second: number, endMs: number, sink: HopSink): void {
    const hops = this.#pending.get(second);
    if (hops === undefined) return;
    const { count, deliveredMs } = hops;
    if (this.#order.length < count) this.#order = new Float64Array(2 * count);
    let due = 0;
    for (let row = 0; row < count; row++) {
      const atMs = deliveredMs[row] as number;
      // The millisecond of the second and the row in one number: what the native sort of numbers puts in order.
      if (atMs >= this.#positionMs && atMs < endMs) this.#order[due++] = (atMs - second * SECOND_MS) * 2 ** 32 + row;
    }
    const order = this.#order.subarray(0, due).sort();
    for (let i = 0; i < due; i++) sink(hops, (order[i] as number) % 2 ** 32);
    if (endMs < (second + 1) * SECOND_MS) return;
    this.#pending.delete(second);
    hops.count = 0;
    this.#spare.push(hops);
  }

  #generate(second: number): void {
    const { fleet, timeline, seed, requestRate } = this.#source;
    const prng = createPrng(hash32(seed, second, 41));
    const state = this.#state;
    timeline.fill(state, second * SECOND_MS);
    this.#walked.count = 0;
    const walk = new RequestWalk(fleet, state, prng, this.#walked);
    // Poisson around a lognormal mean: requests come in bunches, so counts vary more than Poisson's.
    const expected = requestRate * state.trafficFactor * Math.exp(0.15 * prng.normal() - 0.011);
    const requests = poisson(prng, expected);
    for (let i = 0; i < requests; i++) {
      const endpoint = entryOf(fleet, prng);
      const startMs = (second + prng.next()) * SECOND_MS;
      walk.run(endpoint, startMs);
      if (state.repeatedShare > 0 && prng.next() < state.repeatedShare) walk.run(endpoint, startMs + 1000 + 2000 * prng.next());
    }
    for (let index = 0; index < state.services.length; index++) {
      const { jobShare } = state.services[index] as ServiceState;
      const service = fleet.services[index];
      const endpoint = service?.endpoints.at(-1);
      if (jobShare === 0 || !service || !endpoint) continue;
      const jobs = poisson(prng, requestRate * service.visits * jobShare);
      for (let i = 0; i < jobs; i++) walk.run(endpoint, (second + prng.next()) * SECOND_MS);
    }
    for (let row = 0; row < this.#walked.count; row++) this.#deliver(row);
  }

  /** Puts a hop where its delivery belongs. What delays or doubles it is drawn from its id: the requests stay those of a good day. */
  #deliver(row: number): void {
    const walked = this.#walked;
    const endMs = walked.deliveredMs[row] as number;
    const service = this.#state.services[walked.endpoints[row]?.service ?? 0] as ServiceState;
    let deliveredMs = endMs;
    if (service.lateShare > 0 || service.duplicateShare > 0) {
      const span = walked.ids[row * ID_WORDS + SPAN + 1] as number;
      if (uniform(span, 1) < service.lateShare) deliveredMs += Math.round(service.lateMs * (0.5 + uniform(span, 2) / 2));
      if (uniform(span, 3) < service.duplicateShare) this.#keep(row, deliveredMs + 1000 + Math.round(9000 * uniform(span, 4)));
    }
    this.#keep(row, deliveredMs);
  }

  #keep(row: number, deliveredMs: number): void {
    const second = Math.floor(deliveredMs / SECOND_MS);
    let hops = this.#pending.get(second);
    if (hops === undefined) {
      if ((second + 1) * SECOND_MS <= this.#positionMs) return;
      hops = this.#spare.pop() ?? new HopBuffer();
      this.#pending.set(second, hops);
    }
    hops.addCopy(this.#walked, row, deliveredMs);
  }
}

function uniform(span: number, what: number): number {
  return hash32(span, what, 51) / 2 ** 32;
}
