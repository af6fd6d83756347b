/**
 * A column of float64 as bits, lossless, in the shortest of three forms:
 *
 *     constant   mode, 64 bits
 *     integers   mode, 3 bits scale, 1 bit order, 5 bits k; the first number times its scale, for order 2 also the first
 *                difference, as float64; then differences (order 1) or differences of differences (order 2), zigzag, as
 *                Exp-Golomb codes of order k; ESCAPE is followed by the number as float64
 *     xor        mode; the first number, then per number 0 for the same again, or 1 and its XOR with the one before: 0 and the
 *                bits inside the last window, or 1, 6 bits leading zeros, 6 bits length - 1, and the bits
 *
 * Differences of differences and XOR are those of Gorilla (Pelkonen et al., VLDB 2015, section 4.1); scaled integers serve times
 * of any regularity, counters, and readings with few decimals alike.
 */
import { HeliosError } from '../../lib/errors.ts';
import type { BitReader, BitWriter } from '../rollup/bit-stream.ts';

const MODE_BITS = 2;
const CONSTANT = 0;
const INTEGERS = 1;
const XOR = 2;
/** 4096: a time in milliseconds of this century that stems from nanoseconds is a whole number of these. */
const SCALES = [1, 10, 100, 1000, 1e4, 4096] as const;
const SCALE_BITS = 3;
const K_BITS = 5;
const MAX_K = 24;
const ESCAPE = 2 ** 31;
/** Sums of two stay exact. */
const MAX_DIFFERENCE = 2 ** 51;
const WINDOW_BITS = 6;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Index of the word with sign and exponent. */
const HIGH = new Uint8Array(new Float64Array([-0]).buffer)[7] === 0x80 ? 1 : 0;
const LOW = 1 - HIGH;

let scaled = new Float64Array(1024);
const costsOfOrder = [new Uint32Array(33), new Uint32Array(33)];

function writeFloat(out: BitWriter, value: number): void {
  float[0] = value;
  out.write(words[HIGH] as number, 32);
  out.write(words[LOW] as number, 32);
}

function readFloat(input: BitReader): number {
  words[HIGH] = input.read(32);
  words[LOW] = input.read(32);
  return float[0] as number;
}

function isConstant(values: Float64Array, count: number): boolean {
  const first = values[0] as number;
  for (let i = 1; i < count; i++) if (!Object.is(values[i], first)) return false;
  return true;
}

/** Fills `scaled`; false when a number is not a whole number of 1 / scale. */
function fitsScale(values: Float64Array, count: number, scale: number): boolean {
  for (let i = 0; i < count; i++) {
    const value = values[i] as number;
    const whole = Math.round(value * scale);
    if (whole / scale !== value || Math.abs(whole) > Number.MAX_SAFE_INTEGER || Object.is(value, -0)) return false;
    scaled[i] = whole;
  }
  return true;
}

function zigzag(difference: number): number {
  return difference >= 0 ? 2 * difference : -2 * difference - 1;
}

/** Codes by bit length for both orders; false when a difference is too large to be exact. */
function countLengths(count: number): boolean {
  const [first, second] = costsOfOrder as [Uint32Array, Uint32Array];
  first.fill(0);
  second.fill(0);
  let last = 0;
  for (let i = 1; i < count; i++) {
    const difference = (scaled[i] as number) - (scaled[i - 1] as number);
    if (Math.abs(difference) > MAX_DIFFERENCE) return false;
    const once = zigzag(difference);
    const twice = zigzag(difference - last);
    last = difference;
    const length = once >= ESCAPE ? 32 : 32 - Math.clz32(once);
    first[length] = (first[length] as number) + 1;
    if (i === 1) continue;
    const twiceLength = twice >= ESCAPE ? 32 : 32 - Math.clz32(twice);
    second[twiceLength] = (second[twiceLength] as number) + 1;
  }
  return true;
}

/** The cheapest order of Exp-Golomb codes for numbers of these bit lengths, and about how many bits it takes. */
function cheapest(lengths: Uint32Array): { k: number; bits: number } {
  let longest = 32;
  while (longest > 0 && lengths[longest] === 0) longest--;
  let best = { k: 0, bits: Infinity };
  for (let k = 0; k <= Math.min(longest, MAX_K); k++) {
    let bits = 0;
    for (let length = 0; length <= longest; length++) {
      const width = Math.max(length, k + 1) + (length === k + 1 ? 0.5 : 0);
      bits += (lengths[length] as number) * (2 * width - 1 - k);
    }
    if (bits < best.bits) best = { k, bits };
  }
  return best;
}

function writeCode(out: BitWriter, code: number, k: number): void {
  if (code < ESCAPE) {
    out.writeExpGolomb(code, k);
    return;
  }
  out.writeExpGolomb(ESCAPE, k);
  writeFloat(out, code);
}

function writeIntegers(out: BitWriter, count: number, scale: number): boolean {
  if (!countLengths(count)) return false;
  const first = cheapest(costsOfOrder[0] as Uint32Array);
  const second = cheapest(costsOfOrder[1] as Uint32Array);
  const order = count > 2 && second.bits + 64 < first.bits ? 2 : 1;
  const { k } = order === 1 ? first : second;
  out.write(INTEGERS, MODE_BITS);
  out.write(scale, SCALE_BITS);
  out.write(order - 1, 1);
  out.write(k, K_BITS);
  writeFloat(out, scaled[0] as number);
  let last = 0;
  if (order === 2) writeFloat(out, (last = (scaled[1] as number) - (scaled[0] as number)));
  for (let i = order; i < count; i++) {
    const difference = (scaled[i] as number) - (scaled[i - 1] as number);
    writeCode(out, zigzag(difference - last), k);
    if (order === 2) last = difference;
  }
  return true;
}

function writeXor(out: BitWriter, values: Float64Array, count: number): void {
  out.write(XOR, MODE_BITS);
  writeFloat(out, values[0] as number);
  let high = words[HIGH] as number;
  let low = words[LOW] as number;
  let start = 64;
  let length = 0;
  for (let i = 1; i < count; i++) {
    float[0] = values[i] as number;
    const highXor = ((words[HIGH] as number) ^ high) >>> 0;
    const lowXor = ((words[LOW] as number) ^ low) >>> 0;
    high = words[HIGH] as number;
    low = words[LOW] as number;
    out.write(highXor === 0 && lowXor === 0 ? 0 : 1, 1);
    if (highXor === 0 && lowXor === 0) continue;
    const leading = highXor === 0 ? 32 + Math.clz32(lowXor) : Math.clz32(highXor);
    const end = lowXor === 0 ? 32 - trailingZeros(highXor) : 64 - trailingZeros(lowXor);
    const isInside = leading >= start && end <= start + length;
    out.write(isInside ? 0 : 1, 1);
    if (!isInside) {
      start = leading;
      length = end - start;
      out.write(start, WINDOW_BITS);
      out.write(length - 1, WINDOW_BITS);
    }
    writeWindow(out, highXor, lowXor, start, length);
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Bits [start, start + length) of the 64, most significant first. */
function writeWindow(out: BitWriter, high: number, low: number, start: number, length: number): void {
  const end = start + length;
  if (start < 32) {
    const width = Math.min(32, end) - start;
    const bits = high >>> (32 - start - width);
    out.write(width === 32 ? bits : bits & (2 ** width - 1), width);
  }
  if (end > 32) {
    const width = end - Math.max(32, start);
    const bits = low >>> (64 - end);
    out.write(width === 32 ? bits : bits & (2 ** width - 1), width);
  }
}

/** Appends the first `count` numbers of a column, at least one. */
export function writeColumn(out: BitWriter, values: Float64Array, count: number): void {
  if (isConstant(values, count)) {
    out.write(CONSTANT, MODE_BITS);
    writeFloat(out, values[0] as number);
    return;
  }
  if (count > scaled.length) scaled = new Float64Array(count * 2);
  const scale = SCALES.findIndex((candidate) => fitsScale(values, count, candidate));
  if (scale < 0 || !writeIntegers(out, count, scale)) writeXor(out, values, count);
}

function readIntegers(input: BitReader, values: Float64Array, from: number, count: number): void {
  const scale = SCALES[input.read(SCALE_BITS)];
  if (scale === undefined) throw new HeliosError('corrupt_data', 'cannot read a chunk of points: unknown scale');
  const isSecondOrder = input.read(1) === 1;
  const k = input.read(K_BITS);
  let value = readFloat(input);
  let difference = isSecondOrder ? readFloat(input) : 0;
  values[from] = value / scale;
  let i = 1;
  if (isSecondOrder) values[from + i++] = (value += difference) / scale;
  for (; i < count; i++) {
    let code = input.readExpGolomb(k);
    if (code === ESCAPE) code = readFloat(input);
    const step = code % 2 === 0 ? code / 2 : -(code + 1) / 2;
    if (isSecondOrder) value += difference += step;
    else value += step;
    values[from + i] = value / scale;
  }
}

function readXor(input: BitReader, values: Float64Array, from: number, count: number): void {
  values[from] = readFloat(input);
  let high = words[HIGH] as number;
  let low = words[LOW] as number;
  let start = 0;
  let length = 0;
  for (let i = 1; i < count; i++) {
    if (input.read(1) === 1) {
      if (input.read(1) === 1) {
        start = input.read(WINDOW_BITS);
        length = input.read(WINDOW_BITS) + 1;
      }
      const end = start + length;
      if (length === 0 || end > 64) throw new HeliosError('corrupt_data', 'cannot read a chunk of points: bad window');
      if (start < 32) {
        const width = Math.min(32, end) - start;
        high ^= input.read(width) << (32 - start - width);
      }
      if (end > 32) low ^= input.read(end - Math.max(32, start)) << (64 - end);
    }
    words[HIGH] = high;
    words[LOW] = low;
    values[from + i] = float[0] as number;
  }
}

/** Reads `count` numbers into `values[from, from + count)`. */
export function readColumn(input: BitReader, values: Float64Array, from: number, count: number): void {
  const mode = input.read(MODE_BITS);
  if (mode === CONSTANT) values.fill(readFloat(input), from, from + count);
  else if (mode === INTEGERS) readIntegers(input, values, from, count);
  else if (mode === XOR) readXor(input, values, from, count);
  else throw new HeliosError('corrupt_data', 'cannot read a chunk of points: unknown form');
}
