import { IS_DIGIT } from './json-bytes.ts';
import { dayMs } from './rfc3339.ts';

const digits2 = (bytes: Uint8Array, at: number): number => (bytes[at] as number) * 10 + (bytes[at + 1] as number) - 528;

function allDigits(bytes: Uint8Array, at: number): boolean {
  return IS_DIGIT[bytes[at] as number] === 1 && IS_DIGIT[bytes[at + 1] as number] === 1;
}

/**
 * Reads the commonest spelling, `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, straight from bytes, remembering the last day.
 * Anything else is NaN and left to `parseRfc3339`, its plain twin.
 */
export class TimestampBytes {
  #dayKey = -1;
  #dayMs = 0;

  /** Milliseconds since the epoch, or NaN; `end` is the index of the closing quote. */
  parse(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < 20 || bytes[end - 1] !== 0x5a || bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d) return NaN;
    if (bytes[at + 10] !== 0x54 || bytes[at + 13] !== 0x3a || bytes[at + 16] !== 0x3a) return NaN;
    if (!allDigits(bytes, at) || !allDigits(bytes, at + 2) || !allDigits(bytes, at + 5) || !allDigits(bytes, at + 8)) return NaN;
    if (!allDigits(bytes, at + 11) || !allDigits(bytes, at + 14) || !allDigits(bytes, at + 17)) return NaN;
    const hour = digits2(bytes, at + 11);
    const minute = digits2(bytes, at + 14);
    const second = digits2(bytes, at + 17);
    if (hour > 23 || minute > 59 || second > 59) return NaN;
    const micros = end - at === 20 ? 0 : this.#micros(bytes, at + 19, end - 1);
    return this.#day(bytes, at) + (hour * 3_600_000 + minute * 60_000 + second * 1000) + micros / 1000;
  }

  #micros(bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] !== 0x2e || end === at + 1) return NaN;
    let micros = 0;
    let scale = 100_000;
    for (let p = at + 1; p < end; p++) {
      if (IS_DIGIT[bytes[p] as number] !== 1) return NaN;
      if (scale >= 1) micros += ((bytes[p] as number) - 48) * scale;
      scale = scale > 1 ? scale / 10 : 0;
    }
    return micros;
  }

  #day(bytes: Uint8Array, at: number): number {
    const year = digits2(bytes, at) * 100 + digits2(bytes, at + 2);
    const month = digits2(bytes, at + 5);
    const day = digits2(bytes, at + 8);
    const key = year * 10_000 + month * 100 + day;
    if (key !== this.#dayKey) {
      this.#dayMs = dayMs(year, month, day);
      this.#dayKey = key;
    }
    return this.#dayMs;
  }
}
