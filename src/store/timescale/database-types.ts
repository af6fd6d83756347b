/** Object identifiers of types whose text the drivers would otherwise hand out as it is (pg_type.dat). */
export const INT8_TYPE = 20;
export const NUMERIC_TYPE = 1700;
export const INT8_ARRAY_TYPE = 1016;
export const INT4_ARRAY_TYPE = 1007;

/** A number where it is exact, else a bigint. */
export function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** Sums of bigint come as numeric: counts, for which a double is enough. */
export function parseNumeric(text: string): number {
  return Number(text);
}
