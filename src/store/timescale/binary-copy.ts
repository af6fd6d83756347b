import { CLOSE_BRACE, COMMA, OPEN_BRACE } from '../../model/json-bytes.ts';

/** PostgreSQL documentation, COPY, "Binary Format": signature, flags, length of the header's extension. */
export const COPY_HEADER = Uint8Array.of(0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0);
export const COPY_TRAILER = Uint8Array.of(0xff, 0xff);

const TWO_32 = 2 ** 32;
/** 2000-01-01, from which PostgreSQL counts microseconds. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const FIRST_BYTES = 64 * 1024;
/** What is kept for the next rows; more goes back to the system once it is used little. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** Up to here a loop copies faster than a call. */
const LOOP_BYTES = 96;

/**
 * Rows of binary COPY in one growing buffer. Whoever writes has reserved the room before: the methods do not check. All numbers
 * are big-endian, and every field has its length in four bytes before it.
 */
export class RowBytes {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  /** Bytes written. */
  length = 0;

  reserve(bytes: number): void {
    if (this.length + bytes > this.#bytes.length) this.#resize(Math.max(2 * this.#bytes.length, this.length + bytes));
  }

  /** The bytes from `start` to `end`, valid until more are reserved. */
  subarray(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  clear(): void {
    const used = this.length;
    this.length = 0;
    if (this.#bytes.length > KEPT_BYTES && used < this.#bytes.length / 8) this.#resize(KEPT_BYTES);
  }

  int16(value: number): void {
    this.#view.setInt16(this.length, value);
    this.length += 2;
  }

  int16Field(value: number): void {
    this.#view.setInt32(this.length, 2);
    this.#view.setInt16(this.length + 4, value);
    this.length += 6;
  }

  /** A bigint field of `high * 2^32 + low`. */
  int64Field(high: number, low: number): void {
    this.#view.setInt32(this.length, 8);
    this.#view.setInt32(this.length + 4, high);
    this.#view.setUint32(this.length + 8, low);
    this.length += 12;
  }

  /** A timestamptz field of milliseconds since 1970, to the microsecond. */
  timeField(ms: number): void {
    const micros = Math.round((ms - POSTGRES_EPOCH_MS) * 1000);
    const high = Math.floor(micros / TWO_32);
    this.int64Field(high, micros - high * TWO_32);
  }

  float64Field(value: number): void {
    this.#view.setInt32(this.length, 8);
    this.#view.setFloat64(this.length + 4, value);
    this.length += 12;
  }

  nullField(): void {
    this.#view.setInt32(this.length, -1);
    this.length += 4;
  }

  /** Bytes that are encoded fields already. */
  fields(bytes: Uint8Array): void {
    this.#copy(bytes, 0, bytes.length);
  }

  /** A text field of UTF-8. */
  textField(bytes: Uint8Array, start: number, end: number): void {
    this.#view.setInt32(this.length, end - start);
    this.length += 4;
    this.#copy(bytes, start, end);
  }

  stringField(text: string): void {
    const bytes = this.#bytes.write(text, this.length + 4, 'utf8');
    this.#view.setInt32(this.length, bytes);
    this.length += 4 + bytes;
  }

  /** A jsonb field of JSON text: format version 1 before it. */
  jsonField(bytes: Uint8Array, start: number, end: number): void {
    this.#jsonHead(end - start);
    this.#copy(bytes, start, end);
  }

  /** A jsonb field of an object whose members lie in pieces of this text, pairs of start and end; `length` bytes in all. */
  objectField(bytes: Uint8Array, pieces: readonly number[], length: number): void {
    this.#jsonHead(length);
    this.#bytes[this.length++] = OPEN_BRACE;
    for (let i = 0; i < pieces.length; i += 2) {
      if (i > 0) this.#bytes[this.length++] = COMMA;
      this.#copy(bytes, pieces[i] as number, pieces[i + 1] as number);
    }
    this.#bytes[this.length++] = CLOSE_BRACE;
  }

  #jsonHead(length: number): void {
    this.#view.setInt32(this.length, length + 1);
    this.#bytes[this.length + 4] = 1;
    this.length += 5;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const to = this.#bytes;
    let at = this.length;
    if (end - start <= LOOP_BYTES) for (let p = start; p < end; p++) to[at++] = bytes[p] as number;
    else to.set(bytes.subarray(start, end), at);
    this.length += end - start;
  }

  #resize(size: number): void {
    const grown = Buffer.allocUnsafeSlow(size);
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer, grown.byteOffset, grown.byteLength);
  }
}
