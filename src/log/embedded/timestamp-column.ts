import type { ByteReader } from './byte-stream.ts';

const MS_PER_DAY = 86_400_000;
const DATE_BYTES = 10;
export const SECONDS_END = 19;

/**
 * A column of UTC times of one precision is stored as the number of fraction digits, then each time in ticks of that precision,
 * delta-coded. Returns a function that writes the next value into `target` at `at` and returns its end.
 */
export function readTimestamps(source: ByteReader): (target: Buffer, at: number) => number {
  const digits = source.byte();
  const scale = 10 ** digits;
  let ticks = 0;
  let day = NaN;
  let date = '';
  return (target, at) => {
    ticks += source.signedVarint();
    const seconds = Math.floor(ticks / scale);
    const today = Math.floor((seconds * 1000) / MS_PER_DAY);
    if (today !== day) {
      day = today;
      date = new Date(day * MS_PER_DAY).toISOString().slice(0, DATE_BYTES + 1);
    }
    target.write(date, at, 'latin1');
    const second = seconds - (day * MS_PER_DAY) / 1000;
    putDigits(target, at + 11, 2, Math.floor(second / 3600));
    target[at + 13] = 0x3a;
    putDigits(target, at + 14, 2, Math.floor(second / 60) % 60);
    target[at + 16] = 0x3a;
    putDigits(target, at + 17, 2, second % 60);
    const end = at + timestampBytes(digits);
    if (digits > 0) {
      target[at + SECONDS_END] = 0x2e;
      putDigits(target, at + SECONDS_END + 1, digits, ticks - seconds * scale);
    }
    target[end - 1] = 0x5a;
    return end;
  };
}

/** Length of a time with so many fraction digits. */
export function timestampBytes(digits: number): number {
  return SECONDS_END + 1 + (digits > 0 ? digits + 1 : 0);
}

function putDigits(target: Buffer, at: number, width: number, value: number): void {
  let rest = value;
  for (let i = at + width - 1; i >= at; i--) {
    target[i] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
