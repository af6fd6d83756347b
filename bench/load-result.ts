import type { LoadAnswer } from './load-channel.ts';
import { LoadHistogram } from './load-histogram.ts';

export interface LoadResult {
  door: string;
  batch: number;
  connections: number;
  /** Events a second asked for; 0 is as fast as the answers come. */
  rate: number;
  eventsPerSecond: number;
  bytesPerEvent: number;
  p50Ms: number;
  p90Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Events or points that the server has taken, warm-up included. */
  acknowledged: number;
  /** Requests that got another answer, and that got none. */
  notStored: number;
  netErrors: number;
  firstError: string | null;
  measuredSeconds: number;
  /** Processor time of the client over the measured time. */
  clientCpuSeconds: number;
}

/** What came of one stretch of a run. */
export interface LoadReport {
  door: string;
  events: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Requests that were not stored, of the whole run so far. */
  failures: number;
}

/** Counts answers; those outside `[fromMs, toMs)` of the monotonic clock count as acknowledged and nothing else. */
export class LoadMeter {
  readonly histogram = new LoadHistogram();
  acknowledged = 0;
  measuredEvents = 0;
  notStored = 0;
  netErrors = 0;
  firstError: string | null = null;
  #stretch = new LoadHistogram();
  #stretchEvents = 0;
  readonly #fromMs: number;
  readonly #toMs: number;

  constructor(fromMs: number, toMs: number) {
    this.#fromMs = fromMs;
    this.#toMs = toMs;
  }

  answered({ outcome, text }: LoadAnswer, events: number, latencyMs: number, nowMs: number): void {
    if (outcome !== 'stored') {
      this.notStored++;
      this.firstError ??= text.slice(0, 300);
      return;
    }
    this.acknowledged += events;
    if (nowMs < this.#fromMs || nowMs >= this.#toMs) return;
    this.measuredEvents += events;
    this.histogram.add(latencyMs);
    this.#stretchEvents += events;
    this.#stretch.add(latencyMs);
  }

  /** What was measured since the last call. */
  takeReport(door: string): LoadReport {
    const stretch = this.#stretch;
    const events = this.#stretchEvents;
    this.#stretch = new LoadHistogram();
    this.#stretchEvents = 0;
    const [p50Ms, p99Ms] = [stretch.quantileMs(0.5), stretch.quantileMs(0.99)];
    return { door, events, p50Ms, p99Ms, maxMs: stretch.maxMs(), failures: this.notStored + this.netErrors };
  }

  failed(error: Error): void {
    this.netErrors++;
    this.firstError ??= error.message;
  }
}
