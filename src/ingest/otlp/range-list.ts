/** Where the values of a repeated field stand in the request: start and end indexes, reused from record to record. */
export class RangeList {
  #ranges = new Uint32Array(64);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  add(start: number, end: number): void {
    if (2 * this.count === this.#ranges.length) {
      const grown = new Uint32Array(2 * this.#ranges.length);
      grown.set(this.#ranges);
      this.#ranges = grown;
    }
    this.#ranges[2 * this.count] = start;
    this.#ranges[2 * this.count + 1] = end;
    this.count++;
  }

  start(index: number): number {
    return this.#ranges[2 * index] as number;
  }

  end(index: number): number {
    return this.#ranges[2 * index + 1] as number;
  }
}
