import type { ByteWriter } from './byte-stream.ts';
import { COLUMN_DICTIONARY, COLUMN_FIXED, COLUMN_HEX, COLUMN_TEXT, COLUMN_TIMESTAMPS } from './column-format.ts';
import { writeTimestamps } from './timestamp-column-oracle.ts';

const NEWLINE = 10;
const MAX_DISTINCT = 256;
const TABLE_SIZE = 1024;

const HEX = new Int8Array(256).fill(-1);
for (let i = 0; i < 16; i++) HEX[i.toString(16).charCodeAt(0)] = i;

/** Values of a column: byte ranges of one buffer. */
export interface ColumnValues {
  source: Buffer;
  starts: Uint32Array;
  ends: Uint32Array;
  count: number;
}

/** Writes columns; keeps its scratch space between them. */
export class ColumnEncoder {
  readonly #slots = new Int32Array(TABLE_SIZE);
  readonly #exampleOf = new Int32Array(MAX_DISTINCT);
  #ids = new Uint8Array(8192);
  #kinds = 0;
  /** Dictionary id of each value of the last column, when `dictionary` returns one. */
  get ids(): Uint8Array {
    return this.#ids;
  }

  /** The distinct values of the column that was encoded last; null when it did not become a dictionary. */
  dictionary({ source, starts, ends }: ColumnValues): string[] | null {
    if (this.#kinds === 0) return null;
    return Array.from(this.#exampleOf.subarray(0, this.#kinds), (i) => source.toString('utf8', starts[i], ends[i]));
  }

  /** Appends the column's body and returns its encoding. */
  encode(out: ByteWriter, values: ColumnValues): number {
    this.#kinds = 0;
    if (writeTimestamps(out, values.source, values.starts, values.ends, values.count)) return COLUMN_TIMESTAMPS;
    if (this.#writeDictionary(out, values)) return COLUMN_DICTIONARY;
    const fixed = writeFixed(out, values);
    if (fixed !== COLUMN_TEXT) return fixed;
    writeText(out, values);
    return COLUMN_TEXT;
  }

  #writeDictionary(out: ByteWriter, values: ColumnValues): boolean {
    const kinds = this.#assignIds(values);
    this.#kinds = kinds;
    if (kinds === 0) return false;
    const { source, starts, ends, count } = values;
    out.byte(kinds - 1);
    for (const example of this.#exampleOf.subarray(0, kinds)) {
      out.bytes(source.subarray(starts[example], ends[example]));
      out.byte(NEWLINE);
    }
    if (kinds > 1) out.bytes(this.#ids.subarray(0, count));
    return true;
  }

  /** Number of distinct values, 0 when there are too many to be worth it. */
  #assignIds({ source, starts, ends, count }: ColumnValues): number {
    if (count > this.#ids.length) this.#ids = new Uint8Array(2 * count);
    this.#slots.fill(-1);
    const limit = Math.min(MAX_DISTINCT, 1 + (count >> 1));
    let kinds = 0;
    for (let i = 0; i < count; i++) {
      const start = starts[i] as number;
      const end = ends[i] as number;
      let hash = end - start;
      for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (source[at] as number)) | 0;
      let slot = (hash ^ (hash >>> 15)) & (TABLE_SIZE - 1);
      let id = this.#slots[slot] as number;
      while (id >= 0) {
        const example = this.#exampleOf[id] as number;
        if (sameBytes(source, starts[example] as number, ends[example] as number, start, end)) break;
        slot = (slot + 1) & (TABLE_SIZE - 1);
        id = this.#slots[slot] as number;
      }
      if (id < 0) {
        if (kinds === limit) return 0;
        id = kinds++;
        this.#exampleOf[id] = i;
        this.#slots[slot] = id;
      }
      this.#ids[i] = id;
    }
    return kinds;
  }
}

function sameBytes(source: Buffer, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (let i = a, j = b; i < aEnd; i++, j++) if (source[i] !== source[j]) return false;
  return true;
}

function writeText(out: ByteWriter, { source, starts, ends, count }: ColumnValues): void {
  let size = count;
  for (let i = 0; i < count; i++) size += (ends[i] as number) - (starts[i] as number);
  const target = out.reserve(size);
  let at = out.length;
  for (let i = 0; i < count; i++) {
    const end = ends[i] as number;
    let from = starts[i] as number;
    if (end - from > 48) at += source.copy(target, at, from, end);
    else while (from < end) target[at++] = source[from++] as number;
    target[at++] = NEWLINE;
  }
  out.length = at;
}

/** Values of one length: its number, the common prefix, then the rest of each. Returns COLUMN_TEXT when they are not. */
function writeFixed(out: ByteWriter, { source, starts, ends, count }: ColumnValues): number {
  const first = starts[0] as number;
  const length = (ends[0] as number) - first;
  if (length === 0 || length > 255) return COLUMN_TEXT;
  let prefix = length;
  for (let i = 1; i < count; i++) {
    const start = starts[i] as number;
    if ((ends[i] as number) - start !== length) return COLUMN_TEXT;
    let same = 0;
    while (same < prefix && source[start + same] === source[first + same]) same++;
    prefix = same;
  }
  const rollback = out.length;
  out.byte(length);
  out.byte(prefix);
  out.bytes(source.subarray(first, first + prefix));
  const width = length - prefix;
  if (width % 2 === 0 && packHex(out, source, starts, count, prefix, width)) return COLUMN_HEX;
  const target = out.reserve(count * width);
  let at = out.length;
  for (let i = 0; i < count; i++) {
    const end = (starts[i] as number) + length;
    for (let from = end - width; from < end; from++) target[at++] = source[from] as number;
  }
  out.length = at;
  return out.length > rollback ? COLUMN_FIXED : COLUMN_TEXT;
}

function packHex(out: ByteWriter, source: Buffer, starts: Uint32Array, count: number, prefix: number, width: number): boolean {
  const target = out.reserve((count * width) / 2);
  let at = out.length;
  for (let i = 0; i < count; i++) {
    const start = (starts[i] as number) + prefix;
    for (let from = start; from < start + width; from += 2) {
      const high = HEX[source[from] as number] as number;
      const low = HEX[source[from + 1] as number] as number;
      if ((high | low) < 0) return false;
      target[at++] = (high << 4) | low;
    }
  }
  out.length = at;
  return true;
}
