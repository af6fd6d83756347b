import type { Endpoint } from './fleet.ts';
import type { MessageTemplate } from './message-template.ts';

/** Words of a hop's identity in `HopBuffer.ids`: trace (4), span (2), parent (2, both 0 for the first hop) and request (1). */
export const ID_WORDS = 9;
export const TRACE = 0;
export const SPAN = 4;
export const PARENT = 6;
export const REQUEST = 8;

/** Hops of requests as columns, one row each: what text and batches are made of. Rows 0..count-1 are valid. */
export class HopBuffer {
  count = 0;
  /** When the event is delivered, and what it says; whole milliseconds since the epoch. */
  deliveredMs = new Float64Array(64);
  timestampMs = new Float64Array(64);
  /** Milliseconds with two decimals. */
  latencyMs = new Float64Array(64);
  /** A level code of model/event.ts. */
  level = new Uint8Array(64);
  /** 1 when the request went to the endpoint's new path. */
  moved = new Uint8Array(64);
  /** 1 when the clock that stamped it was wrong. */
  skewed = new Uint8Array(64);
  ids = new Uint32Array(64 * ID_WORDS);
  readonly endpoints: Endpoint[] = [];
  readonly versions: string[] = [];
  readonly templates: MessageTemplate[] = [];
  readonly peers: string[] = [];

  /** A new last row, its columns not set. */
  add(): number {
    if (this.count === this.level.length) this.#grow();
    return this.count++;
  }

  /** A copy of a row of another buffer as the last row here, delivered at another time. */
  addCopy(from: HopBuffer, row: number, deliveredMs: number): void {
    const at = this.add();
    this.deliveredMs[at] = deliveredMs;
    this.timestampMs[at] = from.timestampMs[row] as number;
    this.latencyMs[at] = from.latencyMs[row] as number;
    this.level[at] = from.level[row] as number;
    this.moved[at] = from.moved[row] as number;
    this.skewed[at] = from.skewed[row] as number;
    for (let i = 0; i < ID_WORDS; i++) this.ids[at * ID_WORDS + i] = from.ids[row * ID_WORDS + i] as number;
    this.endpoints[at] = from.endpoints[row] as Endpoint;
    this.versions[at] = from.versions[row] as string;
    this.templates[at] = from.templates[row] as MessageTemplate;
    this.peers[at] = from.peers[row] as string;
  }

  #grow(): void {
    const size = 2 * this.level.length;
    const wider = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.deliveredMs = wider(new Float64Array(size), this.deliveredMs);
    this.timestampMs = wider(new Float64Array(size), this.timestampMs);
    this.latencyMs = wider(new Float64Array(size), this.latencyMs);
    this.level = wider(new Uint8Array(size), this.level);
    this.moved = wider(new Uint8Array(size), this.moved);
    this.skewed = wider(new Uint8Array(size), this.skewed);
    this.ids = wider(new Uint32Array(size * ID_WORDS), this.ids);
  }
}

/** Takes the rows of a buffer that are due, in order. */
export type HopSink = (hops: HopBuffer, row: number) => void;
