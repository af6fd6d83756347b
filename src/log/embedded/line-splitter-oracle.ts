const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;

/** Byte classes: 0 part of a bare value (number, word, anything odd), 1 punctuation, 2 white space. */
const CLASS = new Uint8Array(256);
for (const byte of Buffer.from('{}[],:')) CLASS[byte] = 1;
for (const byte of Buffer.from(' \t\r')) CLASS[byte] = 2;
CLASS[QUOTE] = 1;

const MAX_VALUES_PER_LINE = 512;
/** Beyond this, lines of new shapes are kept whole. */
const MAX_SKELETONS = 1023;
const TABLE_SIZE = 4096;
const WHOLE_LINE = 0;

/** The literal parts of lines of one shape; value i stands between parts i and i + 1. */
class Skeleton {
  readonly parts: readonly Buffer[];
  /** All parts in one buffer, and where each ends. */
  readonly literal: Buffer;
  readonly partEnds: Uint32Array;
  /** Number of lines of this shape in the block. */
  lines = 0;

  constructor(parts: readonly Buffer[]) {
    this.parts = parts;
    this.literal = Buffer.concat(parts);
    this.partEnds = new Uint32Array(parts.length);
    let end = 0;
    for (const [i, part] of parts.entries()) this.partEnds[i] = end += part.length;
  }

  get values(): number {
    return this.parts.length - 1;
  }
}

/**
 * Splits NDJSON into skeletons and values, losslessly and for any bytes: a line is its skeleton's literal parts with the
 * line's values between them. Holds one block at a time; `split` replaces the last one.
 */
export class LineSplitter {
  source: Buffer = Buffer.alloc(0);
  lines = 0;
  /** Skeleton of each line, and the index of its first value in `starts` and `ends`. */
  lineSkeleton = new Uint16Array(8192);
  lineFirstValue = new Uint32Array(8192);
  starts = new Uint32Array(65536);
  ends = new Uint32Array(65536);
  /** Skeleton 0 is the whole line as one value. */
  skeletons: Skeleton[] = [];
  #values = 0;
  #hash = 0;
  readonly #table = new Int16Array(TABLE_SIZE);

  /** `source` is lines that each end with a newline. */
  split(source: Buffer): void {
    this.source = source;
    this.lines = 0;
    this.#values = 0;
    this.skeletons = [new Skeleton([Buffer.alloc(0), Buffer.alloc(0)])];
    this.#table.fill(-1);
    for (let start = 0; start < source.length;) {
      const newline = source.indexOf(10, start);
      const end = newline < 0 ? source.length : newline;
      this.#splitLine(start, end);
      start = end + 1;
    }
  }

  #splitLine(start: number, end: number): void {
    if (this.lines === this.lineSkeleton.length) this.#growLines();
    if (this.#values + MAX_VALUES_PER_LINE > this.starts.length) this.#growValues();
    const first = this.#values;
    const count = this.#tokenize(start, end, first);
    let skeleton = count < 0 ? WHOLE_LINE : this.#skeletonOf(start, end, first, count);
    if (skeleton < 0) skeleton = WHOLE_LINE;
    if (skeleton === WHOLE_LINE) {
      this.starts[first] = start;
      this.ends[first] = end;
    }
    this.lineSkeleton[this.lines] = skeleton;
    this.lineFirstValue[this.lines++] = first;
    this.#values = first + (skeleton === WHOLE_LINE ? 1 : count);
    (this.skeletons[skeleton] as Skeleton).lines++;
  }

  /** Finds the values of a line and hashes what lies between them; -1 when it has too many, or an open string. */
  #tokenize(start: number, end: number, first: number): number {
    const { source, starts, ends } = this;
    let hash = 0;
    let value = first;
    const limit = first + MAX_VALUES_PER_LINE;
    for (let at = start; at < end;) {
      const byte = source[at] as number;
      if (byte === QUOTE) {
        let close = at + 1;
        for (let inner = source[close]; inner !== QUOTE; inner = source[close]) {
          close += inner === BACKSLASH ? 2 : 1;
          if (close >= end) return -1;
        }
        let after = close + 1;
        while (CLASS[source[after] as number] === 2) after++;
        if (source[after] === COLON) {
          for (; at < close; at++) hash = (Math.imul(hash, 31) + (source[at] as number)) | 0;
        } else {
          if (value === limit) return -1;
          starts[value] = at + 1;
          ends[value++] = close;
          hash = Math.imul(hash, 31) + 7;
        }
        at = close + 1;
      } else if (CLASS[byte] === 0) {
        if (value === limit) return -1;
        starts[value] = at++;
        while (at < end && CLASS[source[at] as number] === 0) at++;
        ends[value++] = at;
        hash = Math.imul(hash, 31) + 3;
      } else {
        hash = (Math.imul(hash, 31) + byte) | 0;
        at++;
      }
    }
    this.#hash = hash;
    return value - first;
  }

  #skeletonOf(start: number, end: number, first: number, count: number): number {
    let slot = (this.#hash ^ (this.#hash >>> 16)) & (TABLE_SIZE - 1);
    for (; ; slot = (slot + 1) & (TABLE_SIZE - 1)) {
      const id = this.#table[slot] as number;
      if (id < 0) break;
      if (this.#matches(this.skeletons[id] as Skeleton, start, end, first, count)) return id;
    }
    if (this.skeletons.length === MAX_SKELETONS) return -1;
    const parts: Buffer[] = [];
    let at = start;
    for (let i = first; i < first + count; i++) {
      parts.push(Buffer.from(this.source.subarray(at, this.starts[i])));
      at = this.ends[i] as number;
    }
    parts.push(Buffer.from(this.source.subarray(at, end)));
    this.#table[slot] = this.skeletons.length;
    return this.skeletons.push(new Skeleton(parts)) - 1;
  }

  #matches(skeleton: Skeleton, start: number, end: number, first: number, count: number): boolean {
    if (skeleton.values !== count) return false;
    const { source, starts, ends } = this;
    const { literal, partEnds } = skeleton;
    let at = start;
    let from = 0;
    for (let part = 0; part <= count; part++) {
      const partEnd = partEnds[part] as number;
      if ((part === count ? end : (starts[first + part] as number)) - at !== partEnd - from) return false;
      while (from < partEnd) if (literal[from++] !== source[at++]) return false;
      if (part < count) at = ends[first + part] as number;
    }
    return true;
  }

  #growLines(): void {
    const skeletons = new Uint16Array(this.lineSkeleton.length * 2);
    skeletons.set(this.lineSkeleton);
    this.lineSkeleton = skeletons;
    const firsts = new Uint32Array(this.lineFirstValue.length * 2);
    firsts.set(this.lineFirstValue);
    this.lineFirstValue = firsts;
  }

  #growValues(): void {
    const starts = new Uint32Array(this.starts.length * 2);
    starts.set(this.starts);
    this.starts = starts;
    const ends = new Uint32Array(this.ends.length * 2);
    ends.set(this.ends);
    this.ends = ends;
  }
}
