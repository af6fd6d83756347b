import type { Names } from '../../model/event-batch.ts';
import type { NameTable } from '../../model/name-table.ts';

/** Numbers for names, from 1 on, that outlive the scanner whose batches they came from; 0 once the table is full. */
export class SpanNames {
  readonly #capacity: number;
  readonly #names: string[];
  readonly #numbers: Map<string, number>;
  readonly #caches = new WeakMap<Names, number[]>();

  constructor(capacity: number, names: readonly string[] = []) {
    this.#capacity = capacity;
    this.#names = [...names];
    this.#numbers = new Map(names.map((name, index) => [name, index + 1]));
  }

  /** In order of their numbers. */
  get all(): readonly string[] {
    return this.#names;
  }

  name(number: number): string {
    return this.#names[number - 1] ?? '';
  }

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#names.length >= this.#capacity) return 0;
    const number = this.#names.push(name);
    this.#numbers.set(name, number);
    return number;
  }

  /** Number of the name with this id in `table`, which belongs to `names`; one table of `names` for one object of this class. */
  numberOfId(names: Names, table: NameTable, id: number): number {
    if (id === 0) return 0;
    let cache = this.#caches.get(names);
    if (!cache) this.#caches.set(names, (cache = []));
    const known = cache[id];
    if (known !== undefined) return known;
    return (cache[id] = this.numberOf(table.name(id)));
  }
}
