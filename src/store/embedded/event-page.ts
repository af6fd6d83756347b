import type { EventCursor } from './event-cursor.ts';

export interface Found {
  timeMs: number;
  /** Offset of the block it was found in, and its rank among the candidates there. */
  blockOffset: number;
  rank: number;
  line: string;
}

function newestFirst(a: Found, b: Found): number {
  return b.timeMs - a.timeMs || b.blockOffset - a.blockOffset || b.rank - a.rank;
}

/** Collects matches in any order and keeps the ones that the page can still hold: those after the cursor, newest first. */
export class EventPage {
  readonly #start: EventCursor;
  readonly #limit: number;
  /** What must be known to fill the page: what earlier pages hold of the first instant, the page, and one to see that there is more. */
  readonly #needed: number;
  #found: Found[] = [];

  constructor(start: EventCursor, limit: number) {
    this.#start = start;
    this.#limit = limit;
    this.#needed = start.skip + limit + 1;
  }

  add(found: Found): void {
    if (found.timeMs > this.#start.timeMs) return;
    this.#found.push(found);
    if (this.#found.length > 2 * this.#needed + 1000) this.#trim();
  }

  /** Whether events at `timeMs` and before cannot change the page any more. */
  isFull(timeMs: number): boolean {
    if (this.#found.length < this.#needed) return false;
    this.#trim();
    return (this.#found[this.#needed - 1] as Found).timeMs > timeMs;
  }

  /** The page, once everything was added. */
  finish(): { items: Found[]; next: EventCursor | null } {
    this.#trim();
    const end = this.#start.skip + this.#limit;
    return { items: this.#found.slice(this.#start.skip, end), next: this.#found.length > end ? this.#cursorAfter(end) : null };
  }

  /** The page as far as it is certain while events at `timeMs` and before, from `blockOffset` on, were not looked at. */
  finishAbove(timeMs: number, blockOffset: number): { items: Found[]; next: EventCursor } {
    this.#found = this.#found.filter((found) => found.timeMs > timeMs);
    const { items, next } = this.finish();
    return { items, next: next ?? { ...this.#start, timeMs, skip: 0, blockOffset } };
  }

  #cursorAfter(end: number): EventCursor {
    const last = this.#found[end - 1] as Found;
    const skip = this.#found.slice(0, end).filter(({ timeMs }) => timeMs === last.timeMs).length;
    return { timeMs: last.timeMs, skip, endOffset: this.#start.endOffset, blockOffset: last.blockOffset };
  }

  #trim(): void {
    this.#found.sort(newestFirst);
    if (this.#found.length > this.#needed) this.#found.length = this.#needed;
  }
}
