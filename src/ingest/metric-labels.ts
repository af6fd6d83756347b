import { isAscii } from 'node:buffer';
import { ByteWriter } from './byte-writer.ts';

/** Limits of one series' labels, in bytes where not counted. What breaks one is rejected whole: a cut value would merge series. */
export const MAX_LABELS = 64;
export const MAX_LABEL_NAME_BYTES = 255;
export const MAX_LABEL_VALUE_BYTES = 4096;
/** As JSON. Bounds what a small request can grow to: every line repeats the labels. */
export const MAX_LABELS_BYTES = 16 * 1024;

const COLON = 0x3a;
const COMMA = 0x2c;

/** Order of two names by their bytes: below, above, or 0. */
function compare(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): number {
  const shorter = Math.min(aEnd - aStart, bEnd - bStart);
  for (let k = 0; k < shorter; k++) {
    const difference = (a[aStart + k] as number) - (b[bStart + k] as number);
    if (difference !== 0) return difference;
  }
  return aEnd - aStart - (bEnd - bStart);
}

/**
 * Labels in ascending order of their names' UTF-8 bytes, each written as JSON when it is set. The last value of a name wins.
 * Reused from point to point: nothing is allocated per label.
 */
export class LabelSet {
  size = 0;
  /** Why the series cannot be stored, or "". */
  problem = '';
  readonly #names = new ByteWriter();
  readonly #json = new ByteWriter();
  /** Slots of the label columns below, in order of name. */
  readonly #order = new Uint8Array(MAX_LABELS);
  readonly #nameStart = new Uint32Array(MAX_LABELS);
  readonly #nameEnd = new Uint32Array(MAX_LABELS);
  readonly #start = new Uint32Array(MAX_LABELS);
  readonly #end = new Uint32Array(MAX_LABELS);

  clear(): void {
    this.size = 0;
    this.problem = '';
    this.#names.reset();
    this.#json.reset();
  }

  /** Sets a label from UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
  set(name: Uint8Array, nameStart: number, nameEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void {
    const bytes = nameEnd - nameStart;
    if (bytes === 0) this.problem ||= 'hold one without a name';
    else if (bytes > MAX_LABEL_NAME_BYTES) this.problem ||= `hold a name longer than ${MAX_LABEL_NAME_BYTES} bytes`;
    else if (valueEnd - valueStart > MAX_LABEL_VALUE_BYTES) {
      this.problem ||= `hold a value longer than ${MAX_LABEL_VALUE_BYTES} bytes`;
    } else if (this.problem === '') this.#set(name, nameStart, nameEnd, value, valueStart, valueEnd);
  }

  #set(name: Uint8Array, nameStart: number, nameEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void {
    const names = this.#names;
    const from = names.length;
    names.copy(name, nameStart, nameEnd);
    this.#normalise(from);
    const place = this.#placeOf(names.bytes, from, names.length);
    let slot = this.size;
    if (place >= 0) {
      if (slot === MAX_LABELS) {
        this.problem = `are more than ${MAX_LABELS}`;
        return;
      }
      this.#order.copyWithin(place + 1, place, slot);
      this.#order[place] = slot;
      this.#nameStart[slot] = from;
      this.#nameEnd[slot] = names.length;
      this.size++;
    } else slot = this.#order[-place - 1] as number;
    const json = this.#json;
    this.#start[slot] = json.length;
    json.string(names.bytes, from, names.length);
    json.byte(COLON);
    json.string(value, valueStart, valueEnd);
    this.#end[slot] = json.length;
    if (json.length > MAX_LABELS_BYTES) this.problem = `are longer than ${MAX_LABELS_BYTES} bytes`;
  }

  /** Names that differ only in what is not UTF-8 are one name, so it is replaced before they are compared. */
  #normalise(from: number): void {
    const written = this.#names.bytes.subarray(from, this.#names.length);
    if (isAscii(written)) return;
    const text = Buffer.from(Buffer.from(written).toString());
    this.#names.length = from;
    this.#names.raw(text);
  }

  /** Where a name belongs in the order, or minus that minus one where it stands already. Names mostly come sorted. */
  #placeOf(bytes: Uint8Array, start: number, end: number): number {
    let place = this.size;
    for (; place > 0; place--) {
      const slot = this.#order[place - 1] as number;
      const order = compare(this.#names.bytes, this.#nameStart[slot] as number, this.#nameEnd[slot] as number, bytes, start, end);
      if (order === 0) return -place;
      if (order < 0) return place;
    }
    return 0;
  }

  /**
   * Writes what `base` and this set hold as the inside of a JSON object, this set's value where both hold a name. A label
   * named `leftOut` is not written; returned is the index in `out` where what sorts behind it begins, comma first.
   */
  writeMerged(out: ByteWriter, base: LabelSet, leftOut: Uint8Array | null = null): number {
    const first = out.length;
    let split = -1;
    let i = 0;
    let j = 0;
    while (i < base.size || j < this.size) {
      const order = i === base.size ? 1 : j === this.size ? -1 : base.#compare(i, this, j);
      const set = order < 0 ? base : this;
      const slot = set.#order[order < 0 ? i : j] as number;
      if (order <= 0) i++;
      if (order >= 0) j++;
      if (leftOut !== null && split < 0) {
        const start = set.#nameStart[slot] as number;
        const side = compare(set.#names.bytes, start, set.#nameEnd[slot] as number, leftOut, 0, leftOut.length);
        if (side === 0) continue;
        if (side > 0) split = out.length;
      }
      if (out.length > first) out.byte(COMMA);
      out.copy(set.#json.bytes, set.#start[slot] as number, set.#end[slot] as number);
    }
    return split < 0 ? out.length : split;
  }

  #compare(place: number, other: LabelSet, otherPlace: number): number {
    const a = this.#order[place] as number;
    const b = other.#order[otherPlace] as number;
    const start = this.#nameStart[a] as number;
    const otherStart = other.#nameStart[b] as number;
    return compare(
      this.#names.bytes,
      start,
      this.#nameEnd[a] as number,
      other.#names.bytes,
      otherStart,
      other.#nameEnd[b] as number,
    );
  }
}
