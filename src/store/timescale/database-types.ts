/** Object identifiers of types whose text the drivers would otherwise hand out as it is (pg_type.dat). */
const INT8 = 20;
const INT8_ARRAY = 1016;
const NUMERIC = 1700;

/** A number where it is exact, else a bigint. */
function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** Of one dimension, such as "{1,NULL,3}". */
function parseInt8Array(text: string): (number | bigint | null)[] {
  if (text === '{}') return [];
  return text
    .slice(1, -1)
    .split(',')
    .map((element) => (element === 'NULL' ? null : parseInt8(element)));
}

/** How the text of an answer becomes a value, by type. Sums of bigint come as numeric: counts, for which a double is enough. */
export const TEXT_PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [INT8, parseInt8],
  [INT8_ARRAY, parseInt8Array],
  [NUMERIC, Number],
]);
