const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/**
 * MurmurHash2 (Appleby) as Kafka's default partitioner computes it (its murmur2), so that whoever
 * produces with an entity's name as key finds the same partition. A signed 32-bit number.
 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const whole = length & ~3;
  let hash = SEED ^ length;
  for (let i = 0; i < whole; i += 4) {
    let word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  if (length > whole) {
    for (let i = length - 1; i >= whole; i--) hash ^= (bytes[i] as number) << (8 * (i - whole));
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** Partition of a record with this key among `partitions`. */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** Partition of an entity by its id (model/entity.ts): of its events, and of the metrics that it sends. */
export function partitionOfEntity(name: string, partitions: number): number {
  return partitionOfKey(Buffer.from(name), partitions);
}

/** Partition of a trace by the hash of its id (model/id-hash.ts), whose two halves are given. */
export function partitionOfTrace(low: number, high: number, partitions: number): number {
  return ((low ^ high) >>> 0) % partitions;
}
