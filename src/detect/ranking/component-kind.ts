/** `transit`: passes calls on and does no work of its own (load balancer, gateway, client or remote stub). */
export type ComponentKind = 'service' | 'transit';

/** Share of a call's time that a transit component may spend itself. */
const MAX_SELF_TIME = 0.1;
/** Least rank correlation with the callee. */
const MIN_CORRELATION = 0.9;
const MIN_ROWS = 30;

function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] as number) - (values[b] as number));
  const result = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to++;
    for (let i = from; i < to; i++) result[order[i] as number] = (from + to - 1) / 2;
    from = to;
  }
  return result;
}

/** Spearman's rank correlation of rows where both are numbers; 0 when either is constant or rows are few. */
export function rankCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const rows = Math.min(a.length, b.length);
  const x: number[] = [];
  const y: number[] = [];
  for (let i = 0; i < rows; i++) {
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) continue;
    x.push(a[i] as number);
    y.push(b[i] as number);
  }
  if (x.length < MIN_ROWS) return 0;
  const [rankX, rankY] = [ranks(x), ranks(y)];
  const centre = (x.length - 1) / 2;
  let [both, ofX, ofY] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const dx = (rankX[i] as number) - centre;
    const dy = (rankY[i] as number) - centre;
    both += dx * dy;
    ofX += dx * dx;
    ofY += dy * dy;
  }
  return ofX === 0 || ofY === 0 ? 0 : both / Math.sqrt(ofX * ofY);
}

/**
 * A component is transit by behaviour when, in normal rows, the time spent in it follows that in its only callee and is hardly
 * longer. Both: total time per row (mean duration times calls), so a cache or a batcher in front is not mistaken for a stub.
 */
export function isTransit(own: ArrayLike<number>, callee: ArrayLike<number>): boolean {
  let [ownTotal, calleeTotal] = [0, 0];
  for (let i = 0; i < Math.min(own.length, callee.length); i++) {
    if (!Number.isFinite(own[i]) || !Number.isFinite(callee[i])) continue;
    ownTotal += own[i] as number;
    calleeTotal += callee[i] as number;
  }
  const selfTime = ownTotal <= 0 ? 1 : Math.abs(ownTotal - calleeTotal) / ownTotal;
  return selfTime <= MAX_SELF_TIME && rankCorrelation(own, callee) >= MIN_CORRELATION;
}
