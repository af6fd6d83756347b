/** First and last row, both included. */
export type RowSegment = readonly [first: number, last: number];

/** Stretches of rows whose mark is not 0; stretches with at most `gap` unmarked rows between them are one. */
export function segmentsOf(marks: ArrayLike<number>, gap = 0): RowSegment[] {
  const segments: [number, number][] = [];
  for (let i = 0; i < marks.length; i++) {
    if (!marks[i]) continue;
    const last = segments.at(-1);
    if (last && i - last[1] <= gap + 1) last[1] = i;
    else segments.push([i, i]);
  }
  return segments;
}
