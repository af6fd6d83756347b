import { IS_DIGIT, skipNumber } from './json-bytes.ts';

const POWERS_OF_TEN = Array.from({ length: 17 }, (_, power) => 10 ** power);
const MAX_FAST_DIGITS = 16;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** Reads JSON numbers out of bytes, each exactly as `JSON.parse` would. */
export class NumberReader {
  /** The number read last. */
  value = 0;

  /**
   * Index after the number at `at`, or -1 when there is none. Digits that make an integer below 2^53 over a power of ten up to
   * 10^22 are correctly rounded by one division (Clinger, 1990); all others are left to `Number`.
   */
  read(bytes: Uint8Array, at: number): number {
    let p = bytes[at] === MINUS ? at + 1 : at;
    const first = p;
    let mantissa = 0;
    while (IS_DIGIT[bytes[p] as number] === 1) mantissa = mantissa * 10 + (bytes[p++] as number) - ZERO;
    let digits = p - first;
    if (digits === 0 || (bytes[first] === ZERO && digits > 1)) return -1;
    let decimals = 0;
    if (bytes[p] === POINT) {
      const fraction = ++p;
      while (IS_DIGIT[bytes[p] as number] === 1) mantissa = mantissa * 10 + (bytes[p++] as number) - ZERO;
      decimals = p - fraction;
      if (decimals === 0) return -1;
      digits += decimals;
    }
    const next = bytes[p];
    if (next === 0x65 || next === 0x45 || digits > MAX_FAST_DIGITS || mantissa >= 2 ** 53) return this.#readSlowly(bytes, at);
    const magnitude = decimals === 0 ? mantissa : mantissa / (POWERS_OF_TEN[decimals] as number);
    this.value = first === at ? magnitude : -magnitude;
    return p;
  }

  #readSlowly(bytes: Uint8Array, at: number): number {
    const end = skipNumber(bytes, at);
    if (end > 0) this.value = Number(Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString('latin1'));
    return end;
  }
}
