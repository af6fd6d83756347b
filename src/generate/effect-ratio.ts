import type { Prng } from '../lib/prng.ts';
import { createPrng } from '../lib/prng.ts';
import { isErrorLevel } from '../model/event.ts';
import type { Condition } from './condition.ts';
import type { Endpoint, Fleet, Service } from './fleet.ts';
import type { FleetState } from './fleet-state.ts';
import { FleetTimeline } from './fleet-timeline.ts';
import { HopBuffer } from './hop-buffer.ts';
import { hash32 } from './random-field.ts';
import { entryOf, RequestWalk } from './request-walk.ts';

/** What a service shows relative to the same moment without the fault; 1 is no effect, NaN what nothing was seen of. */
export interface EffectRatio {
  errors: number;
  p95: number;
  traffic: number;
}

export interface MeasuredEffect {
  /** Of the service at fault, 15 s after the start. */
  onset: EffectRatio;
  /** The same when nine tenths of the time have passed, or at the onset where that is further from 1. */
  peak: EffectRatio;
  /** Positions of all services that show an effect, the one at fault first. */
  hit: number[];
}

interface Sight {
  events: number;
  errors: number;
  p95: number;
}

const ONSET_MS = 15_000;
const LATE = 0.9;
/** Events of the service at fault that a measurement aims at, and requests it takes at most. */
const WANTED_EVENTS = 300;
const MAX_REQUESTS = 3000;
const MIN_EVENTS = 20;
/** An effect that counts a service among those hit. */
const HIT = { errors: 3, addedErrors: 0.02, p95: 1.3, lessTraffic: 0.7, moreTraffic: 1.5 };

/** Measures faults by sending the same requests through the fleet with and without them: a figure for what anyone could see. */
export class EffectMeter {
  readonly #fleet: Fleet;
  readonly #conditions: readonly Condition[];
  readonly #seed: number;
  readonly #timeline: FleetTimeline;
  readonly #hops = new HopBuffer();
  readonly #usualErrorRates: readonly number[];

  constructor(fleet: Fleet, conditions: readonly Condition[], seed: number) {
    this.#fleet = fleet;
    this.#conditions = conditions;
    this.#seed = seed;
    this.#timeline = new FleetTimeline(fleet, conditions, seed);
    this.#usualErrorRates = fleet.services.map(usualErrorRate);
  }

  measure(condition: Condition): MeasuredEffect {
    const without = new FleetTimeline(
      this.#fleet,
      this.#conditions.filter((other) => other !== condition),
      this.#seed,
    );
    const lengthMs = condition.endMs - condition.startMs;
    const [onset, late] = [Math.min(ONSET_MS, lengthMs / 2), LATE * lengthMs].map((afterMs) =>
      this.#compare(without, condition, condition.startMs + afterMs),
    ) as [EffectRatio[], EffectRatio[]];
    const own = condition.service;
    const others = this.#fleet.services.map((_, service) => service).filter((service) => service !== own);
    const isHit = (service: number): boolean => this.#isHit(onset[service], service) || this.#isHit(late[service], service);
    const first = onset[own] as EffectRatio;
    const last = late[own] as EffectRatio;
    return {
      onset: first,
      peak: {
        errors: further(first.errors, last.errors),
        p95: further(first.p95, last.p95),
        traffic: further(first.traffic, last.traffic),
      },
      hit: [own, ...others.filter(isHit)],
    };
  }

  #isHit(ratio: EffectRatio | undefined, service: number): boolean {
    if (!ratio) return false;
    const added = (ratio.errors - 1) * (this.#usualErrorRates[service] as number);
    return (
      (ratio.errors >= HIT.errors && added >= HIT.addedErrors) ||
      ratio.p95 >= HIT.p95 ||
      ratio.traffic <= HIT.lessTraffic ||
      ratio.traffic >= HIT.moreTraffic
    );
  }

  /** Ratios of all services at a moment. */
  #compare(without: FleetTimeline, condition: Condition, atMs: number): EffectRatio[] {
    const visits = this.#fleet.services[condition.service]?.visits ?? 1;
    const requests = Math.min(MAX_REQUESTS, Math.ceil(WANTED_EVENTS / visits));
    const nowMs = Math.floor(atMs / 1000) * 1000;
    const [faulty, healthy] = [this.#timeline.at(nowMs), without.at(nowMs)];
    const prng = (): Prng => createPrng(hash32(this.#seed, condition.startMs / 1000, 71));
    const [seen, expected] = [this.#look(faulty, requests, prng()), this.#look(healthy, requests, prng())];
    const users = faulty.trafficFactor / healthy.trafficFactor;
    return seen.map((sight, service) => {
      const base = expected[service] as Sight;
      if (base.events < MIN_EVENTS) return { errors: NaN, p95: NaN, traffic: NaN };
      const traffic = (users * sight.events) / base.events;
      if (sight.events < MIN_EVENTS) return { errors: NaN, p95: NaN, traffic };
      return { errors: this.#errorRatio(sight, service), p95: sight.p95 / base.p95, traffic };
    });
  }

  /** Few errors are seen in a short look on a good day: the usual rate is computed, and what chance explains is 1. */
  #errorRatio({ errors, events }: Sight, service: number): number {
    const expected = (this.#usualErrorRates[service] as number) * events;
    return errors <= expected + 2 * Math.sqrt(expected) + 1 ? 1 : errors / expected;
  }

  #look(state: FleetState, requests: number, prng: Prng): Sight[] {
    const hops = this.#hops;
    hops.count = 0;
    const walk = new RequestWalk(this.#fleet, state, prng, hops);
    for (let i = 0; i < requests; i++) walk.run(entryOf(this.#fleet, prng), 0);
    const latencies = this.#fleet.services.map((): number[] => []);
    const errors = this.#fleet.services.map(() => 0);
    for (let row = 0; row < hops.count; row++) {
      const service = hops.endpoints[row]?.service ?? 0;
      latencies[service]?.push(hops.latencyMs[row] as number);
      if (isErrorLevel(hops.level[row] as number)) (errors[service] as number)++;
    }
    return latencies.map((list, service) => {
      const sorted = Float64Array.from(list).sort();
      return { events: sorted.length, errors: errors[service] as number, p95: sorted[Math.floor(0.95 * sorted.length)] ?? NaN };
    });
  }
}

/** Share of a service's requests that fail on a good day, by themselves or because a call does that they need. */
function usualErrorRate({ endpoints, visits }: Service): number {
  return endpoints.reduce((sum, endpoint) => sum + endpoint.visits * failureOf(endpoint), 0) / visits;
}

function failureOf({ errorRate, calls }: Endpoint): number {
  const callsSucceed = calls
    .filter(({ optional }) => !optional)
    .reduce((product, { target, probability }) => product * (1 - probability * failureOf(target)), 1);
  return 1 - (1 - errorRate) * callsSucceed;
}

function further(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) ? b : a;
  return Math.abs(Math.log(Math.max(b, 1e-3))) > Math.abs(Math.log(Math.max(a, 1e-3))) ? b : a;
}
