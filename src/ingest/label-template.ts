import { ByteWriter } from './byte-writer.ts';
import { MAX_LABELS } from './metric-labels.ts';
import type { LabelSet } from './metric-labels.ts';

const COMMA = 0x2c;
const COLON = 0x3a;

/** Up to this many bytes a loop is faster than the view that a copy by the engine needs. */
const SHORT_BYTES = 256;

function copyShort(out: ByteWriter, source: Uint8Array, start: number, end: number): void {
  if (end - start > SHORT_BYTES) {
    out.copy(source, start, end);
    return;
  }
  const bytes = out.ensure(end - start);
  let at = out.length;
  for (let p = start; p < end; p++) bytes[at++] = source[p] as number;
  out.length = at;
}

/**
 * The members of a `labels` object that holds a base set and a point's own labels (which win over the base's), sorted: what
 * stays the same from point to point is written once, and only the values of the point's own labels are filled in.
 */
export class LabelTemplate {
  /** What stands before each value, and behind the last. */
  readonly #text = new ByteWriter();
  readonly #textEnd = new Uint32Array(MAX_LABELS + 1);
  readonly #valueOf = new Uint8Array(MAX_LABELS);
  #values = 0;
  #split = 0;
  #baseVersion = -1;
  #shape = -1;
  #leftOut: Uint8Array | null = null;

  /**
   * Writes the members. A label named `leftOut` is not among them; returned is where in `out` those behind it begin, comma
   * first. The sets must be the same two at every call.
   */
  write(out: ByteWriter, own: LabelSet, base: LabelSet, leftOut: Uint8Array | null): number {
    const { shape } = own;
    if (shape !== this.#shape || base.version !== this.#baseVersion || leftOut !== this.#leftOut) {
      this.#shape = shape;
      this.#baseVersion = base.version;
      this.#leftOut = leftOut;
      this.#build(own, base, leftOut);
    }
    let split = out.length;
    let from = 0;
    for (let k = 0; k <= this.#values; k++) {
      const end = this.#textEnd[k] as number;
      if (this.#split >= from && (this.#split < end || k === this.#values)) split = out.length + this.#split - from;
      copyShort(out, this.#text.bytes, from, end);
      from = end;
      if (k === this.#values) break;
      const slot = this.#valueOf[k] as number;
      copyShort(out, own.values.bytes, own.valueStart[slot] as number, own.valueEnd[slot] as number);
    }
    return split;
  }

  #build(own: LabelSet, base: LabelSet, leftOut: Uint8Array | null): void {
    const text = this.#text;
    const ours = own.sorted();
    const theirs = base.sorted();
    text.length = 0;
    this.#values = 0;
    this.#split = -1;
    let i = 0;
    let j = 0;
    while (i < theirs.length || j < ours.length) {
      const order = this.#order(base, theirs[i], own, ours[j]);
      const set = order < 0 ? base : own;
      const slot = (order < 0 ? theirs[i] : ours[j]) as number;
      if (order <= 0) i++;
      if (order >= 0) j++;
      const side = leftOut === null ? -1 : set.compareName(slot, leftOut, 0, leftOut.length);
      if (side === 0) continue;
      if (side > 0 && this.#split < 0) this.#split = text.length;
      this.#addMember(set, slot, set === own);
    }
    this.#textEnd[this.#values] = text.length;
    if (this.#split < 0) this.#split = text.length;
  }

  #order(base: LabelSet, baseSlot: number | undefined, own: LabelSet, slot: number | undefined): number {
    if (baseSlot === undefined) return 1;
    return slot === undefined ? -1 : base.compareNames(baseSlot, own, slot);
  }

  #addMember(set: LabelSet, slot: number, isOwn: boolean): void {
    const text = this.#text;
    if (text.length > 0) text.byte(COMMA);
    text.string(set.names.bytes, set.nameStart[slot] as number, set.nameEnd[slot] as number);
    text.byte(COLON);
    if (isOwn) {
      this.#textEnd[this.#values] = text.length;
      this.#valueOf[this.#values++] = slot;
    } else text.copy(set.values.bytes, set.valueStart[slot] as number, set.valueEnd[slot] as number);
  }
}
