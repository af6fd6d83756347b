import type { ByteWriter } from './byte-stream.ts';
import { SECONDS_END, timestampBytes } from './timestamp-column.ts';

/** Ticks of a microsecond since the epoch still fit a double; finer times stay text. */
const MAX_FRACTION_DIGITS = 6;
/** Ticks and their differences stay below this, so that a signed varint holds them exactly. */
const MAX_TICKS = 2 ** 52;
const DATE_BYTES = 10;

/** Midnight of "YYYY-MM-DD" in ms when the date exists, else NaN. */
function midnightOf(date: string): number {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return NaN;
  const ms = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(ms) && ms >= 0 && new Date(ms).toISOString().startsWith(date) ? ms : NaN;
}

/** Remembers the last date, so that parsing a time is a few digits. */
class TimestampParser {
  readonly #date = new Uint8Array(DATE_BYTES);
  #midnightSeconds = NaN;

  /** Ticks of 10^-digits s of "YYYY-MM-DDTHH:MM:SS.fffZ" in exactly that form, else NaN. */
  parse(source: Buffer, start: number, digits: number): number {
    for (let i = 0; i < DATE_BYTES; i++) {
      if (source[start + i] !== this.#date[i]) {
        source.copy(this.#date, 0, start, start + DATE_BYTES);
        this.#midnightSeconds = midnightOf(source.toString('latin1', start, start + DATE_BYTES)) / 1000;
        break;
      }
    }
    const hours = twoDigits(source, start + 11);
    const minutes = twoDigits(source, start + 14);
    const seconds = twoDigits(source, start + 17);
    const end = start + timestampBytes(digits);
    if (hours > 23 || minutes > 59 || seconds > 59) return NaN;
    if (source[start + 10] !== 0x54 || source[start + 13] !== 0x3a || source[start + 16] !== 0x3a) return NaN;
    if (source[end - 1] !== 0x5a || (digits > 0 && source[start + SECONDS_END] !== 0x2e)) return NaN;
    let ticks = this.#midnightSeconds + hours * 3600 + minutes * 60 + seconds;
    for (let i = start + SECONDS_END + 1; i < end - 1; i++) {
      const digit = (source[i] as number) - 48;
      if (digit < 0 || digit > 9) return NaN;
      ticks = ticks * 10 + digit;
    }
    return ticks < MAX_TICKS ? ticks : NaN;
  }
}

/** 0..99, or 100 when these are not two digits. */
function twoDigits(source: Buffer, at: number): number {
  const tens = (source[at] as number) - 48;
  const ones = (source[at + 1] as number) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : 100;
}

/**
 * Writes a column of UTC times of one precision as the number of fraction digits and delta-coded ticks.
 * Returns false, with `out` as it was, when a value would not come back byte for byte.
 */
export function writeTimestamps(out: ByteWriter, source: Buffer, starts: Uint32Array, ends: Uint32Array, count: number): boolean {
  const length = (ends[0] as number) - (starts[0] as number);
  const digits = length <= SECONDS_END + 1 ? 0 : length - SECONDS_END - 2;
  if (length !== timestampBytes(digits) || digits > MAX_FRACTION_DIGITS) return false;
  const parser = new TimestampParser();
  const rollback = out.length;
  out.byte(digits);
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const start = starts[i] as number;
    const ticks = (ends[i] as number) - start === length ? parser.parse(source, start, digits) : NaN;
    if (Number.isNaN(ticks)) {
      out.length = rollback;
      return false;
    }
    out.signedVarint(ticks - previous);
    previous = ticks;
  }
  return true;
}
