/**
 * Rows of the rollup tables: up to six sums (the 10 s sub-windows of a minute) or one (an hour) in one blob.
 *
 *     mask        1 byte, bit i: sum i is there
 *     per sum     varints count, errors, latencies; when there are latencies, one byte with the lengths of the next
 *                 two (high and low half), then sum and square sum as big-endian float64 without trailing zero bytes
 *     endpoints   varint number, then ascending: varint id difference and, when mask is not 1, a byte like mask
 *     histograms  one bit stream: per sum with latencies 3 bits gap order, 5 bits count order, 11 bits first bucket;
 *                 then Exp-Golomb of (count - 1) and of (gap - 1), in turn, until the counts add up to the latencies
 *
 * At 23 events a sub-window this takes about 240 bytes a minute; varint pairs would take three times that.
 */
import { HeliosError } from '../../lib/errors.ts';
import { HISTOGRAM_BUCKETS } from '../../model/histogram.ts';
import { BitReader, BitWriter } from './bit-stream.ts';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import type { RollupSum } from './rollup-sum.ts';

const FIRST_BUCKET_BITS = 11;
const GAP_ORDER_BITS = 3;
const COUNT_ORDER_BITS = 5;
const MAX_GAP_ORDER = 7;
/** Keeps every code within 32 bits. */
const MAX_COUNT_ORDER = 24;

const bytesOut = new ByteWriter();
const bitsOut = new BitWriter();
const bytesIn = new ByteReader();
const bitsIn = new BitReader();

/** The order at which Exp-Golomb is shortest for values of this mean. */
function orderOf(total: number, count: number, limit: number): number {
  if (count === 0) return 0;
  return Math.min(limit, 31 - Math.clz32(Math.max(1, (0.7 * total) / count)));
}

function writeHistogram(sum: RollupSum): void {
  const { histogram, low, high } = sum;
  let distinct = 0;
  for (let bucket = low; bucket <= high; bucket++) if (histogram[bucket] !== 0) distinct++;
  const gapOrder = orderOf(high - low - (distinct - 1), distinct - 1, MAX_GAP_ORDER);
  const countOrder = orderOf(sum.latencyCount - distinct, distinct, MAX_COUNT_ORDER);
  bitsOut.write(gapOrder, GAP_ORDER_BITS);
  bitsOut.write(countOrder, COUNT_ORDER_BITS);
  bitsOut.write(low, FIRST_BUCKET_BITS);
  bitsOut.writeExpGolomb((histogram[low] as number) - 1, countOrder);
  let last = low;
  for (let bucket = low + 1; bucket <= high; bucket++) {
    const count = histogram[bucket] as number;
    if (count === 0) continue;
    bitsOut.writeExpGolomb(bucket - last - 1, gapOrder);
    bitsOut.writeExpGolomb(count - 1, countOrder);
    last = bucket;
  }
}

function writeEndpoints(sums: readonly RollupSum[], mask: number): void {
  const masks = new Map<number, number>();
  for (const [slot, sum] of sums.entries()) {
    for (const id of sum.endpoints) masks.set(id, (masks.get(id) ?? 0) | (1 << slot));
  }
  bytesOut.writeVarint(masks.size);
  let last = 0;
  for (const id of [...masks.keys()].sort((a, b) => a - b)) {
    bytesOut.writeVarint(id - last);
    if (mask !== 1) bytesOut.writeByte(masks.get(id) as number);
    last = id;
  }
}

/** The blob of up to six sums; those without events take no room. */
export function encodeRollups(sums: readonly RollupSum[]): Uint8Array {
  bytesOut.reset();
  bitsOut.reset();
  const present = sums.map((sum) => sum.count > 0);
  const mask = present.reduce((bits, there, slot) => (there ? bits | (1 << slot) : bits), 0);
  bytesOut.writeByte(mask);
  for (const sum of sums) {
    if (sum.count === 0) continue;
    bytesOut.writeVarint(sum.count);
    bytesOut.writeVarint(sum.errorCount);
    bytesOut.writeVarint(sum.latencyCount);
    if (sum.latencyCount > 0) bytesOut.writeDoubles(sum.latencySum, sum.latencySquareSum);
  }
  writeEndpoints(sums, mask);
  for (const sum of sums) if (sum.latencyCount > 0) writeHistogram(sum);
  bytesOut.writeBytes(bitsOut.finish());
  return bytesOut.finish();
}

function readHistogram(target: RollupSum | null | undefined, total: number): void {
  const gapOrder = bitsIn.read(GAP_ORDER_BITS);
  const countOrder = bitsIn.read(COUNT_ORDER_BITS);
  let bucket = bitsIn.read(FIRST_BUCKET_BITS);
  for (let seen = 0; ;) {
    const count = bitsIn.readExpGolomb(countOrder) + 1;
    if (bucket >= HISTOGRAM_BUCKETS || count <= 0) throw new HeliosError('corrupt_data', 'cannot read a rollup: bad histogram');
    target?.addToHistogram(bucket, count);
    seen += count;
    if (seen >= total) return;
    bucket += bitsIn.readExpGolomb(gapOrder) + 1;
  }
}

/** Which parts of a row a reader needs; counts and sums are always read. */
export interface RollupParts {
  endpoints: boolean;
  histogram: boolean;
}

export const ALL_PARTS: RollupParts = { endpoints: true, histogram: true };

const latencyCounts = new Float64Array(8);

/** Adds the sums of a blob to the targets of the same index; null skips one. */
export function decodeRollups(blob: Uint8Array, targets: readonly (RollupSum | null)[], parts: RollupParts): void {
  bytesIn.load(blob);
  const mask = bytesIn.readByte();
  for (let slot = 0; slot < 8; slot++) {
    latencyCounts[slot] = 0;
    if ((mask & (1 << slot)) !== 0) readNumbers(slot, targets[slot] ?? null);
  }
  if (!parts.endpoints && !parts.histogram) return;
  let id = 0;
  for (let left = bytesIn.readVarint(); left > 0; left--) {
    id += bytesIn.readVarint();
    const seenIn = mask === 1 ? 1 : bytesIn.readByte();
    if (!parts.endpoints) continue;
    for (let slot = 0; slot < targets.length; slot++) if ((seenIn & (1 << slot)) !== 0) targets[slot]?.addEndpoint(id);
  }
  if (!parts.histogram) return;
  bitsIn.load(bytesIn.rest());
  for (let slot = 0; slot < 8; slot++) {
    const total = latencyCounts[slot] as number;
    if (total > 0) readHistogram(targets[slot], total);
  }
}

function readNumbers(slot: number, target: RollupSum | null): void {
  const count = bytesIn.readVarint();
  const errors = bytesIn.readVarint();
  const latencies = bytesIn.readVarint();
  latencyCounts[slot] = latencies;
  const lengths = latencies > 0 ? bytesIn.readByte() : 0;
  const sum = bytesIn.readDouble(lengths >> 4);
  const squareSum = bytesIn.readDouble(lengths & 15);
  if (!target) return;
  target.count += count;
  target.errorCount += errors;
  target.latencyCount += latencies;
  target.latencySum += sum;
  target.latencySquareSum += squareSum;
}
