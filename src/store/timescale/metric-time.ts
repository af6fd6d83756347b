/**
 * Times of points as timestamptz: whole microseconds between these, milliseconds since the epoch. What is outside could not be asked for
 * (ECMA-262, section 21.4.1.1) or not be stored (PostgreSQL begins in 4714 BC): such points are not kept, but their series is.
 */
export const FIRST_TIME_MS = -2e14;
export const LAST_TIME_MS = 8.64e15;

/** 2000-01-01, where PostgreSQL's microseconds begin. */
const POSTGRES_EPOCH_MICROS = 946_684_800_000_000;
const TWO_32 = 2 ** 32;

export function isStorableTime(ms: number): boolean {
  return ms >= FIRST_TIME_MS && ms <= LAST_TIME_MS;
}

/** The time that the database will answer for this one. */
export function storedTime(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Seconds for `to_timestamp`, at or after `ms`: what is compared by >= and < with them falls as with `ms` itself. */
export function boundarySeconds(ms: number): number {
  const bounded = Math.min(LAST_TIME_MS + 1, Math.max(FIRST_TIME_MS - 1, ms));
  return Math.ceil(bounded * 1000) / 1_000_000;
}

/** A time in PostgreSQL's binary format, as milliseconds since the epoch. */
export function readTime(view: DataView, at: number): number {
  return (view.getInt32(at) * TWO_32 + view.getUint32(at + 4) + POSTGRES_EPOCH_MICROS) / 1000;
}
