import { HeliosError } from '../../lib/errors.ts';

/** Appends little-endian numbers, LEB128 varints and bytes to a buffer that it reuses. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(64 * 1024);
  length = 0;

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `size` more bytes and returns the buffer; a hot loop writes into it from `length` and sets `length`. */
  reserve(size: number): Buffer {
    if (this.length + size > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.length + size));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    return this.#bytes;
  }

  byte(value: number): void {
    this.reserve(1)[this.length++] = value;
  }

  /** Any integer from 0 to 2^53 - 1. */
  varint(value: number): void {
    const bytes = this.reserve(8);
    let rest = value;
    while (rest > 0x7fffffff) {
      bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      bytes[this.length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    bytes[this.length++] = rest;
  }

  /** Any integer of magnitude below 2^52; small magnitudes of either sign are short. */
  signedVarint(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  double(value: number): void {
    this.reserve(8).writeDoubleLE(value, this.length);
    this.length += 8;
  }

  bytes(value: Uint8Array): void {
    this.reserve(value.length).set(value, this.length);
    this.length += value.length;
  }

  /** Length, then UTF-8. */
  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.varint(bytes.length);
    this.bytes(bytes);
  }

  /** What was written; valid until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }
}

/** Reads what ByteWriter wrote; throws `corrupt_data` past the end. */
export class ByteReader {
  readonly source: Buffer;
  position = 0;

  constructor(source: Uint8Array) {
    this.source = Buffer.from(source.buffer, source.byteOffset, source.length);
  }

  byte(): number {
    return this.source[this.#take(1)] as number;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new HeliosError('corrupt_data', 'cannot decode block: a number is too long');
  }

  signedVarint(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  double(): number {
    return this.source.readDoubleLE(this.#take(8));
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#take(length);
    return this.source.subarray(start, start + length);
  }

  text(): string {
    return this.bytes(this.varint()).toString('utf8');
  }

  #take(length: number): number {
    const start = this.position;
    if (start + length > this.source.length) throw new HeliosError('corrupt_data', 'cannot decode block: it ends too early');
    this.position = start + length;
    return start;
  }
}
