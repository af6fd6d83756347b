import { createPrng, type Prng } from '../lib/prng.ts';
import { createEventBatch, createNames, growEventBatch, type EventBatch } from '../model/event-batch.ts';
import { KIND_EVENT, KIND_INNER_SPAN, LEVEL_ERROR, LEVEL_INFO } from '../model/event.ts';
import { STEP_MS } from './traffic.fixture.ts';

/** One service of a small fleet: it works, then calls its callees one after the other, then answers. */
export interface FleetService {
  name: string;
  workMs: number;
  /** Names. */
  callees: string[];
}

/** front -> cart -> (stock -> table) and price. */
export const SHOP: readonly FleetService[] = [
  { name: 'front', workMs: 5, callees: ['cart'] },
  { name: 'cart', workMs: 8, callees: ['stock', 'price'] },
  { name: 'stock', workMs: 10, callees: ['table'] },
  { name: 'table', workMs: 4, callees: [] },
  { name: 'price', workMs: 6, callees: [] },
];

/** What is wrong with a call of a service. */
export interface CallFault {
  extraWorkMs?: number;
  /** Lost on the way to it and back. */
  extraWayMs?: number;
  /** Share of its calls that fail before it calls anybody; callers fail too. */
  failing?: number;
}

export type FaultOf = (service: string, timeMs: number) => CallFault;

const TRACES_A_STEP = 20;
const WAY_MS = 1;

/** Fills a batch with the spans of one step's traces as a collector would send them: children before their parents. */
export class TraceFleet {
  readonly batch: EventBatch = createEventBatch(createNames(), 512);
  readonly #services: ReadonlyMap<string, FleetService>;
  readonly #faultOf: FaultOf;
  #spans: number;
  #traces: number;
  #prng: Prng = createPrng(1);

  /** Ids go on after `firstTrace`. */
  constructor(services: readonly FleetService[], faultOf: FaultOf, firstTrace = 0) {
    this.#services = new Map(services.map((service) => [service.name, service]));
    this.#faultOf = faultOf;
    this.#traces = firstTrace;
    this.#spans = firstTrace * 64;
  }

  fill(root: string, stepMs: number): EventBatch {
    this.batch.count = 0;
    this.#prng = createPrng(stepMs / STEP_MS);
    for (let i = 0; i < TRACES_A_STEP; i++) {
      this.#traces++;
      const startMs = stepMs + (i * (STEP_MS - 2000)) / TRACES_A_STEP;
      this.#call(root, startMs, 0);
    }
    return this.batch;
  }

  /** Returns when the call ended, and whether it failed. */
  #call(name: string, startMs: number, parent: number): { endMs: number; failed: boolean } {
    const { workMs, callees } = this.#services.get(name) as FleetService;
    const { extraWorkMs = 0, failing = 0 } = this.#faultOf(name, startMs);
    const span = ++this.#spans;
    let endMs = startMs + workMs * Math.exp(0.2 * this.#prng.normal()) + extraWorkMs;
    let failed = this.#prng.next() < failing;
    for (const callee of failed ? [] : callees) {
      const client = ++this.#spans;
      const wayMs = (WAY_MS + (this.#faultOf(callee, startMs).extraWayMs ?? 0)) * Math.exp(0.1 * this.#prng.normal());
      const answer = this.#call(callee, endMs + wayMs / 2, client);
      const calledMs = endMs;
      endMs = answer.endMs + wayMs / 2;
      this.#add({
        name,
        endpoint: `call ${callee}`,
        kind: KIND_INNER_SPAN,
        span: client,
        parent: span,
        endMs,
        latencyMs: endMs - calledMs,
        failed: false,
      });
      failed ||= answer.failed;
      if (failed) break;
    }
    this.#add({ name, endpoint: `/${name}`, kind: KIND_EVENT, span, parent, endMs, latencyMs: endMs - startMs, failed });
    return { endMs, failed };
  }

  #add(row: {
    name: string;
    endpoint: string;
    kind: number;
    span: number;
    parent: number;
    endMs: number;
    latencyMs: number;
    failed: boolean;
  }): void {
    const { batch } = this;
    if (batch.count === batch.timestamp.length) growEventBatch(batch);
    const i = batch.count++;
    batch.timestamp[i] = row.endMs;
    batch.latency[i] = row.latencyMs;
    batch.kind[i] = row.kind;
    batch.level[i] = row.failed ? LEVEL_ERROR : LEVEL_INFO;
    batch.entity[i] = batch.names.entities.internString(row.name);
    batch.endpoint[i] = batch.names.endpoints.internString(row.endpoint);
    batch.messageStart[i] = batch.messageEnd[i] = 0;
    batch.traceHash.set([this.#traces << 3, Math.imul(this.#traces, 0x9e37_79b1) >>> 0], 2 * i);
    batch.spanHash.set([Math.imul(row.span, 0x85eb_ca6b) >>> 0, row.span], 2 * i);
    batch.parentHash.set(row.parent === 0 ? [0, 0] : [Math.imul(row.parent, 0x85eb_ca6b) >>> 0, row.parent], 2 * i);
  }
}
