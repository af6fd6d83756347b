import type { EventCursor } from './event-cursor.ts';
import { LAST_PLACE } from './event-cursor.ts';

export interface Found {
  timeMs: number;
  /** Number of events in the log before it. */
  place: number;
  line: string;
}

function newestFirst(a: Found, b: Found): number {
  return b.timeMs - a.timeMs || b.place - a.place;
}

/** Collects matches in any order and keeps the ones that the page can still hold: those after the cursor, newest first. */
export class EventPage {
  readonly #start: EventCursor;
  readonly #limit: number;
  #found: Found[] = [];

  constructor(start: EventCursor, limit: number) {
    this.#start = start;
    this.#limit = limit;
  }

  add(found: Found): void {
    const { timeMs, place, endPlace } = this.#start;
    if (found.place >= endPlace || found.timeMs > timeMs || (found.timeMs === timeMs && found.place >= place)) return;
    this.#found.push(found);
    if (this.#found.length > 2 * this.#limit + 1000) this.#trim();
  }

  /** Whether events at `timeMs` and before cannot change the page any more. */
  isFull(timeMs: number): boolean {
    if (this.#found.length <= this.#limit) return false;
    this.#trim();
    return (this.#found[this.#limit] as Found).timeMs > timeMs;
  }

  /** The page, once everything was added. */
  finish(): { items: Found[]; next: EventCursor | null } {
    this.#trim();
    const items = this.#found.slice(0, this.#limit);
    const last = this.#found.length > this.#limit ? items.at(-1) : undefined;
    return { items, next: last ? { ...this.#start, timeMs: last.timeMs, place: last.place } : null };
  }

  /** The page as far as it is certain while events at `timeMs` and before were not all looked at. */
  finishAbove(timeMs: number): { items: Found[]; next: EventCursor } {
    this.#found = this.#found.filter((found) => found.timeMs > timeMs);
    const { items, next } = this.finish();
    return { items, next: next ?? { ...this.#start, timeMs, place: LAST_PLACE } };
  }

  /** Keeps one more than the page holds, to see that there is more. */
  #trim(): void {
    this.#found.sort(newestFirst);
    if (this.#found.length > this.#limit + 1) this.#found.length = this.#limit + 1;
  }
}
