/**
 * How a moment stands in a body: RFC 3339 text of 24 bytes, nanoseconds as fixed64, milliseconds as a varint of 6 bytes, or the
 * fields of a google.protobuf.Timestamp in 12 bytes.
 */
export type TimeForm = 'text' | 'nanos' | 'varint' | 'timestamp';

/** Writes a moment into prepared bytes, over a placeholder of the same length. */
export interface TimeWriter {
  /** Milliseconds since the epoch. */
  set(ms: number): void;
  /** Writes the moment that was set, `shiftMicros` earlier where the form is that fine. */
  write(bytes: Uint8Array, at: number, shiftMicros: number): void;
}

const ZERO = 48;
const TEXT_LENGTH = 24;
const MILLIS_LENGTH = 6;
const TIMESTAMP_LENGTH = 12;
const SECONDS_TAG = 0x08;
const NANOS_TAG = 0x10;

/** `YYYY-MM-DDTHH:MM:SS.mmmZ` as bytes; the date is written anew once a day only. */
export class TextTime implements TimeWriter {
  readonly bytes = Buffer.alloc(TEXT_LENGTH);
  #day = NaN;
  #ms = NaN;

  set(ms: number): void {
    if (ms === this.#ms) return;
    this.#ms = ms;
    const day = Math.floor(ms / 86_400_000);
    if (day !== this.#day) {
      this.#day = day;
      this.bytes.write(new Date(ms).toISOString(), 'latin1');
    }
    const inDay = ms - day * 86_400_000;
    this.#digits(11, Math.floor(inDay / 3_600_000));
    this.#digits(14, Math.floor(inDay / 60_000) % 60);
    this.#digits(17, Math.floor(inDay / 1000) % 60);
    this.bytes[20] = ZERO + (Math.floor(inDay / 100) % 10);
    this.#digits(21, inDay % 100);
  }

  write(bytes: Uint8Array, at: number): void {
    for (let i = 0; i < TEXT_LENGTH; i++) bytes[at + i] = this.bytes[i] as number;
  }

  #digits(at: number, value: number): void {
    this.bytes[at] = ZERO + Math.floor(value / 10);
    this.bytes[at + 1] = ZERO + Math.floor(value % 10);
  }
}

/** Nanoseconds since the epoch, little endian, as protobuf's fixed64; more than a double holds, so in two halves. */
export class NanosTime implements TimeWriter {
  #ms = NaN;
  #low = 0;
  #high = 0;

  set(ms: number): void {
    if (ms === this.#ms) return;
    this.#ms = ms;
    const nanos = BigInt(Math.floor(ms)) * 1_000_000n;
    this.#low = Number(nanos & 0xffff_ffffn);
    this.#high = Number(nanos >> 32n);
  }

  write(bytes: Uint8Array, at: number, shiftMicros: number): void {
    const low = this.#low - shiftMicros * 1000;
    const borrowed = Math.floor(low / 2 ** 32);
    writeUint32(bytes, at, low - borrowed * 2 ** 32);
    writeUint32(bytes, at + 4, this.#high + borrowed);
  }
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** A varint of exactly so many bytes: a small number has groups of zeros at its end, which the encoding allows. */
function writeVarint(bytes: Uint8Array, at: number, length: number, value: number): void {
  let rest = value;
  for (let i = 0; i < length; i++) {
    bytes[at + i] = (rest % 128) | (i < length - 1 ? 128 : 0);
    rest = Math.floor(rest / 128);
  }
}

/** Bytes that change with the millisecond only, copied to every place. */
class CopiedTime implements TimeWriter {
  readonly #bytes: Uint8Array;
  readonly #encode: (bytes: Uint8Array, ms: number) => void;
  #ms = NaN;

  constructor(length: number, encode: (bytes: Uint8Array, ms: number) => void) {
    this.#bytes = new Uint8Array(length);
    this.#encode = encode;
  }

  set(ms: number): void {
    if (ms === this.#ms) return;
    this.#ms = ms;
    this.#encode(this.#bytes, Math.floor(ms));
  }

  write(bytes: Uint8Array, at: number): void {
    const source = this.#bytes;
    for (let i = 0; i < source.length; i++) bytes[at + i] = source[i] as number;
  }
}

/** Six bytes until the year 2109. */
function encodeMillis(bytes: Uint8Array, ms: number): void {
  writeVarint(bytes, 0, MILLIS_LENGTH, ms);
}

function encodeTimestamp(bytes: Uint8Array, ms: number): void {
  const seconds = Math.floor(ms / 1000);
  bytes[0] = SECONDS_TAG;
  writeVarint(bytes, 1, 5, seconds);
  bytes[6] = NANOS_TAG;
  writeVarint(bytes, 7, 5, (ms - seconds * 1000) * 1_000_000);
}

const WRITERS: Record<TimeForm, () => TimeWriter> = {
  text: () => new TextTime(),
  nanos: () => new NanosTime(),
  varint: () => new CopiedTime(MILLIS_LENGTH, encodeMillis),
  timestamp: () => new CopiedTime(TIMESTAMP_LENGTH, encodeTimestamp),
};

export function createTimeWriter(form: TimeForm): TimeWriter {
  return WRITERS[form]();
}
