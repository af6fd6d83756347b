import type { Prng } from '../lib/prng.ts';
import { eventTail, hexWord } from './event-text.ts';
import type { Call, Endpoint, Fleet } from './fleet.ts';
import type { FleetState, ServiceState } from './fleet-state.ts';
import type { MessageTemplate } from './message-template.ts';
import { renderMessage } from './message-template.ts';
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
/** No event of a request is later than this after its start: what makes every slice of time computable alone. */
export const MAX_REQUEST_MS = 60_000;
const MAX_OWN_MS = 15_000;

/** Takes an event: milliseconds since the epoch, and its text after the timestamp. */
export type EventSink = (timestampMs: number, tail: string) => void;

/** What a hop was like for its caller. */
interface HopOutcome {
  latencyMs: number;
  failed: boolean;
  /** Nobody answered: the service is down. */
  refused: boolean;
}

interface Trouble {
  messages: readonly MessageTemplate[];
  peer: string;
}

/** Walks requests through the call graph in one second's state, giving one event per hop to the sink. */
export class RequestWalk {
  readonly #fleet: Fleet;
  readonly #state: FleetState;
  readonly #prng: Prng;
  readonly #sink: EventSink;
  #traceId = '';
  #requestId = '';
  #latestMs = 0;

  constructor(fleet: Fleet, state: FleetState, prng: Prng, sink: EventSink) {
    this.#fleet = fleet;
    this.#state = state;
    this.#prng = prng;
    this.#sink = sink;
  }

  /** One request entering at `endpoint`. */
  run(endpoint: Endpoint, startMs: number): void {
    this.#traceId = hexWord(this.#prng) + hexWord(this.#prng) + hexWord(this.#prng) + hexWord(this.#prng);
    this.#requestId = hexWord(this.#prng);
    this.#latestMs = startMs + MAX_REQUEST_MS - 1000;
    this.#hop(endpoint, startMs, '');
  }

  /** The hop's event is stamped with its end, as a span's is; children end before their parent. */
  #hop(endpoint: Endpoint, startMs: number, parentSpanId: string): HopOutcome {
    const prng = this.#prng;
    const service = this.#state.services[endpoint.service] as ServiceState;
    if (service.down) return { latencyMs: 1, failed: true, refused: true };
    const spanId = hexWord(prng) + hexWord(prng);
    let ownMs = endpoint.medianMs * Math.exp(endpoint.sigma * prng.normal()) * service.latencyFactor;
    const hangs = service.hangShare > 0 && prng.next() < service.hangShare;
    if (hangs) ownMs += CALL_TIMEOUT_MS * (1 + prng.next());
    ownMs = Math.min(ownMs, MAX_OWN_MS);
    let trouble = this.#ownTrouble(endpoint, service);
    let warning: Trouble | undefined = hangs ? { messages: SLOW_MESSAGES, peer: '' } : undefined;
    let latencyMs = ownMs / 2;
    // A request that fails by itself does so before its calls half of the time.
    if (!trouble || prng.next() < 0.5) {
      for (const call of endpoint.calls) {
        const outcome = this.#call(call, startMs + latencyMs, spanId);
        latencyMs += outcome.latencyMs;
        if (!outcome.trouble) continue;
        if (call.optional) warning ??= { messages: FALLBACK_MESSAGES, peer: outcome.trouble.peer };
        else trouble ??= outcome.trouble;
        if (!call.optional) break;
      }
    }
    latencyMs += ownMs / 2;
    const endMs = Math.min(Math.round(startMs + latencyMs), this.#latestMs);
    this.#emit(endpoint, service, endMs, latencyMs, trouble, warning, spanId, parentSpanId);
    return { latencyMs, failed: trouble !== undefined, refused: false };
  }

  #ownTrouble(endpoint: Endpoint, service: ServiceState): Trouble | undefined {
    let rate = endpoint.errorRate + service.errorRate;
    if (service.failingEndpoint >= 0 && this.#fleet.services[endpoint.service]?.endpoints[service.failingEndpoint] === endpoint) {
      rate += service.endpointErrorRate;
    }
    const draw = this.#prng.next();
    if (draw >= rate) return undefined;
    const everyday = draw < endpoint.errorRate || service.errorMessages === null;
    return { messages: everyday ? ERROR_MESSAGES : (service.errorMessages as readonly MessageTemplate[]), peer: '' };
  }

  /** Makes a call with its retries; a call that is not made, or is extra, follows the target's call factor. */
  #call(call: Call, startMs: number, spanId: string): { latencyMs: number; trouble?: Trouble } {
    const prng = this.#prng;
    const target = this.#state.services[call.target.service] as ServiceState;
    if (prng.next() >= call.probability * target.callFactor) return { latencyMs: 0 };
    const peer = this.#fleet.services[call.target.service]?.name ?? '';
    let latencyMs = 0;
    for (let attempt = 0; ; attempt++) {
      const outcome = this.#hop(call.target, startMs + latencyMs, spanId);
      const timedOut = outcome.latencyMs > CALL_TIMEOUT_MS;
      latencyMs += Math.min(outcome.latencyMs, CALL_TIMEOUT_MS) + 0.5;
      if (!outcome.failed && !timedOut) return { latencyMs };
      if (attempt < target.retries) continue;
      if (timedOut) return { latencyMs, trouble: { messages: TIMEOUT_MESSAGES, peer } };
      return { latencyMs, trouble: { messages: outcome.refused ? REFUSED_MESSAGES : UPSTREAM_MESSAGES, peer } };
    }
  }

  #emit(
    endpoint: Endpoint,
    service: ServiceState,
    endMs: number,
    latencyMs: number,
    trouble: Trouble | undefined,
    warning: Trouble | undefined,
    spanId: string,
    parentSpanId: string,
  ): void {
    const prng = this.#prng;
    const draw = prng.next();
    let level = 'INFO';
    let said: Trouble = { messages: INFO_MESSAGES, peer: '' };
    if (trouble) {
      level = draw < 0.03 ? 'CRITICAL' : 'ERROR';
      said = trouble;
    } else if (warning) {
      level = 'WARN';
      said = warning;
    } else if (draw < service.warnShare) {
      level = 'WARN';
      said = { messages: WARN_MESSAGES, peer: '' };
    } else if (draw > 0.98) {
      level = 'DEBUG';
      said = { messages: DEBUG_MESSAGES, peer: '' };
    }
    const values = { ms: latencyMs, peer: said.peer, path: endpoint.path, version: service.version };
    const message = renderMessage(said.messages[prng.below(said.messages.length)] as MessageTemplate, values, prng);
    const name = this.#fleet.services[endpoint.service]?.name ?? '';
    const ids = { requestId: this.#requestId, traceId: this.#traceId, spanId, parentSpanId };
    this.#sink(
      endMs,
      eventTail({ service: name, level, message, latencyMs, path: endpoint.path, version: service.version, ...ids }),
    );
  }
}
