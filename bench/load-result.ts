import { LoadHistogram } from './load-histogram.ts';

export interface LoadResult {
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
  /** Events with a 2xx answer, warm-up included. */
  acknowledged: number;
  /** Requests that got another answer, and that got none. */
  non2xx: number;
  netErrors: number;
  firstError: string | null;
  measuredSeconds: number;
  /** Processor time of the client over the measured time. */
  clientCpuSeconds: number;
}

/** Counts answers; those outside `[fromMs, toMs)` of the monotonic clock count as acknowledged and nothing else. */
export class LoadMeter {
  readonly histogram = new LoadHistogram();
  acknowledged = 0;
  measuredEvents = 0;
  non2xx = 0;
  netErrors = 0;
  firstError: string | null = null;
  readonly #fromMs: number;
  readonly #toMs: number;

  constructor(fromMs: number, toMs: number) {
    this.#fromMs = fromMs;
    this.#toMs = toMs;
  }

  answered(status: number, body: string, events: number, latencyMs: number, nowMs: number): void {
    if (status < 200 || status > 299) {
      this.non2xx++;
      this.firstError ??= `${status} ${body.slice(0, 300)}`;
      return;
    }
    this.acknowledged += events;
    if (nowMs < this.#fromMs || nowMs >= this.#toMs) return;
    this.measuredEvents += events;
    this.histogram.add(latencyMs);
  }

  failed(error: Error): void {
    this.netErrors++;
    this.firstError ??= error.message;
  }
}
