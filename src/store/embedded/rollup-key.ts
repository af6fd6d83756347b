/** Keys of rollup rows: the bucket's number since the epoch times 2^20 plus the entity's id. Fits 53 bits until year 9999. */
export const MAX_ENTITIES = 2 ** 20 - 1;
const ENTITY_SPAN = 2 ** 20;

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const SUB_WINDOWS_PER_MINUTE = 6;

export function rollupKey(bucketNumber: number, entity: number): number {
  return bucketNumber * ENTITY_SPAN + entity;
}

export function bucketOfKey(key: number): number {
  return Math.floor(key / ENTITY_SPAN);
}

export function entityOfKey(key: number): number {
  return key - bucketOfKey(key) * ENTITY_SPAN;
}
