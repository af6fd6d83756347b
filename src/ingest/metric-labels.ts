import { ByteWriter } from './byte-writer.ts';

/** Limits of one series' labels, in bytes where not counted. What breaks one is rejected whole: a cut value would merge series. */
export const MAX_LABELS = 64;
export const MAX_LABEL_NAME_BYTES = 255;
export const MAX_LABEL_VALUE_BYTES = 4096;
/** Values as JSON. Bounds what a small request can grow to: every line repeats the labels. */
const MAX_LABELS_BYTES = 16 * 1024;

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
 * Labels in the order in which they are set; the last value of a name wins. Points that follow each other mostly have labels of
 * the same names, so names are kept from one filling to the next, and all that depends on them only (`shape`) with them.
 */
export class LabelSet {
  size = 0;
  /** Why the series cannot be stored, or "". */
  problem = '';
  /** Names, and values as JSON strings, of label 0 to `size` - 1. */
  readonly names = new ByteWriter();
  readonly values = new ByteWriter();
  readonly nameStart = new Uint32Array(MAX_LABELS);
  readonly nameEnd = new Uint32Array(MAX_LABELS);
  readonly valueStart = new Uint32Array(MAX_LABELS);
  readonly valueEnd = new Uint32Array(MAX_LABELS);
  /** Changes with every filling. */
  version = 0;
  #shape = 0;
  /** Labels whose names are known from this or the last filling. */
  #named = 0;
  #markedSize = 0;
  #markedProblem = '';

  clear(): void {
    this.size = 0;
    this.version++;
    this.problem = '';
    this.values.length = 0;
  }

  /** Remembers the labels as they are, for `rewind`. */
  mark(): void {
    this.#markedSize = this.size;
    this.#markedProblem = this.problem;
  }

  /** Takes away what was set since `mark`. */
  rewind(): void {
    this.size = this.#markedSize;
    this.version++;
    this.problem = this.#markedProblem;
    this.values.length = this.size === 0 ? 0 : (this.valueEnd[this.size - 1] as number);
  }

  /** Lets go of the request that the labels came from. */
  release(): void {
    this.clear();
    this.values.reset();
  }

  /** Changes whenever the names are other ones, or in another order. */
  get shape(): number {
    if (this.#named !== this.size) {
      this.#named = this.size;
      this.#shape++;
    }
    return this.#shape;
  }

  /** Sets a label from UTF-8 bytes; what is not UTF-8 becomes U+FFFD. */
  set(name: Uint8Array, nameStart: number, nameEnd: number, value: Uint8Array, valueStart: number, valueEnd: number): void {
    const bytes = nameEnd - nameStart;
    if (bytes === 0) this.problem ||= 'hold one without a name';
    else if (bytes > MAX_LABEL_NAME_BYTES) this.problem ||= `hold a name longer than ${MAX_LABEL_NAME_BYTES} bytes`;
    else if (valueEnd - valueStart > MAX_LABEL_VALUE_BYTES) {
      this.problem ||= `hold a value longer than ${MAX_LABEL_VALUE_BYTES} bytes`;
    } else if (this.size === MAX_LABELS) this.problem ||= `are more than ${MAX_LABELS}`;
    if (this.problem !== '') return;
    const slot = this.size++;
    this.version++;
    if (!this.#hasName(slot, name, nameStart, nameEnd)) this.#setName(slot, name, nameStart, nameEnd);
    this.valueStart[slot] = this.values.length;
    this.values.string(value, valueStart, valueEnd);
    this.valueEnd[slot] = this.values.length;
    if (this.values.length > MAX_LABELS_BYTES) this.problem = `are longer than ${MAX_LABELS_BYTES} bytes`;
  }

  /** Order of a label's name and a name of another set. */
  compareNames(slot: number, other: LabelSet, otherSlot: number): number {
    const start = other.nameStart[otherSlot] as number;
    return this.compareName(slot, other.names.bytes, start, other.nameEnd[otherSlot] as number);
  }

  compareName(slot: number, name: Uint8Array, start: number, end: number): number {
    return compare(this.names.bytes, this.nameStart[slot] as number, this.nameEnd[slot] as number, name, start, end);
  }

  /** Labels in ascending order of their names' UTF-8 bytes, of each name the last. By insertion: most come sorted. */
  sorted(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.size; slot++) {
      let place = slots.length;
      let order = -1;
      while (place > 0 && (order = this.compareNames(slots[place - 1] as number, this, slot)) > 0) place--;
      if (place > 0 && order === 0) slots[place - 1] = slot;
      else slots.splice(place, 0, slot);
    }
    return slots;
  }

  #hasName(slot: number, name: Uint8Array, start: number, end: number): boolean {
    if (slot >= this.#named) return false;
    const from = this.nameStart[slot] as number;
    if ((this.nameEnd[slot] as number) - from !== end - start) return false;
    const { bytes } = this.names;
    // From the end on: names of one request mostly begin alike.
    for (let k = end - start - 1; k >= 0; k--) if (bytes[from + k] !== name[start + k]) return false;
    return true;
  }

  #setName(slot: number, name: Uint8Array, start: number, end: number): void {
    const { names } = this;
    names.length = slot === 0 ? 0 : (this.nameEnd[slot - 1] as number);
    this.#named = slot + 1;
    this.#shape++;
    this.nameStart[slot] = names.length;
    names.copy(name, start, end);
    const written = names.bytes.subarray(this.nameStart[slot], names.length);
    if (written.some((byte) => byte >= 0x80)) {
      // Names that differ only in what is not UTF-8 are one name, so it is replaced before they are compared.
      const text = Buffer.from(Buffer.from(written).toString());
      names.length -= written.length;
      names.raw(text);
    }
    this.nameEnd[slot] = names.length;
  }
}
