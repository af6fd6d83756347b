import { HeliosError } from '../../lib/errors.ts';

const scratch = new Uint8Array(8);
const view = new DataView(scratch.buffer);

/** Significant bytes of the big-endian float64 now in `scratch`: all but trailing zeros. */
function significantBytes(): number {
  let length = 8;
  while (length > 0 && scratch[length - 1] === 0) length--;
  return length;
}

/** Appends bytes, LEB128 varints and shortened float64s to a buffer that it reuses. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;

  reset(): void {
    this.#length = 0;
  }

  writeByte(byte: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = byte;
  }

  /** Any integer from 0 to 2^53 - 1. */
  writeVarint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.writeByte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.writeByte(rest);
  }

  /** A byte with both lengths, then both numbers without their trailing zero bytes. */
  writeDoubles(first: number, second: number): void {
    const lengthsAt = this.#length;
    this.writeByte(0);
    const firstLength = this.#writeDouble(first);
    this.#bytes[lengthsAt] = (firstLength << 4) | this.#writeDouble(second);
  }

  writeBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#bytes, 0, this.#length);
  }

  #writeDouble(value: number): number {
    view.setFloat64(0, value);
    const length = significantBytes();
    this.writeBytes(scratch.subarray(0, length));
    return length;
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe((this.#length + length) * 2);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Reads what `ByteWriter` wrote; past the end is `corrupt_data`. */
export class ByteReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;

  load(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#position = 0;
  }

  readByte(): number {
    if (this.#position >= this.#bytes.length) throw new HeliosError('corrupt_data', 'cannot read a rollup: it is cut short');
    return this.#bytes[this.#position++] as number;
  }

  readVarint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.readByte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  readDouble(length: number): number {
    scratch.fill(0);
    for (let i = 0; i < length; i++) scratch[i & 7] = this.readByte();
    return view.getFloat64(0);
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#position);
  }
}
