/** The last values of something, oldest overwritten first. Plain data. */
export interface Ring {
  values: Float32Array;
  /** Values held. */
  size: number;
  /** Where the next value goes. */
  next: number;
}

export function createRing(capacity: number): Ring {
  return { values: new Float32Array(capacity), size: 0, next: 0 };
}

export function pushRing(ring: Ring, value: number): void {
  ring.values[ring.next] = value;
  ring.next = (ring.next + 1) % ring.values.length;
  if (ring.size < ring.values.length) ring.size++;
}

/** The values of a ring, ascending, in a scratch array that the next call overwrites. */
export function sortedRing(ring: Ring): Float32Array {
  const scratch = SCRATCH.subarray(0, ring.size);
  scratch.set(ring.values.subarray(0, ring.size));
  return scratch.sort();
}

/** Quantile of ascending values, by linear interpolation (Hyndman and Fan 1996, type 7); NaN when there are none. */
export function quantileOf(sorted: Float32Array, share: number): number {
  if (sorted.length === 0) return NaN;
  const position = share * (sorted.length - 1);
  const left = Math.floor(position);
  const low = sorted[left] as number;
  const high = sorted[Math.min(left + 1, sorted.length - 1)] as number;
  return low + (position - left) * (high - low);
}

const MAX_CAPACITY = 1024;
const SCRATCH = new Float32Array(MAX_CAPACITY);
