import { HeliosError } from '../lib/errors.ts';
import type { AlertEdge, AlertMessage, EdgeMessage } from '../model/alert.ts';
import type { EventBatch, Names } from '../model/event-batch.ts';
import { isErrorLevel, KIND_INNER_SPAN } from '../model/event.ts';
import { countCall, takeMinute, type EdgeCounts } from './edge-counts.ts';
import { addRow, createSpanTable, freeRow, rowAt, rowsOf, type SpanTable, type TableRow } from './span-table.ts';
import { decodeState, encodeState } from './state-codec.ts';

/** What a collector tells: calls by minute, and for the incidents the pairs that are news, and how far it is. */
export interface CollectedEdges {
  edges: EdgeMessage[];
  alerts: AlertMessage[];
}

/**
 * Joins the spans of one partition of the traces to who calls whom. Pure; what comes out depends on the batches and their order alone. All
 * spans of a trace are in one partition.
 */
export interface EdgeCollector {
  /** Adds a batch; spans later than `latestMs` come from a clock that is ahead and are left out. */
  observe(batch: EventBatch, latestMs?: number): void;
  /** Event time has come to `timeMs` everywhere. */
  advanceTo(timeMs: number): void;
  /** What is complete since the last call. */
  take(): CollectedEdges;
  snapshot(): Uint8Array;
  /** Throws `corrupt_data` when the bytes are no snapshot. */
  restore(payload: Uint8Array): void;
}

/** Plain data. */
interface CollectorState {
  version: number;
  names: string[];
  /** Spans, and children by their parent's hash whose parent has not come. */
  spans: SpanTable;
  waiting: SpanTable;
  counts: EdgeCounts;
  /** Complete, and not asked for yet. */
  ready: CollectedEdges;
  /** By pair: calls told, and the minute in which that began. */
  told: Map<string, { count: number; minute: number }>;
  /** Latest event time; -Infinity before the first. */
  newestMs: number;
  /** Every minute before is ready or told. */
  nextMinute: number;
  toldUntilMs: number;
}

const SNAPSHOT_VERSION = 1;
const MINUTE_MS = 60_000;
/** How long after a minute's end its last spans come. */
const HOLD_MS = 60_000;
/** An event so far ahead of all others is taken for a clock that is ahead, unless the data as a whole is. */
const AHEAD_MS = 60_000;
const SAMPLE = 15;
const MAX_SERVICES = 4096;
const MAX_TOLD = 20_000;
/** Sightings after which a pair is believed, and how soon it is told again, for who has forgotten it. */
const BELIEVED = 3;
const TOLD_MINUTES = 60;

const IS_ERROR = 1;
const IS_INNER = 2;

export function createEdgeCollector(partition: number): EdgeCollector {
  return new Collector(partition);
}

function createState(): CollectorState {
  return {
    version: SNAPSHOT_VERSION,
    names: [],
    spans: createSpanTable(),
    waiting: createSpanTable(),
    counts: new Map(),
    ready: { edges: [], alerts: [] },
    told: new Map(),
    newestMs: -Infinity,
    nextMinute: -1,
    toldUntilMs: -Infinity,
  };
}

class Collector implements EdgeCollector {
  readonly #partition: number;
  #state = createState();
  #numbers = new Map<string, number>();
  #caches = new WeakMap<Names, number[]>();

  constructor(partition: number) {
    this.#partition = partition;
  }

  observe(batch: EventBatch, latestMs = Infinity): void {
    this.#close();
    const boundMs = Math.min(latestMs, this.#usualUntilMs(batch));
    const { timestamp, spanHash, parentHash, count } = batch;
    let { newestMs } = this.#state;
    for (let i = 0; i < count; i++) {
      const timeMs = timestamp[i] as number;
      const low = spanHash[2 * i] as number;
      const high = spanHash[2 * i + 1] as number;
      if (timeMs > boundMs || (low === 0 && high === 0)) continue;
      if (timeMs > newestMs) newestMs = timeMs;
      const row = this.#rowOf(batch, i);
      if (row) this.#join(row, low, high, parentHash[2 * i] as number, parentHash[2 * i + 1] as number);
    }
    this.#state.newestMs = newestMs;
  }

  advanceTo(timeMs: number): void {
    this.#state.newestMs = Math.max(this.#state.newestMs, timeMs);
  }

  take(): CollectedEdges {
    this.#close();
    const { newestMs, ready, toldUntilMs } = this.#state;
    this.#state.ready = { edges: [], alerts: [] };
    // The next minute to be told comes with a later time than this.
    if (newestMs > toldUntilMs) {
      this.#state.toldUntilMs = newestMs;
      ready.alerts.push({ type: 'watermark', partition: this.#partition, of: 'traces', watermarkMs: newestMs });
    }
    return ready;
  }

  snapshot(): Uint8Array {
    return encodeState(this.#state);
  }

  restore(payload: Uint8Array): void {
    const state = decodeState(payload) as CollectorState;
    if (state.version !== SNAPSHOT_VERSION) {
      throw new HeliosError(
        'corrupt_data',
        `cannot restore the joined calls: version ${state.version} of their state is unknown`,
      );
    }
    this.#state = { ...state, toldUntilMs: -Infinity };
    this.#numbers = new Map(state.names.map((name, index) => [name, index + 1]));
    this.#caches = new WeakMap();
  }

  /** Makes what is past ready to be told; from then on nothing is added to it, however long it is not asked for. */
  #close(): void {
    const { newestMs, counts, ready, nextMinute } = this.#state;
    const before = newestMs === -Infinity ? -1 : Math.floor((newestMs - HOLD_MS) / MINUTE_MS);
    if (before <= nextMinute) return;
    for (const minute of [...counts.keys()].filter((open) => open < before).toSorted((a, b) => a - b)) {
      const edges = takeMinute(counts, minute, this.#partition);
      ready.edges.push(...edges);
      const news = edges
        .filter((edge) => this.#isNews(edge))
        .map(({ caller, callee, count }): AlertEdge => ({ caller, callee, count }));
      const atMs = (minute + 1) * MINUTE_MS + HOLD_MS;
      if (news.length > 0) ready.alerts.push({ type: 'edges', partition: this.#partition, atMs, edges: news });
    }
    this.#state.nextMinute = before;
  }

  /** Times beyond are of clocks that are ahead: unless half of the batch is there too. */
  #usualUntilMs({ timestamp, count }: EventBatch): number {
    const stride = Math.max(1, Math.floor(count / SAMPLE));
    const sample: number[] = [];
    for (let i = 0; i < count; i += stride) sample.push(timestamp[i] as number);
    sample.sort((a, b) => a - b);
    return Math.max(this.#state.newestMs, sample[(sample.length - 1) >> 1] ?? -Infinity) + AHEAD_MS;
  }

  #rowOf(batch: EventBatch, i: number): TableRow | undefined {
    const service = this.#numberOf(batch.names, batch.entity[i] as number);
    if (service === 0) return undefined;
    const flags = (isErrorLevel(batch.level[i] as number) ? IS_ERROR : 0) | (batch.kind[i] === KIND_INNER_SPAN ? IS_INNER : 0);
    const minute = Math.floor((batch.timestamp[i] as number) / MINUTE_MS);
    return { service, latency: batch.latency[i] as number, minute, weight: batch.weight[i] as number, flags };
  }

  #join(row: TableRow, low: number, high: number, parentLow: number, parentHigh: number): void {
    const { spans, waiting } = this.#state;
    // A span that comes again has met its parent and children.
    if (rowsOf(spans, low, high).length > 0) return;
    addRow(spans, low, high, row);
    for (const child of rowsOf(waiting, low, high)) {
      this.#count(row, rowAt(waiting, child));
      freeRow(waiting, child);
    }
    if (parentLow === 0 && parentHigh === 0) return;
    const [parent] = rowsOf(spans, parentLow, parentHigh);
    if (parent === undefined) addRow(waiting, parentLow, parentHigh, row);
    else this.#count(rowAt(spans, parent), row);
  }

  #count(parent: TableRow, child: TableRow): void {
    if (parent.service === child.service || child.minute < this.#state.nextMinute) return;
    const { names, counts } = this.#state;
    countCall(counts, {
      caller: names[parent.service - 1] as string,
      callee: names[child.service - 1] as string,
      minute: child.minute,
      weight: child.weight,
      isError: (child.flags & IS_ERROR) !== 0,
      gapMs: (parent.flags & IS_INNER) === 0 ? NaN : parent.latency - child.latency,
    });
  }

  #isNews({ caller, callee, count, minuteMs }: EdgeMessage): boolean {
    const { told } = this.#state;
    const key = `${caller}\u0000${callee}`;
    const minute = minuteMs / MINUTE_MS;
    const known = told.get(key);
    if (known && known.count >= BELIEVED && minute - known.minute < TOLD_MINUTES) return false;
    const isFresh = !known || minute - known.minute >= TOLD_MINUTES;
    told.delete(key);
    told.set(key, isFresh ? { count, minute } : { count: known.count + count, minute: known.minute });
    const oldest = told.keys().next();
    if (told.size > MAX_TOLD && !oldest.done) told.delete(oldest.value);
    return true;
  }

  /** 0 when there are too many services. */
  #numberOf(names: Names, id: number): number {
    let cache = this.#caches.get(names);
    if (!cache) this.#caches.set(names, (cache = []));
    const cached = cache[id];
    if (cached !== undefined) return cached;
    const name = names.entities.name(id);
    let number = this.#numbers.get(name);
    if (number === undefined) {
      if (this.#state.names.length >= MAX_SERVICES) return 0;
      number = this.#state.names.push(name);
      this.#numbers.set(name, number);
    }
    cache[id] = number;
    return number;
  }
}
