/** Points of one series as columns: times, values and starts of totals (NaN where not known), in milliseconds. Grows; meant to be reused. */
export class PointList {
  count = 0;
  times = new Float64Array(512);
  values = new Float64Array(512);
  starts = new Float64Array(512);

  clear(): void {
    this.count = 0;
  }

  push(time: number, value: number, start: number): void {
    this.reserve(1);
    const at = this.count++;
    this.times[at] = time;
    this.values[at] = value;
    this.starts[at] = start;
  }

  /** Makes room for `more` points behind those that are there. */
  reserve(more: number): void {
    if (this.count + more <= this.times.length) return;
    const length = (this.count + more) * 2;
    const { times, values, starts } = this;
    (this.times = new Float64Array(length)).set(times);
    (this.values = new Float64Array(length)).set(values);
    (this.starts = new Float64Array(length)).set(starts);
  }

  /** Orders points by time; of several at one time the last that was added stays. */
  settle(): void {
    if (this.#isAscending()) return;
    const { count, times, values, starts } = this;
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    order.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
    const kept = order.filter((at, i) => i === count - 1 || times[at] !== times[order[i + 1] as number]);
    const columns = [times, values, starts].map((column) => Float64Array.from(kept, (at) => column[at] as number));
    for (const [i, column] of [times, values, starts].entries()) column.set(columns[i] as Float64Array);
    this.count = kept.length;
  }

  /** First row at `time` or later, of points ordered by time. */
  lowerBound(time: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.times[middle] as number) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isAscending(): boolean {
    const { count, times } = this;
    for (let i = 1; i < count; i++) if ((times[i] as number) <= (times[i - 1] as number)) return false;
    return true;
  }
}
