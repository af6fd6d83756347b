/**
 * AC@k of one fault from scored candidates: the share of ways to order ties in which a true cause is among the first k
 * (protocol, item 9). With several true causes the best placed one counts.
 */
export function answerCredit(
  candidates: ReadonlyMap<string, number>,
  isCause: (candidate: string) => boolean,
  k: number,
): number {
  let best = -Infinity;
  for (const [name, score] of candidates) if (isCause(name)) best = Math.max(best, score);
  if (best === -Infinity) return 0;
  let above = 0;
  let tied = 0;
  let causes = 0;
  for (const [name, score] of candidates) {
    if (score > best) above++;
    else if (score === best) {
      tied++;
      if (isCause(name)) causes++;
    }
  }
  const places = Math.min(tied, Math.max(0, k - above));
  // No true cause among `places` of `tied` drawn without replacement.
  let none = 1;
  for (let i = 0; i < places; i++) none *= Math.max(0, tied - causes - i) / (tied - i);
  return 1 - none;
}

/** AC@1 .. AC@5 of one fault. */
export function answerCredits(candidates: ReadonlyMap<string, number>, isCause: (candidate: string) => boolean): number[] {
  return [1, 2, 3, 4, 5].map((k) => answerCredit(candidates, isCause, k));
}
