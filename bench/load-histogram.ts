/** Buckets an octave: a value is known to 1/64. */
const SUB_BUCKETS = 64;
const OCTAVES = 40;

/** Log-linear histogram of times in microseconds (the layout of HdrHistogram): exact below 64, then 64 steps an octave. */
export class LoadHistogram {
  readonly #counts = new Float64Array(SUB_BUCKETS * OCTAVES);
  #total = 0;
  #maxMicros = 0;

  add(ms: number): void {
    const micros = Math.max(0, Math.round(ms * 1000));
    if (micros > this.#maxMicros) this.#maxMicros = micros;
    const octave = micros < SUB_BUCKETS ? 0 : 31 - Math.clz32(micros) - 5;
    const bucket = octave === 0 ? micros : octave * SUB_BUCKETS + Math.floor(micros / 2 ** (octave - 1)) - SUB_BUCKETS;
    this.#counts[Math.min(bucket, this.#counts.length - 1)]!++;
    this.#total++;
  }

  get total(): number {
    return this.#total;
  }

  maxMs(): number {
    return this.#maxMicros / 1000;
  }

  /** Nearest-rank quantile, milliseconds, rounded up to its bucket's end; 0 when empty. */
  quantileMs(q: number): number {
    const rank = Math.max(1, Math.ceil(q * this.#total));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= rank && count > 0) return Math.min(this.#maxMicros, upperMicros(bucket)) / 1000;
    }
    return 0;
  }
}

function upperMicros(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const octave = Math.floor(bucket / SUB_BUCKETS);
  return ((bucket % SUB_BUCKETS) + SUB_BUCKETS + 1) * 2 ** (octave - 1) - 1;
}
