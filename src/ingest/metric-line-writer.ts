import { isAscii } from 'node:buffer';
import type { MetricLines, SeriesKind } from '../model/metric.ts';
import { POINTS_KEY } from '../model/metric.ts';
import { MAX_SERVICE_BYTES } from '../model/event.ts';
import { MAX_ID_BYTES } from '../model/event-rules.ts';
import { MAX_LISTED_REJECTIONS, NO_LIMITS } from '../model/scanner.ts';
import type { Rejection, ScanLimits } from '../model/scanner.ts';
import { ByteWriter } from './byte-writer.ts';
import { LabelTemplate } from './label-template.ts';
import { LabelSet, MAX_LABELS } from './metric-labels.ts';
import type { MemoryAccount } from './pending-bytes.ts';

/** Of a series, its suffix included. */
const MAX_NAME_BYTES = 255;
const MAX_UNIT_BYTES = 255;
/** What one request's lines may take; points past it are rejected. Histograms and long labels make them longer than the body. */
const MAX_LINES_BYTES = 64 * 1024 * 1024;

/** What Prometheus puts behind the name of a histogram or summary to name its parts. */
export type Suffix = '' | '_count' | '_sum' | '_bucket' | '_min' | '_max';
const SUFFIXES: readonly Suffix[] = ['', '_count', '_sum', '_bucket', '_min', '_max'];
const LONGEST_SUFFIX = '_bucket'.length;
const KINDS: readonly SeriesKind[] = ['gauge', 'cumulative', 'delta'];

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const NAME_KEY = bytesOf('{"name":');
const KIND_KEYS = KINDS.map((kind) => bytesOf(`","kind":"${kind}","unit":`));
const SUFFIX_BYTES = SUFFIXES.map(bytesOf);
const POINTS_START = bytesOf(`}${POINTS_KEY}[[`);
const NEXT_POINT = bytesOf(',[');
const LINE_END = bytesOf(']}\n');
const COMMA = 0x2c;
const CLOSE_BRACKET = 0x5d;

/** A label that one point's series differ in: `le` of a bucket, `quantile` of a summary. */
export interface ExtraLabel {
  name: Uint8Array;
  /** `"name":"value"`. */
  json: Uint8Array;
}

/** A number as JSON text, kept because points of one request mostly share their times. */
class WrittenNumber {
  value = NaN;
  readonly #text = new ByteWriter();

  write(out: ByteWriter, value: number): void {
    if (value !== this.value) {
      this.value = value;
      this.#text.length = 0;
      this.#text.double(value);
    }
    out.copy(this.#text.bytes, 0, this.#text.length);
  }
}

/** Writes a JSON string, an empty one when it is over the limit; returns its bytes as UTF-8 that is valid. */
function writeString(out: ByteWriter, source: Uint8Array, start: number, end: number, limit: number): number {
  out.length = 0;
  out.string(source, start, end <= start + limit ? end : start);
  if (end - start > limit || isAscii(source.subarray(start, end))) return end - start;
  return Buffer.byteLength(JSON.parse(Buffer.from(out.view()).toString()) as string);
}

/**
 * Writes lines of the metrics log (`model/metric.ts`), the head of each from parts that are written once: entity, family
 * (name and unit), and the labels that all points of a resource share. Consecutive points of one series stand in one line.
 *
 *     writer.begin(limits); writer.setEntity(…); writer.base.set(…); writer.setFamily(…);
 *     for each point: writer.labels.clear(); writer.labels.set(…);
 *       if (writer.admit(timeMs, 'timestamp')) { writer.startLine('gauge'); writer.addPoint(timeMs, value, NaN); }
 *     writer.finish(); finally writer.end();
 */
export class MetricLineWriter {
  /** Labels of every series until they are changed; the point's own win. */
  readonly base = new LabelSet();
  readonly labels = new LabelSet();
  readonly #out = new ByteWriter();
  readonly #time = new WrittenNumber();
  readonly #start = new WrittenNumber();
  #limits: ScanLimits = NO_LIMITS;

  /** The name as a JSON string without its closing quote. */
  readonly #name = new ByteWriter();
  readonly #unit = new ByteWriter();
  /** `,"service":` to `"labels":{`. */
  readonly #entity = new ByteWriter();
  #entityField = '';
  #entityProblem = '';
  #nameBytes = 0;
  #unitBytes = 0;
  /** Heads up to the labels, by suffix and kind; an end of 0 is one not yet written for this family and entity. */
  readonly #prefixes = new ByteWriter();
  readonly #prefixStart = new Uint32Array(SUFFIXES.length * KINDS.length);
  readonly #prefixEnd = new Uint32Array(SUFFIXES.length * KINDS.length);

  /** Which prefix the last line has, -1 for none of these, and where it stands in the lines. */
  #lastPrefix = -1;
  #lastPrefixAt = 0;

  readonly #template = new LabelTemplate();
  /** Labels of the point around an extra one; `#splitName` is the one that they are written for, null for none. */
  readonly #around = new ByteWriter();
  readonly #aroundTemplate = new LabelTemplate();
  #splitName: Uint8Array | null = null;
  #splitAt = 0;

  #isLineOpen = false;
  #lines = 0;
  #points = 0;
  #minTimestampMs = Infinity;
  #maxTimestampMs = -Infinity;
  #index = 0;
  #rejectedCount = 0;
  #rejections: Rejection[] = [];

  /** Starts over; `memory` accounts for the lines. */
  begin(limits: ScanLimits, memory?: MemoryAccount): void {
    this.#limits = limits;
    this.#out.reset(memory);
    this.#isLineOpen = false;
    this.#lines = 0;
    this.#points = 0;
    this.#minTimestampMs = Infinity;
    this.#maxTimestampMs = -Infinity;
    this.#index = 0;
    this.#rejectedCount = 0;
    this.#rejections = [];
    this.base.clear();
    this.labels.clear();
    this.setEntity('', '', '');
  }

  setEntity(service: string, environment: string, namespace: string): void {
    const entity = this.#entity;
    entity.length = 0;
    entity.raw(bytesOf(',"service":'));
    entity.text(service);
    entity.raw(bytesOf(',"environment":'));
    entity.text(environment);
    entity.raw(bytesOf(',"namespace":'));
    entity.text(namespace);
    entity.raw(bytesOf(',"labels":{'));
    this.#forgetPrefixes();
    this.#judgeEntity(service, environment, namespace);
  }

  #judgeEntity(service: string, environment: string, namespace: string): void {
    this.#entityProblem = '';
    for (const [field, value, limit] of [
      ['service', service, MAX_SERVICE_BYTES],
      ['environment', environment, MAX_ID_BYTES],
      ['namespace', namespace, MAX_ID_BYTES],
    ] as const) {
      if (this.#entityProblem !== '' || Buffer.byteLength(value) <= limit) continue;
      this.#entityField = field;
      this.#entityProblem = `is longer than ${limit} bytes`;
    }
    if (this.#entityProblem === '' && this.#limits.services?.allows(service) === false) {
      this.#entityField = 'service';
      this.#entityProblem = 'is not allowed for this API key';
    }
  }

  /** Name and unit, from UTF-8. */
  setFamily(name: Uint8Array, nameStart: number, nameEnd: number, unit: Uint8Array, unitStart: number, unitEnd: number): void {
    this.#nameBytes = writeString(this.#name, name, nameStart, nameEnd, MAX_NAME_BYTES);
    this.#unitBytes = writeString(this.#unit, unit, unitStart, unitEnd, MAX_UNIT_BYTES);
    this.#name.length--;
    this.#forgetPrefixes();
  }

  /**
   * Whether a point that is about to be written can be: its entity, family, labels and time. Counts it, and rejects it
   * with the reason when not. `hasParts` when the family's series are named with suffixes.
   */
  admit(timeMs: number, timeField: string, hasParts = false): boolean {
    const { latestMs, earliestMs } = this.#limits;
    const nameLimit = hasParts ? MAX_NAME_BYTES - LONGEST_SUFFIX : MAX_NAME_BYTES;
    const labelProblem = this.base.problem || this.labels.problem;
    if (this.#entityProblem !== '') this.reject(this.#entityField, this.#entityProblem);
    else if (this.#nameBytes === 0) this.reject('name', 'is required');
    else if (this.#nameBytes > nameLimit) this.reject('name', `is longer than ${nameLimit} bytes`);
    else if (this.#unitBytes > MAX_UNIT_BYTES) this.reject('unit', `is longer than ${MAX_UNIT_BYTES} bytes`);
    else if (labelProblem !== '') this.reject('labels', labelProblem);
    else if (this.base.size + this.labels.size > MAX_LABELS) this.reject('labels', `are more than ${MAX_LABELS}`);
    else if (timeMs > latestMs) this.reject(timeField, 'is too far in the future');
    else if (timeMs < earliestMs) this.reject(timeField, 'is older than the retention');
    else if (this.#out.length > MAX_LINES_BYTES) this.reject('', `does not fit: the points before take ${MAX_LINES_BYTES} bytes`);
    else {
      this.#index++;
      if (timeMs < this.#minTimestampMs) this.#minTimestampMs = timeMs;
      if (timeMs > this.#maxTimestampMs) this.#maxTimestampMs = timeMs;
      return true;
    }
    return false;
  }

  /** Counts a point, and that it is left out. */
  reject(field: string, reason: string): void {
    const index = this.#index++;
    this.#rejectedCount++;
    if (this.#rejections.length < MAX_LISTED_REJECTIONS) this.#rejections.push({ index, field, reason });
  }

  /** Counts a point that says nothing: neither stored nor rejected. */
  skip(): void {
    this.#index++;
  }

  /** Begins the line of a series with the labels as they are. */
  startLine(kind: SeriesKind, suffix: Suffix = ''): void {
    this.#startHead(kind, suffix);
    this.#template.write(this.#out, this.labels, this.base, null);
    this.#out.raw(POINTS_START);
    this.#splitName = null;
  }

  /** The same with one label more, which wins over one of its name. Call `startLine` for the point before any of these. */
  startLineWith(kind: SeriesKind, suffix: Suffix, extra: ExtraLabel): void {
    const out = this.#out;
    const around = this.#around;
    if (this.#splitName !== extra.name) {
      around.length = 0;
      this.#splitAt = this.#aroundTemplate.write(around, this.labels, this.base, extra.name);
      this.#splitName = extra.name;
    }
    this.#startHead(kind, suffix);
    out.copy(around.bytes, 0, this.#splitAt);
    if (this.#splitAt > 0) out.byte(COMMA);
    out.raw(extra.json);
    if (this.#splitAt === 0 && around.length > 0) out.byte(COMMA);
    out.copy(around.bytes, this.#splitAt, around.length);
    out.raw(POINTS_START);
  }

  /** Adds a point to the line begun last. `startMs` is NaN where no start is known. */
  addPoint(timeMs: number, value: number, startMs: number): void {
    const out = this.#out;
    if (this.#isLineOpen) out.raw(NEXT_POINT);
    this.#isLineOpen = true;
    this.#time.write(out, timeMs);
    out.byte(COMMA);
    out.double(value);
    if (!Number.isNaN(startMs)) {
      out.byte(COMMA);
      this.#start.write(out, startMs);
    }
    out.byte(CLOSE_BRACKET);
    this.#points++;
  }

  /** What was written and what was not. */
  finish(): MetricLines {
    this.#closeLine();
    return {
      bytes: this.#out.take(),
      lines: this.#lines,
      points: this.#points,
      minTimestampMs: this.#minTimestampMs,
      maxTimestampMs: this.#maxTimestampMs,
      rejectedCount: this.#rejectedCount,
      rejections: this.#rejections,
    };
  }

  /** Lets go of the request, also of one that failed half-way. */
  end(): void {
    for (const labels of [this.base, this.labels]) labels.release();
    for (const text of [this.#name, this.#unit]) text.reset();
    this.#out.reset();
  }

  #startHead(kind: SeriesKind, suffix: Suffix): void {
    this.#closeLine();
    this.#lines++;
    const suffixIndex = SUFFIXES.indexOf(suffix);
    const kindIndex = KINDS.indexOf(kind);
    const at = suffixIndex * KINDS.length + kindIndex;
    const prefixes = this.#prefixes;
    if (this.#prefixEnd[at] === 0) {
      this.#prefixStart[at] = prefixes.length;
      prefixes.raw(NAME_KEY);
      prefixes.copy(this.#name.bytes, 0, this.#name.length);
      prefixes.raw(SUFFIX_BYTES[suffixIndex] as Uint8Array);
      prefixes.raw(KIND_KEYS[kindIndex] as Uint8Array);
      prefixes.copy(this.#unit.bytes, 0, this.#unit.length);
      prefixes.copy(this.#entity.bytes, 0, this.#entity.length);
      this.#prefixEnd[at] = prefixes.length;
    }
    this.#repeat(at, this.#prefixStart[at] as number, this.#prefixEnd[at] as number);
  }

  /** Writes a prefix: where it is that of the line before it is copied from there, which is faster than from another buffer. */
  #repeat(prefix: number, start: number, end: number): void {
    const out = this.#out;
    const { length } = out;
    if (prefix === this.#lastPrefix) {
      out.ensure(end - start).copyWithin(length, this.#lastPrefixAt, this.#lastPrefixAt + end - start);
      out.length += end - start;
    } else out.copy(this.#prefixes.bytes, start, end);
    this.#lastPrefix = prefix;
    this.#lastPrefixAt = length;
  }

  #closeLine(): void {
    if (this.#isLineOpen) this.#out.raw(LINE_END);
    this.#isLineOpen = false;
  }

  #forgetPrefixes(): void {
    this.#prefixes.length = 0;
    this.#prefixEnd.fill(0);
    this.#lastPrefix = -1;
  }
}
