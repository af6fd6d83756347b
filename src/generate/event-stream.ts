import { isoTime } from '../lib/clock.ts';
import type { Prng } from '../lib/prng.ts';
import { createPrng } from '../lib/prng.ts';
import { eventLine } from './event-text.ts';
import type { Endpoint, Fleet } from './fleet.ts';
import type { FleetTimeline } from './fleet-timeline.ts';
import { hash32, poisson } from './random-field.ts';
import { MAX_REQUEST_MS, RequestWalk } from './request-walk.ts';

const SECOND_MS = 1000;

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

interface PendingEvent {
  timestampMs: number;
  tail: string;
}

/**
 * Events in order of time, from a moment on. Each second of requests has a random generator of its own, keyed by the
 * seed and the second, so that any slice of time comes out the same wherever the stream began. Holds only the
 * events of requests that are under way.
 */
export class EventStream {
  readonly #source: StreamSource;
  readonly #pending = new Map<number, PendingEvent[]>();
  #positionMs: number;
  /** First second whose requests are not yet generated. */
  #nextSecond: number;

  constructor(source: StreamSource, fromMs: number) {
    this.#source = source;
    this.#positionMs = Math.max(fromMs, source.startMs);
    this.#nextSecond = Math.floor(Math.max(source.startMs, this.#positionMs - MAX_REQUEST_MS) / SECOND_MS);
  }

  /** The NDJSON lines of all events from where the last call ended up to `toMs`, exclusive, in order of time. */
  advanceTo(toMs: number): string[] {
    const lines: string[] = [];
    while (this.#positionMs < toMs) {
      const second = Math.floor(this.#positionMs / SECOND_MS);
      while (this.#nextSecond <= second) this.#generate(this.#nextSecond++);
      const endMs = Math.min(toMs, (second + 1) * SECOND_MS);
      this.#flush(second, endMs, lines);
      this.#positionMs = endMs;
    }
    return lines;
  }

  #flush(second: number, endMs: number, lines: string[]): void {
    const events = this.#pending.get(second) ?? [];
    const prefix = isoTime(second * SECOND_MS).slice(0, 20);
    const due = events.filter(({ timestampMs }) => timestampMs >= this.#positionMs && timestampMs < endMs);
    due.sort((a, b) => a.timestampMs - b.timestampMs);
    for (const { timestampMs, tail } of due) lines.push(eventLine(prefix, timestampMs - second * SECOND_MS, tail));
    if (endMs === (second + 1) * SECOND_MS) this.#pending.delete(second);
  }

  #generate(second: number): void {
    const { fleet, timeline, seed, requestRate } = this.#source;
    const prng = createPrng(hash32(seed, second, 41));
    const state = timeline.at(second * SECOND_MS);
    const walk = new RequestWalk(fleet, state, prng, (timestampMs, tail) => this.#keep(timestampMs, tail));
    // Poisson around a lognormal mean: requests come in bunches, so counts vary more than Poisson's.
    const expected = requestRate * state.trafficFactor * Math.exp(0.15 * prng.normal() - 0.011);
    const requests = poisson(prng, expected);
    for (let i = 0; i < requests; i++) walk.run(entryOf(fleet, prng), (second + prng.next()) * SECOND_MS);
    for (const [index, { batchShare }] of state.services.entries()) {
      const service = fleet.services[index];
      const endpoint = service?.endpoints.at(-1);
      if (batchShare === 0 || !service || !endpoint) continue;
      const jobs = poisson(prng, requestRate * service.visits * batchShare);
      for (let i = 0; i < jobs; i++) walk.run(endpoint, (second + prng.next()) * SECOND_MS);
    }
  }

  #keep(timestampMs: number, tail: string): void {
    const second = Math.floor(timestampMs / SECOND_MS);
    const events = this.#pending.get(second);
    if (events) events.push({ timestampMs, tail });
    else if (second * SECOND_MS + SECOND_MS > this.#positionMs) this.#pending.set(second, [{ timestampMs, tail }]);
  }
}

/** The endpoint where a user's request enters, by weight. */
function entryOf(fleet: Fleet, prng: Prng): Endpoint {
  const endpoints = fleet.services[0]?.endpoints as Endpoint[];
  let draw = prng.next();
  for (const endpoint of endpoints) {
    draw -= endpoint.weight;
    if (draw < 0) return endpoint;
  }
  return endpoints.at(-1) as Endpoint;
}
