import type { RowError } from './errors.ts';

/** A row that is refused even when it comes alone, and why. */
export interface RefusedRow {
  row: number;
  error: RowError;
}

/** Tries to store the rows [from, to) and takes it back; the error when the server refuses them. */
export type TryRows = (from: number, to: number) => Promise<RowError | null>;

/**
 * Finds every row of `count` that the server refuses, by halving what is refused: about 2 log2(count) trials a row. Whatever else fails
 * rejects. Rows that are refused only together with others are not found.
 */
export async function findRefusedRows(count: number, tryRows: TryRows): Promise<RefusedRow[]> {
  const refused: RefusedRow[] = [];
  const search = async (from: number, to: number): Promise<void> => {
    if (from === to) return;
    const error = await tryRows(from, to);
    if (error === null) return;
    if (to - from === 1) {
      refused.push({ row: from, error });
      return;
    }
    const middle = Math.floor((from + to) / 2);
    await search(from, middle);
    await search(middle, to);
  };
  await search(0, count);
  return refused;
}
