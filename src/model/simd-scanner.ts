import { BodyScanner } from './body-scanner.ts';
import { layColumns, moveColumns, ROW_BYTES } from './event-batch.ts';
import type { EventBatch, Names } from './event-batch.ts';
import { EventFastPath } from './event-fast-path.ts';
import type { EventReader } from './event-reader.ts';
import { ENVIRONMENT_KEYS, NAMESPACE_KEYS, VERSION_KEYS } from './event-rules.ts';
import { KINDS, LEVEL_SPELLINGS, levelCode, MIN_EVENT_BYTES } from './event.ts';
import type { NameTable } from './name-table.ts';
import type { Scanner, ScanLimits } from './scanner.ts';
import { instantiateSimd } from './simd-module.ts';
import type { SimdExports } from './simd-module.ts';

const PAGE_BYTES = 65_536;
const FIRST_CAPACITY = 1024;

/** Keys by code; simd-keys.as.ts names the codes. */
const KEYS = [
  'timestamp',
  'service',
  'level',
  'message',
  'metadata',
  'trace_id',
  'span_id',
  'parent_span_id',
  'kind',
  'latency_ms',
  'endpoint',
  'adjusted_count',
  ...VERSION_KEYS,
  ...ENVIRONMENT_KEYS,
  ...NAMESPACE_KEYS,
];

/** The scanner in WebAssembly with SIMD: several times as fast as the one in JavaScript, which is its fallback and equal. */
export function createSimdScanner(names: Names): Scanner {
  return new BodyScanner(createSimdReader(names));
}

export function createSimdReader(names: Names): EventReader {
  return new SimdReader(names);
}

/**
 * Reads through the module of simd-scanner.as.ts. A body goes through the module's window a piece at a time; the columns lie
 * in the module's memory, so rows are not copied. Names get their ids here, on the module's asking.
 */
class SimdReader implements EventReader {
  readonly batch: EventBatch;
  readonly #exports: SimdExports;
  readonly #window: number;
  readonly #windowBytes: number;
  readonly #columns: number;
  readonly #plain: EventFastPath;
  readonly #tables: readonly NameTable[];
  readonly #allowedEntities = new WeakMap<object, Set<number>>();
  #memory: Buffer = Buffer.alloc(0);
  #body: Uint8Array = new Uint8Array(0);
  /** What of the body the window holds. */
  #start = 0;
  #end = 0;
  #limits: ScanLimits = { latestMs: Infinity, earliestMs: -Infinity };

  constructor(names: Names) {
    this.#tables = [names.entities, names.endpoints, names.versions];
    this.#exports = instantiateSimd({
      decimal: (at, length) => Number(this.#memory.toString('latin1', at, at + length)),
      intern: (table, at, length) => this.#intern(this.#tables[table] as NameTable, at, at + length),
      allows: (entity, at, length) => (this.#allows(entity, at, at + length) ? 1 : 0),
    });
    this.#window = this.#exports.WINDOW.value;
    this.#windowBytes = this.#exports.WINDOW_BYTES.value;
    this.#columns = this.#exports.COLUMNS.value;
    this.#reserveMemory(FIRST_CAPACITY);
    const columns = layColumns(this.#exports.memory.buffer, this.#columns, FIRST_CAPACITY);
    this.#exports.setCapacity(FIRST_CAPACITY);
    this.batch = { count: 0, bytes: new Uint8Array(0), names, ...columns };
    this.#plain = new EventFastPath(this.batch, () => this.grow());
    for (const [code, key] of KEYS.entries()) this.#teach(0, key, code);
    for (const [code, kind] of KINDS.entries()) this.#teach(1, kind, code);
    for (const level of LEVEL_SPELLINGS) this.#teach(2, level, levelCode(level));
  }

  begin(body: Uint8Array, limits: ScanLimits): void {
    this.#body = body;
    this.#start = this.#end = 0;
    this.#limits = limits;
    this.#exports.setLimits(limits.latestMs, limits.earliestMs, limits.services ? 1 : 0);
    this.#plain.begin(body, limits);
  }

  readLines(at: number): number {
    const { batch } = this;
    for (let p = at; ;) {
      if (p >= this.#body.length) return p;
      const shift = this.#show(p);
      const isLast = this.#end === this.#body.length ? 1 : 0;
      p = this.#exports.readLines(p + shift, this.#end + shift, isLast, batch.count) - shift;
      batch.count = this.#exports.rowCount();
      if (p < this.#end) return p;
    }
  }

  readElements(at: number): number {
    if (at >= this.#body.length) return at;
    const shift = this.#show(at);
    const p = this.#exports.readElements(at + shift, this.batch.count) - shift;
    this.batch.count = this.#exports.rowCount();
    return p;
  }

  readEvent(at: number): number {
    return this.#plain.readEvent(at);
  }

  grow(): void {
    this.#reserve(2 * this.batch.timestamp.length);
  }

  /** Has the body at index `at` in the window, and room for its rows; what added to an index makes an address. */
  #show(at: number): number {
    if (at < this.#start || at >= this.#end) {
      this.#start = at;
      this.#end = Math.min(this.#body.length, at + this.#windowBytes);
      // A subarray costs more than a small body's copy.
      this.#memory.set(
        at === 0 && this.#end === this.#body.length ? this.#body : this.#body.subarray(at, this.#end),
        this.#window,
      );
      this.#exports.setWindow(at, this.#end - at);
    }
    const rows = this.batch.count + Math.ceil((this.#end - at) / MIN_EVENT_BYTES) + 1;
    if (rows > this.batch.timestamp.length) this.#reserve(rows);
    return this.#window - this.#start;
  }

  /** Lengthens the columns to at least this many rows. The memory grows with the largest body that was ever read. */
  #reserve(rows: number): void {
    const old = this.batch.timestamp.length;
    let capacity = old;
    while (capacity < rows) capacity *= 2;
    this.#reserveMemory(capacity);
    const { buffer } = this.#exports.memory;
    const columns = layColumns(buffer, this.#columns, capacity);
    moveColumns(columns, layColumns(buffer, this.#columns, old));
    Object.assign(this.batch, columns);
    this.#exports.setCapacity(capacity);
  }

  #reserveMemory(capacity: number): void {
    const { memory } = this.#exports;
    const missing = this.#columns + ROW_BYTES * capacity - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#memory = Buffer.from(memory.buffer);
  }

  #teach(list: number, word: string, code: number): void {
    this.#memory.write(word, this.#exports.nextWord(list), 'latin1');
    this.#exports.addWord(list, word.length, code);
  }

  #intern(table: NameTable, start: number, end: number): number {
    const id = table.intern(this.#memory, start, end);
    return id === table.otherId ? -id : id;
  }

  /** Asked once an entity and sender; an entity that is not known yet gets no id by being asked for. */
  #allows(entity: number, start: number, end: number): boolean {
    const services = this.#limits.services as NonNullable<ScanLimits['services']>;
    let allowed = this.#allowedEntities.get(services);
    if (!allowed) this.#allowedEntities.set(services, (allowed = new Set()));
    if (allowed.has(entity)) return true;
    const isAllowed = services.allows(this.#memory.toString('utf8', start, end));
    if (isAllowed && entity !== 0) allowed.add(entity);
    return isAllowed;
  }
}
