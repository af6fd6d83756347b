/** Positions in order of descending score; ties keep their order. */
export function descending(scores: ArrayLike<number>): Uint32Array {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i);
  return order.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
}

/**
 * Average precision: sum over distinct scores of (R_k - R_(k-1)) P_k, ties together. Higher scores are more abnormal; a label other
 * than 0 is positive. NaN without a positive.
 */
export function averagePrecision(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = descending(scores);
  let positives = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i]) positives++;
  let hits = 0;
  let area = 0;
  for (let k = 0; k < order.length;) {
    const score = scores[order[k] as number];
    const before = hits;
    while (k < order.length && scores[order[k] as number] === score) if (labels[order[k++] as number]) hits++;
    area += ((hits - before) / positives) * (hits / k);
  }
  return positives === 0 ? NaN : area;
}

/** Area under the ROC curve by ranks (Mann-Whitney), ties counted half. NaN unless both classes occur. */
export function areaUnderRoc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const order = descending(scores);
  let positives = 0;
  let below = 0;
  let pairs = 0;
  for (let k = order.length; k > 0;) {
    const score = scores[order[k - 1] as number];
    let tiedPositives = 0;
    let tiedNegatives = 0;
    for (; k > 0 && scores[order[k - 1] as number] === score; k--) {
      if (labels[order[k - 1] as number]) tiedPositives++;
      else tiedNegatives++;
    }
    pairs += tiedPositives * (below + tiedNegatives / 2);
    positives += tiedPositives;
    below += tiedNegatives;
  }
  return positives === 0 || below === 0 ? NaN : pairs / (positives * below);
}
