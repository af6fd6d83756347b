const VARINT = 0;
const LENGTH_DELIMITED = 2;
const INITIAL_BYTES = 256;
const TWO_32 = 2 ** 32;

/**
 * Writes one protobuf message, field by field, for answers: small, and not on the path of every event. Numbers and strings at
 * their default are left out, as proto3 does.
 */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;

  /** An unsigned number up to 2^53, or an enum. */
  uint(field: number, value: number): this {
    if (value === 0) return this;
    this.#tag(field, VARINT);
    this.#varint(value);
    return this;
  }

  bool(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0);
  }

  string(field: number, value: string): this {
    return value === '' ? this : this.message(field, Buffer.from(value, 'utf8'));
  }

  /** Bytes, or an embedded message that is encoded already; written also when empty. */
  message(field: number, bytes: Uint8Array): this {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(bytes.length);
    this.#ensure(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** What was written; the writer is not used again. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    this.#ensure(10);
    let rest = value;
    for (; rest >= TWO_32; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 128;
    let low = rest >>> 0;
    for (; low >= 128; low >>>= 7) this.#bytes[this.#length++] = (low & 127) | 128;
    this.#bytes[this.#length++] = low;
  }

  #ensure(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
