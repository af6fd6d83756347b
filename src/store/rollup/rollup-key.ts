/**
 * Keys of rollup rows: the bucket's number since the epoch times 2^20 plus the stream's number. Fits 53 bits until year 9999.
 * An entity has two streams, which are never summed up together: its requests (native events, and spans that are requests),
 * numbered as the entity, and its log records, LOG_STREAM above that.
 */
export const MAX_ENTITIES = 2 ** 19 - 1;
export const LOG_STREAM = 2 ** 19;
const ENTITY_SPAN = 2 ** 20;

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const SUB_WINDOWS_PER_MINUTE = 6;

export function rollupKey(bucketNumber: number, stream: number): number {
  return bucketNumber * ENTITY_SPAN + stream;
}

export function bucketOfKey(key: number): number {
  return Math.floor(key / ENTITY_SPAN);
}

export function streamOfKey(key: number): number {
  return key - bucketOfKey(key) * ENTITY_SPAN;
}

export function isLogStream(stream: number): boolean {
  return stream >= LOG_STREAM;
}

export function entityOfStream(stream: number): number {
  return isLogStream(stream) ? stream - LOG_STREAM : stream;
}
