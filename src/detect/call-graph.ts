import type { EventBatch, Names } from '../model/event-batch.ts';

/** Who calls whom, learned from the parents of a sample of traces. Plain data, bounded. */
export interface CallGraphState {
  names: string[];
  /** By caller * MAX_SERVICES + callee: times seen. */
  edges: Map<number, number>;
  /** Recent spans by their hash, and recent children by their parent's: hash halves and service number + 1. */
  spans: SpanTable;
  children: SpanTable;
}

interface SpanTable {
  low: Uint32Array;
  high: Uint32Array;
  service: Uint16Array;
}

const SLOTS = 1 << 13;
const MAX_SERVICES = 4096;
const MAX_EDGES = 20_000;
/** One trace in eight is looked at: an edge is seen many times anyway. */
const SAMPLE_MASK = 7;
/** Fewer sightings may be a collision of hashes. */
const MIN_SIGHTINGS = 3;
const MAX_DEPTH = 5;
/** Callers whose reach is kept; at the cap all are worked out anew. */
const MAX_REACHED = 1024;

function createTable(): SpanTable {
  return { low: new Uint32Array(SLOTS), high: new Uint32Array(SLOTS), service: new Uint16Array(SLOTS) };
}

export function createCallGraphState(): CallGraphState {
  return { names: [], edges: new Map(), spans: createTable(), children: createTable() };
}

function find(table: SpanTable, low: number, high: number): number {
  const slot = low & (SLOTS - 1);
  return table.low[slot] === low && table.high[slot] === high ? (table.service[slot] as number) : 0;
}

function put(table: SpanTable, low: number, high: number, service: number): void {
  const slot = low & (SLOTS - 1);
  table.low[slot] = low;
  table.high[slot] = high;
  table.service[slot] = service;
}

/** Learns edges from batches and answers who is upstream of whom. */
export class CallGraph {
  #state = createCallGraphState();
  #numbers = new Map<string, number>();
  #caches = new WeakMap<Names, number[]>();
  #callees = new Map<string, string[]>();
  #known = new Set<string>();
  #reached = new Map<string, Set<string>>();

  get state(): CallGraphState {
    return this.#state;
  }

  set state(state: CallGraphState) {
    this.#state = state;
    this.#numbers = new Map(state.names.map((name, index) => [name, index + 1]));
    this.#caches = new WeakMap();
    this.#forgetPaths();
  }

  observe(batch: EventBatch): void {
    const { traceHash, spanHash, parentHash, entity, count } = batch;
    const { spans, children } = this.#state;
    for (let i = 0; i < count; i++) {
      const low = spanHash[2 * i] as number;
      const high = spanHash[2 * i + 1] as number;
      if (((traceHash[2 * i] as number) & SAMPLE_MASK) !== 0 || (low === 0 && high === 0)) continue;
      const service = this.#numberOf(batch.names, entity[i] as number);
      if (service === 0) continue;
      put(spans, low, high, service);
      this.#addEdge(service, find(children, low, high));
      const parentLow = parentHash[2 * i] as number;
      const parentHigh = parentHash[2 * i + 1] as number;
      if (parentLow === 0 && parentHigh === 0) continue;
      this.#addEdge(find(spans, parentLow, parentHigh), service);
      put(children, parentLow, parentHigh, service);
    }
  }

  /** Learns calls that were counted elsewhere. */
  learn(edges: readonly { caller: string; callee: string; count: number }[]): void {
    for (const { caller, callee, count } of edges) {
      this.#addEdge(this.#numberNamed(caller), this.#numberNamed(callee), count);
    }
  }

  /** Whether `caller` reaches `callee`, directly or through others. */
  reaches(caller: string, callee: string): boolean {
    let reached = this.#reached.get(caller);
    if (!reached) {
      if (this.#reached.size >= MAX_REACHED) this.#reached.clear();
      this.#reached.set(caller, (reached = this.#reachedFrom(caller)));
    }
    return reached.has(callee);
  }

  /** Whether a service was seen to call or to be called. */
  knows(service: string): boolean {
    this.#readEdges();
    return this.#known.has(service);
  }

  calleesOf(caller: string): readonly string[] {
    this.#readEdges();
    return this.#callees.get(caller) ?? [];
  }

  #reachedFrom(caller: string): Set<string> {
    const reached = new Set<string>();
    let frontier: readonly string[] = [caller];
    for (let depth = 0; depth < MAX_DEPTH && frontier.length > 0; depth++) {
      const next = new Set(frontier.flatMap((name) => this.calleesOf(name)).filter((name) => !reached.has(name)));
      for (const name of next) reached.add(name);
      frontier = [...next];
    }
    return reached;
  }

  #readEdges(): void {
    if (this.#callees.size > 0) return;
    for (const [key, sightings] of this.#state.edges) {
      if (sightings < MIN_SIGHTINGS) continue;
      const from = this.#state.names[Math.floor(key / MAX_SERVICES) - 1] as string;
      const to = this.#state.names[(key % MAX_SERVICES) - 1] as string;
      this.#known.add(from).add(to);
      const known = this.#callees.get(from);
      if (known) known.push(to);
      else this.#callees.set(from, [to]);
    }
  }

  #forgetPaths(): void {
    this.#callees.clear();
    this.#known.clear();
    this.#reached.clear();
  }

  #addEdge(caller: number, callee: number, count = 1): void {
    if (caller === 0 || callee === 0 || caller === callee) return;
    const { edges } = this.#state;
    const key = caller * MAX_SERVICES + callee;
    const sightings = edges.get(key) ?? 0;
    if (sightings >= MIN_SIGHTINGS || (sightings === 0 && edges.size >= MAX_EDGES)) return;
    edges.set(key, Math.min(MIN_SIGHTINGS, sightings + count));
    this.#forgetPaths();
  }

  #numberOf(names: Names, id: number): number {
    let cache = this.#caches.get(names);
    if (!cache) this.#caches.set(names, (cache = []));
    let number = cache[id];
    if (number === undefined) {
      number = this.#numberNamed(names.entities.name(id));
      if (number === 0) return 0;
      cache[id] = number;
    }
    return number;
  }

  /** 0 when there are too many. */
  #numberNamed(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#state.names.length >= MAX_SERVICES - 1) return 0;
    const number = this.#state.names.push(name);
    this.#numbers.set(name, number);
    return number;
  }
}
