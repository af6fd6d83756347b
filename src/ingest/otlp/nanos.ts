/** Halves of the nanoseconds since the epoch, unsigned 32 bits each, of whole milliseconds. */
export function nanosOf(ms: number): { low: number; high: number } {
  const nanos = BigInt(Math.trunc(ms)) * 1_000_000n;
  return { low: Number(BigInt.asUintN(32, nanos)), high: Number(BigInt.asUintN(32, nanos >> 32n)) };
}
