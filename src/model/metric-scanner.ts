import { CLOSE_BRACE, CLOSE_BRACKET, COMMA, NEWLINE, OPEN_BRACKET, QUOTE } from './json-bytes.ts';
import { NumberReader } from './json-number.ts';
import { HeadTable, hashOf } from './head-table.ts';
import type { MetricBatch } from './metric.ts';
import { POINTS_KEY } from './metric.ts';
import { parseMetricLine, parseObject, seriesKeyOf, SPECIAL_VALUES } from './metric-line.ts';

const DEFAULT_MAX_HEADS = 262_144;
const POINTS_START = Buffer.from(`${POINTS_KEY}[`);
const SPECIALS = Object.entries(SPECIAL_VALUES).map(([text, value]) => ({ bytes: Buffer.from(JSON.stringify(text)), value }));
const CLOSING_BRACE = Buffer.from('}');

export interface MetricScan {
  /** Valid until the next scan. */
  batch: MetricBatch;
  /** Malformed ones; nothing of them is in the batch. */
  skippedLines: number;
}

/** Lines of the metrics log to columns. Equal to `parseMetricLine` for every input. */
export interface MetricScanner {
  scan(bytes: Uint8Array): MetricScan;
}

function startsWith(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let k = 0; k < text.length; k++) if (bytes[at + k] !== text[k]) return false;
  return true;
}

/** Columns that grow; never beyond the points of the largest record. */
class MetricColumns implements MetricBatch {
  count = 0;
  heads: MetricBatch['heads'];
  series = new Uint32Array(1024);
  timestamp = new Float64Array(1024);
  value = new Float64Array(1024);
  start = new Float64Array(1024);

  constructor(heads: MetricBatch['heads']) {
    this.heads = heads;
  }

  push(series: number, timestamp: number, value: number, start: number): void {
    if (this.count === this.series.length) this.#grow();
    const row = this.count++;
    this.series[row] = series;
    this.timestamp[row] = timestamp;
    this.value[row] = value;
    this.start[row] = start;
  }

  #grow(): void {
    const { series, timestamp, value, start } = this;
    const length = this.count * 2;
    (this.series = new Uint32Array(length)).set(series);
    (this.timestamp = new Float64Array(length)).set(timestamp);
    (this.value = new Float64Array(length)).set(value);
    (this.start = new Float64Array(length)).set(start);
  }
}

class LineScanner implements MetricScanner {
  readonly #maxHeads: number;
  readonly #number = new NumberReader();
  #table = new HeadTable();
  #batch = new MetricColumns(this.#table.heads);
  #skippedLines = 0;

  constructor(maxHeads: number) {
    this.#maxHeads = maxHeads;
  }

  scan(bytes: Uint8Array): MetricScan {
    if (this.#table.size >= this.#maxHeads) this.#table = new HeadTable();
    this.#batch.heads = this.#table.heads;
    this.#batch.count = 0;
    this.#skippedLines = 0;
    let previous = 0;
    for (let p = 0; p < bytes.length;) {
      const first = this.#batch.count;
      const id = this.#readHead(bytes, p, previous);
      const end = id === 0 ? -1 : this.#readPoints(bytes, this.#headEnd + POINTS_START.length, id);
      if (end < 0) {
        this.#batch.count = first;
        p = this.#readPlainly(bytes, p);
        continue;
      }
      this.#table.setFollowing(previous, id);
      previous = id;
      p = end;
    }
    return { batch: this.#batch, skippedLines: this.#skippedLines };
  }

  #headEnd = 0;

  /** Id of the head at `at`, with its end in `#headEnd`; 0 when it is not in the usual form. */
  #readHead(bytes: Uint8Array, at: number, previous: number): number {
    const expected = this.#table.following(previous);
    if (expected !== 0) {
      this.#headEnd = this.#table.matchEnd(expected, bytes, at);
      if (this.#headEnd > 0 && startsWith(bytes, this.#headEnd, POINTS_START)) return expected;
    }
    // A quote inside a string is escaped, so this text ends the labels wherever it occurs in a valid line.
    let p = at;
    for (; p < bytes.length; p++) {
      const byte = bytes[p];
      if (byte === NEWLINE) return 0;
      if (byte === CLOSE_BRACE && startsWith(bytes, p + 1, POINTS_START)) break;
    }
    if (p >= bytes.length) return 0;
    this.#headEnd = p + 1;
    const known = this.#table.find(bytes, at, this.#headEnd, hashOf(bytes, at, this.#headEnd));
    return known === 0 ? this.#addHead(bytes, at, this.#headEnd) : known;
  }

  #addHead(bytes: Uint8Array, start: number, end: number): number {
    const parsed = parseObject(Buffer.concat([bytes.subarray(start, end), CLOSING_BRACE]));
    const key = parsed && seriesKeyOf(parsed);
    return key ? this.#table.add(bytes, start, end, key) : 0;
  }

  /** Index after the line whose first point starts at `at`, or -1 when it is not in the usual form. */
  #readPoints(bytes: Uint8Array, at: number, id: number): number {
    const number = this.#number;
    for (let p = at; ; p++) {
      if (bytes[p] !== OPEN_BRACKET || (p = number.read(bytes, p + 1)) < 0 || bytes[p] !== COMMA) return -1;
      const timestamp = number.value;
      if ((p = this.#readValue(bytes, p + 1)) < 0) return -1;
      const value = number.value;
      let start = NaN;
      if (bytes[p] === COMMA) {
        if ((p = number.read(bytes, p + 1)) < 0 || !Number.isFinite(number.value)) return -1;
        start = number.value;
      }
      if (bytes[p] !== CLOSE_BRACKET || !Number.isFinite(timestamp)) return -1;
      this.#batch.push(id, timestamp, value, start);
      p++;
      if (bytes[p] === COMMA) continue;
      if (bytes[p] !== CLOSE_BRACKET || bytes[p + 1] !== CLOSE_BRACE) return -1;
      if (p + 2 === bytes.length) return p + 2;
      return bytes[p + 2] === NEWLINE ? p + 3 : -1;
    }
  }

  #readValue(bytes: Uint8Array, at: number): number {
    if (bytes[at] !== QUOTE) return this.#number.read(bytes, at);
    const special = SPECIALS.find((candidate) => startsWith(bytes, at, candidate.bytes));
    if (!special) return -1;
    this.#number.value = special.value;
    return at + special.bytes.length;
  }

  /** Reads an unusual line by the plain rules; returns the index after it. */
  #readPlainly(bytes: Uint8Array, at: number): number {
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline < 0 ? bytes.length : newline;
    const line = end > at ? parseMetricLine(bytes.subarray(at, end)) : null;
    if (line) {
      const head = Buffer.from(JSON.stringify(line.key));
      const known = this.#table.find(head, 0, head.length, hashOf(head, 0, head.length));
      const id = known === 0 ? this.#table.add(head, 0, head.length, line.key) : known;
      for (const [timestamp, value, start] of line.points) this.#batch.push(id, timestamp, value, start);
    } else if (end > at) this.#skippedLines++;
    return end + 1;
  }
}

/**
 * `maxHeads` bounds the series known at once. A scan that begins with that many starts a new table and a new `heads`: a flood of
 * series costs parsing each of them again, never memory.
 */
export function createMetricScanner({ maxHeads = DEFAULT_MAX_HEADS }: { maxHeads?: number } = {}): MetricScanner {
  return new LineScanner(maxHeads);
}
