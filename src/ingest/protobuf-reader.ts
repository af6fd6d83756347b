import { HeliosError } from '../lib/errors.ts';

/** Wire types (Protocol Buffers, "Encoding"); a tag is the field number times 8 plus one of these. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const GROUP_START = 3;
const GROUP_END = 4;
const FIXED32 = 5;

const MAX_VARINT_BYTES = 10;
const MAX_GROUP_DEPTH = 32;
const TWO_32 = 2 ** 32;
const EMPTY = new Uint8Array(0);

/**
 * A cursor over one protobuf message. Nothing is allocated per field: the caller switches on `tag()` and reads the value
 * in place, or skips it.
 *
 *     for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
 *       if (tag === 10) { const outer = reader.enter(); …fields of the inner message…; reader.leave(outer); }
 *       else reader.skip(tag);
 *     }
 *
 * Every read is checked against the end of the message that was entered last. Malformed bytes throw `invalid_body`. A field
 * of an unexpected wire type has another tag and is skipped like an unknown one, as the reference parsers do.
 */
export class ProtobufReader {
  bytes: Uint8Array = EMPTY;
  /** Index of the next byte to read; may be set to any value that `range` or `position` gave before. */
  position = 0;
  /** End of the message that was entered last. */
  limit = 0;
  /** Halves of the last varint or fixed64, unsigned 32 bits each. */
  low = 0;
  high = 0;
  #view: DataView = new DataView(EMPTY.buffer);
  #message = '';

  /** Starts over; `message` is the name that errors carry. */
  begin(bytes: Uint8Array, message: string): void {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#message = message;
    this.position = 0;
    this.limit = bytes.length;
  }

  /** Lets go of the bytes. */
  end(): void {
    this.begin(EMPTY, '');
  }

  /** Field number times 8 plus wire type of the next field; 0 at the end of the message. */
  tag(): number {
    const { position } = this;
    if (position >= this.limit) return 0;
    const first = this.bytes[position] as number;
    if (first >= 128) return this.#longTag();
    if (first < 8) this.fail('a field has the number 0');
    this.position = position + 1;
    return first;
  }

  /** Reads a varint into `low` and `high`; returns it as an unsigned number, exact up to 2^53. */
  varint(): number {
    const { position } = this;
    if (position < this.limit) {
      const first = this.bytes[position] as number;
      if (first < 128) {
        this.position = position + 1;
        this.low = first;
        this.high = 0;
        return first;
      }
    }
    return this.#longVarint();
  }

  /** Reads a varint as an int32 or enum: its low 32 bits, signed. */
  int32(): number {
    this.varint();
    return this.low | 0;
  }

  /** Reads a varint as a sint32 (zigzag). */
  sint32(): number {
    this.varint();
    return (this.low >>> 1) ^ -(this.low & 1);
  }

  fixed32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Reads 64 bits into `low` and `high`; returns them as an unsigned number, exact up to 2^53. */
  fixed64(): number {
    const at = this.#take(8);
    this.low = this.#view.getUint32(at, true);
    this.high = this.#view.getUint32(at + 4, true);
    return this.high * TWO_32 + this.low;
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  /** Reads a length: afterwards the bytes lie between `position` and the returned end. The caller moves `position` on. */
  range(): number {
    const length = this.varint();
    if (length > this.limit - this.position) this.fail('a length passes the end of its message');
    return this.position + length;
  }

  /** Enters an embedded message or a packed field; returns what `leave` has to be given. */
  enter(): number {
    const end = this.range();
    const outer = this.limit;
    this.limit = end;
    return outer;
  }

  /** Goes on behind the message that was entered last. */
  leave(outer: number): void {
    this.position = this.limit;
    this.limit = outer;
  }

  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.varint();
        return;
      case FIXED64:
        this.#take(8);
        return;
      case LENGTH_DELIMITED:
        this.position = this.range();
        return;
      case GROUP_START:
        this.#skipGroup(tag >>> 3, 1);
        return;
      case FIXED32:
        this.#take(4);
        return;
      default:
        this.fail((tag & 7) === GROUP_END ? 'a group ends that did not start' : `there is no wire type ${tag & 7}`);
    }
  }

  fail(reason: string): never {
    throw new HeliosError('invalid_body', `cannot read ${this.#message}: at byte ${this.position}, ${reason}`);
  }

  #take(size: number): number {
    const at = this.position;
    if (size > this.limit - at) this.fail('a number passes the end of its message');
    this.position = at + size;
    return at;
  }

  #longTag(): number {
    this.#longVarint();
    if (this.high !== 0) this.fail('a field number is over 2^29');
    if (this.low < 8) this.fail('a field has the number 0');
    return this.low;
  }

  #longVarint(): number {
    const { bytes, limit } = this;
    const end = Math.min(limit, this.position + MAX_VARINT_BYTES);
    let at = this.position;
    let low = 0;
    let high = 0;
    for (let shift = 0; at < end; shift += 7) {
      const byte = bytes[at++] as number;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 128) {
        this.position = at;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return this.high * TWO_32 + this.low;
      }
    }
    return this.fail(at === limit ? 'a varint passes the end of its message' : 'a varint is longer than 10 bytes');
  }

  #skipGroup(field: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) this.fail(`groups nest deeper than ${MAX_GROUP_DEPTH}`);
    for (;;) {
      const tag = this.tag();
      if (tag === 0) this.fail('a group does not end');
      if ((tag & 7) === GROUP_START) this.#skipGroup(tag >>> 3, depth + 1);
      else if ((tag & 7) !== GROUP_END) this.skip(tag);
      else if (tag >>> 3 === field) return;
      else this.fail('a group ends that did not start');
    }
  }
}
