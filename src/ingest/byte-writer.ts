import { escapeByte, replacement, utf8Sequence } from './json-escape.ts';
import { NOT_ACCOUNTED } from './pending-bytes.ts';
import type { MemoryAccount } from './pending-bytes.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const ZERO = 0x30;
const MINUS = 0x2d;
const BILLION = 1_000_000_000;
const TWO_32 = 2 ** 32;
/** From here on a copy by the engine is faster than a loop. */
const LONG_COPY_BYTES = 40;
/** Up to 2^53 - 1 in 16 digits, and its sign. */
const MAX_DIGITS = 17;
const MAX_DOUBLE_BYTES = 24;
const INITIAL_BYTES = 64 * 1024;
/** A buffer that grew further is accounted for while it grows, given away by `take`, and never kept. */
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

const EMPTY = new Uint8Array(0);
const SECONDS_PER_DAY = 86_400;
const HEX = Buffer.from('0123456789abcdef');
/** Both digits of a byte, the first in the low half. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, byte) => (HEX[byte >> 4] as number) | ((HEX[byte & 15] as number) << 8));
const BASE64 = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/** 1: stands for itself in a JSON string. 0: control byte, quote, backslash, or part of a longer UTF-8 sequence. */
const IS_PLAIN_ASCII = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/** One byte four times over, to look at four bytes at once. */
const HIGH_BITS = 0x80808080 | 0;
const SPACES = 0x20202020;
const QUOTES = 0x22222222;
const BACKSLASHES = 0x5c5c5c5c;
const ONES = 0x01010101;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/**
 * Appends JSON text to a buffer that it reuses, straight from the bytes of a request: no JavaScript string per value.
 * Sources are `Uint8Array`s with start and end indexes, which the caller has checked.
 */
export class ByteWriter {
  /** Owned by the writer; a hot loop may write into it between `ensure` and setting `length`. Replaced when it grows. */
  bytes: Uint8Array = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  length = 0;
  #view = viewOf(this.bytes);
  /** The source of the last string and a view of it; let go by `reset` and `take`, because it may be a large request. */
  #source: Uint8Array = EMPTY;
  #sourceView: DataView = viewOf(EMPTY);
  /** The last second that was written as a time, "YYYY-MM-DDTHH:MM:SS", and its day. */
  readonly #second = Buffer.from('1970-01-01T00:00:00');
  #secondKey = 0;
  #dayKey = 0;
  #memory = NOT_ACCOUNTED;
  #reservedBytes = 0;

  /** Starts over; what is written until the next `reset` or `take` is accounted for in `memory`, whose `reserve` may throw. */
  reset(memory: MemoryAccount = NOT_ACCOUNTED): void {
    this.length = 0;
    this.#readFrom(EMPTY);
    this.#memory = memory;
    this.#reservedBytes = 0;
    if (this.bytes.length > MAX_KEPT_BYTES) this.#replace(Buffer.allocUnsafeSlow(INITIAL_BYTES));
  }

  /** Makes room for `size` more bytes and returns the buffer. */
  ensure(size: number): Uint8Array {
    if (this.length + size > this.bytes.length) {
      const capacity = Math.max(2 * this.bytes.length, this.length + size);
      if (capacity > MAX_KEPT_BYTES) this.#reserve(capacity);
      const grown = Buffer.allocUnsafeSlow(capacity);
      grown.set(this.bytes.subarray(0, this.length));
      this.#replace(grown);
    }
    return this.bytes;
  }

  byte(value: number): void {
    this.ensure(1)[this.length++] = value;
  }

  /** Ends an array or object whose members each have a comma after them. */
  close(bracket: number): void {
    if (this.bytes[this.length - 1] === COMMA) this.bytes[this.length - 1] = bracket;
    else this.byte(bracket);
  }

  /** Copies bytes that are JSON already. */
  raw(source: Uint8Array): void {
    this.ensure(source.length).set(source, this.length);
    this.length += source.length;
  }

  copy(source: Uint8Array, start: number, end: number): void {
    const bytes = this.ensure(end - start);
    let at = this.length;
    this.length = at + end - start;
    if (end - start >= LONG_COPY_BYTES) bytes.set(source.subarray(start, end), at);
    else for (let p = start; p < end; p++) bytes[at++] = source[p] as number;
  }

  /**
   * A JSON string, quotes included, from UTF-8. Bytes that are not UTF-8 become U+FFFD, one for each maximal part of a
   * sequence as WHATWG decoders do: a protobuf string should not hold any, and one bad byte must not cost the record.
   */
  string(source: Uint8Array, start: number, end: number): void {
    this.byte(QUOTE);
    this.#content(source, start, end);
    this.byte(QUOTE);
  }

  /** Makes the string that was just written longer. */
  lengthen(source: Uint8Array, start: number, end: number): void {
    this.length--;
    this.#content(source, start, end);
    this.byte(QUOTE);
  }

  #content(source: Uint8Array, start: number, end: number): void {
    const bytes = this.ensure(end - start + 1);
    let at = this.length;
    let p = start;
    if (end - start >= 4) {
      if (source !== this.#source) this.#readFrom(source);
      const from = this.#sourceView;
      const to = this.#view;
      for (; p <= end - 4; p += 4) {
        const word = from.getInt32(p, true);
        // A byte under 0x20, or equal to the quote or backslash, borrows and so sets its high bit; other ASCII leaves it clear.
        const marks = word | (word - SPACES) | ((word ^ QUOTES) - ONES) | ((word ^ BACKSLASHES) - ONES);
        if ((marks & HIGH_BITS) !== 0) break;
        to.setInt32(at, word, true);
        at += 4;
      }
    }
    for (; p < end; p++) {
      const byte = source[p] as number;
      if (IS_PLAIN_ASCII[byte] === 0) break;
      bytes[at++] = byte;
    }
    this.length = at;
    if (p < end) this.#escaped(source, p, end);
  }

  /** A JSON string from a JavaScript string; lone surrogates become U+FFFD. */
  text(value: string): void {
    const bytes = this.ensure(value.length + 2);
    let at = this.length;
    bytes[at++] = QUOTE;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80 || IS_PLAIN_ASCII[code] === 0) {
        const utf8 = Buffer.from(value, 'utf8');
        this.string(utf8, 0, utf8.length);
        return;
      }
      bytes[at++] = code;
    }
    bytes[at++] = QUOTE;
    this.length = at;
  }

  /** An integer of magnitude below 2^53. */
  integer(value: number): void {
    const bytes = this.ensure(MAX_DIGITS);
    let rest = value;
    if (rest < 0) {
      bytes[this.length++] = MINUS;
      rest = -rest;
    }
    let digits = 1;
    for (let limit = 10; rest >= limit; limit *= 10) digits++;
    let at = (this.length += digits);
    for (; rest >= BILLION; rest = Math.floor(rest / 10)) bytes[--at] = ZERO + (rest % 10);
    for (let small = rest | 0; at > this.length - digits; small = (small / 10) | 0) bytes[--at] = ZERO + (small % 10);
  }

  /** A 64-bit two's complement integer from its halves, all digits kept. */
  signed64(low: number, high: number): void {
    const top = high | 0;
    if (top >= -0x20_0000 && top < 0x20_0000) this.integer(top * TWO_32 + (low >>> 0));
    else this.#digits(String(BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))));
  }

  /** A 64-bit unsigned integer from its halves, all digits kept. */
  unsigned64(low: number, high: number): void {
    if (high >>> 0 < 0x20_0000) this.integer((high >>> 0) * TWO_32 + (low >>> 0));
    else this.#digits(String((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)));
  }

  /** An integer of magnitude below 10^15 divided by a power of ten up to 10^6, exactly, without zeros at the end. */
  decimal(value: number, scale: number): void {
    const whole = Math.trunc(value / scale);
    let rest = Math.abs(value - whole * scale);
    if (whole === 0 && value < 0) this.byte(MINUS);
    this.integer(whole);
    if (rest === 0) return;
    const bytes = this.ensure(7);
    bytes[this.length++] = 0x2e;
    for (let unit = scale / 10; rest > 0; unit /= 10) {
      const digit = Math.floor(rest / unit);
      bytes[this.length++] = ZERO + digit;
      rest -= digit * unit;
    }
  }

  /** The shortest form that reads back as the same number; what JSON lacks is "NaN", "Infinity" or "-Infinity". */
  double(value: number): void {
    const thousandths = Math.round(value * 1000);
    if (Math.abs(thousandths) < 1e15 && thousandths / 1000 === value) this.decimal(thousandths, 1000);
    else if (Number.isFinite(value)) this.#digits(String(value));
    else this.text(String(value));
  }

  /**
   * A JSON string with the RFC 3339 time in UTC of an unsigned 64-bit count of nanoseconds since the epoch: always six
   * digits of fraction, because the log packs a column of times of one width; finer digits are cut.
   */
  timestamp(low: number, high: number): void {
    // The quotient of the rounded sum is at most one off; the low 32 bits of the exact remainder tell.
    let seconds = Math.floor(((high >>> 0) * TWO_32 + (low >>> 0)) / BILLION);
    let nanos = (low - Math.imul(seconds, BILLION)) | 0;
    if (nanos < 0) {
      nanos += BILLION;
      seconds--;
    } else if (nanos >= BILLION) {
      nanos -= BILLION;
      seconds++;
    }
    if (seconds !== this.#secondKey) this.#loadSecond(seconds);
    const bytes = this.ensure(29);
    let at = this.length;
    bytes[at++] = QUOTE;
    for (let i = 0; i < 19; i++) bytes[at++] = this.#second[i] as number;
    bytes[at] = 0x2e;
    let micros = (nanos / 1000) | 0;
    for (let i = 6; i > 0; i--) {
      bytes[at + i] = ZERO + (micros % 10);
      micros = (micros / 10) | 0;
    }
    bytes[at + 7] = 0x5a;
    bytes[at + 8] = QUOTE;
    this.length = at + 9;
  }

  /** A JSON string of lower-case hexadecimal digits. */
  hex(source: Uint8Array, start: number, end: number): void {
    const bytes = this.ensure(2 * (end - start) + 2);
    let at = this.length;
    bytes[at++] = QUOTE;
    for (let p = start; p < end; p++) {
      this.#view.setUint16(at, HEX_PAIRS[source[p] as number] as number, true);
      at += 2;
    }
    bytes[at++] = QUOTE;
    this.length = at;
  }

  /** A JSON string of base64 with padding (RFC 4648, section 4). */
  base64(source: Uint8Array, start: number, end: number): void {
    const bytes = this.ensure(4 * Math.ceil((end - start) / 3) + 2);
    let at = this.length;
    bytes[at++] = QUOTE;
    for (let p = start; p < end; p += 3) {
      const bits = ((source[p] as number) << 16) | ((p + 1 < end ? (source[p + 1] as number) : 0) << 8);
      const group = bits | (p + 2 < end ? (source[p + 2] as number) : 0);
      bytes[at++] = BASE64[group >> 18] as number;
      bytes[at++] = BASE64[(group >> 12) & 63] as number;
      bytes[at++] = p + 1 < end ? (BASE64[(group >> 6) & 63] as number) : 0x3d;
      bytes[at++] = p + 2 < end ? (BASE64[group & 63] as number) : 0x3d;
    }
    bytes[at++] = QUOTE;
    this.length = at;
  }

  /** What was written; valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** What was written, for the caller to keep; the writer starts over. */
  take(): Uint8Array {
    const written = this.view();
    if (this.bytes.length > MAX_KEPT_BYTES) {
      this.reset();
      return written;
    }
    this.#reserve(written.length);
    this.reset();
    return Buffer.from(written);
  }

  /** Accounts for a buffer of this size in the place of the last. */
  #reserve(bytes: number): void {
    this.#memory.reserve(bytes - this.#reservedBytes);
    this.#reservedBytes = bytes;
  }

  #readFrom(source: Uint8Array): void {
    this.#source = source;
    this.#sourceView = viewOf(source);
  }

  #replace(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#view = viewOf(bytes);
  }

  /** The rest of a string from its first byte on that is not plain. */
  #escaped(source: Uint8Array, start: number, end: number): void {
    let p = start;
    while (p < end) {
      // No escape is longer than six times its byte; room for a block at a time keeps the buffer near what is needed.
      const bytes = this.ensure(6 * 1024 + 8);
      const blockEnd = Math.min(end, p + 1024);
      let at = this.length;
      while (p < blockEnd) {
        const byte = source[p] as number;
        if (IS_PLAIN_ASCII[byte] === 1) {
          bytes[at++] = byte;
          p++;
        } else if (byte < 0x80) {
          at = escapeByte(bytes, at, byte);
          p++;
        } else {
          const sequence = utf8Sequence(source, p, end);
          for (let k = 0; k < sequence; k++) bytes[at++] = source[p + k] as number;
          if (sequence < 0) at = replacement(bytes, at);
          p += Math.abs(sequence);
        }
      }
      this.length = at;
    }
  }

  #digits(text: string): void {
    const bytes = this.ensure(MAX_DOUBLE_BYTES);
    for (let i = 0; i < text.length; i++) bytes[this.length++] = text.charCodeAt(i);
  }

  #loadSecond(seconds: number): void {
    const day = Math.floor(seconds / SECONDS_PER_DAY);
    if (day !== this.#dayKey) this.#second.write(new Date(day * SECONDS_PER_DAY * 1000).toISOString(), 0, 10, 'latin1');
    const rest = seconds - day * SECONDS_PER_DAY;
    const minutes = Math.floor(rest / 60);
    this.#twoDigits(11, Math.floor(minutes / 60));
    this.#twoDigits(14, minutes % 60);
    this.#twoDigits(17, rest % 60);
    this.#dayKey = day;
    this.#secondKey = seconds;
  }

  #twoDigits(at: number, value: number): void {
    this.#second[at] = ZERO + Math.floor(value / 10);
    this.#second[at + 1] = ZERO + (value % 10);
  }
}
