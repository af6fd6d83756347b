const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/** Delay before retry number `failures` (1 for the first), milliseconds: 1 s, 2 s, 4 s … up to a minute. */
export function backoffMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
}
