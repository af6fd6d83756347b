/**
 * Names and the small ids that rows hold in their place, from 1 up. Past `capacity` names every further one shares the
 * id of "other", so that hostile input cannot grow it without bound. New names stay pending until a commit has stored them.
 */
export class Dictionary {
  readonly #ids = new Map<string, number>();
  readonly #capacity: number;
  #nextId = 1;
  #pending: { id: number; name: string }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Takes what is stored, in place of everything known. */
  load(rows: Iterable<{ id: number; name: string }>): void {
    this.#ids.clear();
    this.#pending = [];
    this.#nextId = 1;
    for (const { id, name } of rows) {
      this.#ids.set(name, id);
      this.#nextId = Math.max(this.#nextId, id + 1);
    }
  }

  idOf(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    if (this.#ids.size >= this.#capacity && name !== 'other') return this.idOf('other');
    const id = this.#nextId++;
    this.#ids.set(name, id);
    this.#pending.push({ id, name });
    return id;
  }

  /** Names that no commit has stored yet. */
  pending(): readonly { id: number; name: string }[] {
    return this.#pending;
  }

  /** Called once a commit has stored the pending names. */
  settle(): void {
    this.#pending = [];
  }
}
