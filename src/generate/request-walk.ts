import type { Prng } from '../lib/prng.ts';
import { LEVEL_CRITICAL, LEVEL_DEBUG, LEVEL_ERROR, LEVEL_INFO, LEVEL_WARN } from '../model/event.ts';
import type { Call, Endpoint, Fleet } from './fleet.ts';
import type { FleetState, ServiceState } from './fleet-state.ts';
import type { HopBuffer } from './hop-buffer.ts';
import { ID_WORDS } from './hop-buffer.ts';
import type { MessageTemplate } from './message-template.ts';
import {
  DEBUG_MESSAGES,
  ERROR_MESSAGES,
  FALLBACK_MESSAGES,
  INFO_MESSAGES,
  REFUSED_MESSAGES,
  SLOW_MESSAGES,
  TIMEOUT_MESSAGES,
  UPSTREAM_MESSAGES,
  WARN_MESSAGES,
} from './messages.ts';

/** Callers give up on a call after this long. */
export const CALL_TIMEOUT_MS = 2500;
/** No hop of a request ends later than this after its start: what makes every slice of time computable alone. */
export const MAX_REQUEST_MS = 60_000;
const MAX_OWN_MS = 15_000;
const REFUSED_LATENCY_MS = 1;

type Messages = readonly MessageTemplate[];

/**
 * Walks requests through the call graph in one second's state; each hop is a row of the buffer, children before their parent.
 * Nothing is allocated for a hop: what it was like for its caller stands in fields until the next one.
 */
export class RequestWalk {
  readonly #fleet: Fleet;
  readonly #prng: Prng;
  readonly #hops: HopBuffer;
  readonly #state: FleetState;
  readonly #trace = new Uint32Array(5);
  #latestMs = 0;
  /** Of the last hop: it failed; nobody answered. */
  #failed = false;
  #refused = false;
  /** Of the last call: what its failure is called, or null. */
  #trouble: Messages | null = null;

  constructor(fleet: Fleet, state: FleetState, prng: Prng, hops: HopBuffer) {
    this.#fleet = fleet;
    this.#state = state;
    this.#prng = prng;
    this.#hops = hops;
  }

  /** One request entering at `endpoint`. */
  run(endpoint: Endpoint, startMs: number): void {
    for (let i = 0; i < 5; i++) this.#trace[i] = this.#word();
    this.#latestMs = startMs + MAX_REQUEST_MS - 5000;
    this.#hop(endpoint, startMs, 0, 0);
  }

  #word(): number {
    return (this.#prng.next() * 2 ** 32) >>> 0;
  }

  /** The hop's event is stamped with its end, as a span's is; children end before their parent. Returns its latency. */
  #hop(endpoint: Endpoint, startMs: number, parentHigh: number, parentLow: number): number {
    const prng = this.#prng;
    const service = this.#state.services[endpoint.service] as ServiceState;
    if (service.refusedShare > 0 && prng.next() < service.refusedShare) {
      this.#failed = this.#refused = true;
      return REFUSED_LATENCY_MS;
    }
    const spanHigh = this.#word();
    const spanLow = this.#word();
    const moved = endpoint.index === service.movedEndpoint && prng.next() < service.movedShare;
    const hangs = service.hangShare > 0 && prng.next() < service.hangShare;
    const ownMs = this.#ownTime(endpoint, service, moved, hangs);
    let trouble = this.#ownTrouble(endpoint, service);
    let peer = '';
    let warning: Messages | null = hangs ? SLOW_MESSAGES : null;
    let latencyMs = ownMs / 2;
    // A request that fails by itself does so before its calls half of the time.
    if (trouble === null || prng.next() < 0.5) {
      for (const call of endpoint.calls) {
        latencyMs += this.#call(call, startMs + latencyMs, spanHigh, spanLow);
        if (this.#trouble === null) continue;
        const callee = this.#fleet.services[call.target.service]?.name ?? '';
        if (!call.optional) {
          if (trouble === null) peer = callee;
          trouble ??= this.#trouble;
          break;
        }
        if (warning === null && trouble === null) peer = callee;
        warning ??= FALLBACK_MESSAGES;
      }
    }
    latencyMs += ownMs / 2;
    const row = this.#hops.add();
    const at = row * ID_WORDS;
    const { ids } = this.#hops;
    for (let i = 0; i < 4; i++) ids[at + i] = this.#trace[i] as number;
    ids[at + 4] = spanHigh;
    ids[at + 5] = spanLow;
    ids[at + 6] = parentHigh;
    ids[at + 7] = parentLow;
    ids[at + 8] = this.#trace[4] as number;
    const endMs = Math.min(Math.round(startMs + latencyMs), this.#latestMs);
    this.#hops.deliveredMs[row] = endMs;
    this.#hops.timestampMs[row] = endMs + service.skewMs;
    this.#hops.latencyMs[row] = Math.round(latencyMs * 100) / 100;
    this.#hops.moved[row] = moved ? 1 : 0;
    this.#hops.skewed[row] = service.skewMs === 0 ? 0 : 1;
    this.#hops.endpoints[row] = endpoint;
    this.#hops.versions[row] = service.version;
    this.#hops.peers[row] = peer;
    this.#say(row, service, trouble, warning);
    this.#failed = trouble !== null;
    this.#refused = false;
    return latencyMs;
  }

  /** The hop's time without its calls. */
  #ownTime(endpoint: Endpoint, service: ServiceState, moved: boolean, hangs: boolean): number {
    const prng = this.#prng;
    let ownMs = endpoint.medianMs * Math.exp(endpoint.sigma * prng.normal()) * service.latencyFactor;
    if (service.tailShare > 0 && prng.next() < service.tailShare) ownMs *= service.tailFactor;
    if (endpoint.index === service.failingEndpoint) ownMs *= service.endpointLatencyFactor;
    if (moved) ownMs *= service.movedLatencyFactor;
    if (hangs) ownMs += CALL_TIMEOUT_MS * (1 + prng.next());
    return Math.min(ownMs, MAX_OWN_MS);
  }

  #ownTrouble(endpoint: Endpoint, service: ServiceState): Messages | null {
    let rate = endpoint.errorRate + service.errorRate;
    if (endpoint.index === service.failingEndpoint) rate += service.endpointErrorRate;
    const draw = this.#prng.next();
    if (draw >= rate) return null;
    return draw < endpoint.errorRate || service.errorMessages === null ? ERROR_MESSAGES : service.errorMessages;
  }

  /** Makes a call with its retries; a call that is not made, or is extra, follows the target's call factor. Returns its time. */
  #call(call: Call, startMs: number, spanHigh: number, spanLow: number): number {
    this.#trouble = null;
    const target = this.#state.services[call.target.service] as ServiceState;
    if (this.#prng.next() >= call.probability * target.callFactor) return 0;
    let latencyMs = 0;
    for (let attempt = 0; ; attempt++) {
      const hopMs = this.#hop(call.target, startMs + latencyMs, spanHigh, spanLow);
      const timedOut = hopMs > CALL_TIMEOUT_MS;
      latencyMs += Math.min(hopMs, CALL_TIMEOUT_MS) + 0.5;
      if (!this.#failed && !timedOut) {
        this.#trouble = null;
        return latencyMs;
      }
      if (attempt < target.retries) continue;
      this.#trouble = timedOut ? TIMEOUT_MESSAGES : this.#refused ? REFUSED_MESSAGES : UPSTREAM_MESSAGES;
      return latencyMs;
    }
  }

  #say(row: number, service: ServiceState, trouble: Messages | null, warning: Messages | null): void {
    const draw = this.#prng.next();
    let level = LEVEL_INFO;
    let said: Messages = INFO_MESSAGES;
    if (trouble !== null) {
      level = draw < 0.03 ? LEVEL_CRITICAL : LEVEL_ERROR;
      said = trouble;
    } else if (warning !== null) {
      level = LEVEL_WARN;
      said = warning;
    } else if (draw < service.warnShare) {
      level = LEVEL_WARN;
      said = WARN_MESSAGES;
    } else if (draw > 0.98) {
      level = LEVEL_DEBUG;
      said = DEBUG_MESSAGES;
    }
    this.#hops.level[row] = level;
    this.#hops.templates[row] = said[this.#prng.below(said.length)] as MessageTemplate;
  }
}

/** The endpoint where a user's request enters, by weight. */
export function entryOf(fleet: Fleet, prng: Prng): Endpoint {
  const endpoints = fleet.services[0]?.endpoints as Endpoint[];
  let draw = prng.next();
  for (const endpoint of endpoints) {
    draw -= endpoint.weight;
    if (draw < 0) return endpoint;
  }
  return endpoints.at(-1) as Endpoint;
}
