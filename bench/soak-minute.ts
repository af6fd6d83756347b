import { appendFileSync } from 'node:fs';
import { diskUsage } from './disk-usage.ts';
import type { LoadReport } from './load-result.ts';
import { openDescriptors, residentBytes } from './process-usage.ts';
import { getSelfMetrics } from './server-api.ts';

/** The state of the server at the end of a stretch of a soak, and the answers in it. */
export interface SoakMinute {
  seconds: number;
  /** Resident memory, median of samples. */
  megabytes: number;
  peakMegabytes: number;
  /** Live JavaScript heap as the server's own metrics have it; NaN where they have none. */
  heapMegabytes: number;
  descriptors: number;
  /** Everything in the data directory. */
  storedMegabytes: number;
  lagRecords: number;
  /** Of the slowest door. */
  p50Ms: number;
  p99Ms: number;
  events: number;
  failures: number;
}

const MEGABYTE = 1e6;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

/** Gathers samples and reports into minutes. */
export class SoakRecorder {
  readonly minutes: SoakMinute[] = [];
  readonly #server: { pid: number; url: string; dataDir: string };
  readonly #startMs = performance.now();
  #samples: number[] = [];
  #reports: LoadReport[] = [];

  constructor(server: { pid: number; url: string; dataDir: string }) {
    this.#server = server;
  }

  sample(): void {
    this.#samples.push(residentBytes(this.#server.pid) / MEGABYTE);
  }

  report(report: LoadReport): void {
    this.#reports.push(report);
  }

  /** Closes the minute, and appends it to `file` as a line of JSON when one is given. */
  async close(file: string | undefined): Promise<SoakMinute> {
    const { pid, url, dataDir } = this.#server;
    this.sample();
    const [samples, reports] = [this.#samples, this.#reports];
    this.#samples = [];
    this.#reports = [];
    const metrics = await getSelfMetrics(url);
    const minute: SoakMinute = {
      seconds: Math.round((performance.now() - this.#startMs) / 1000),
      megabytes: median(samples),
      peakMegabytes: Math.max(...samples),
      heapMegabytes: (metrics.get('nodejs_heap_size_used_bytes') ?? NaN) / MEGABYTE,
      descriptors: openDescriptors(pid),
      storedMegabytes: diskUsage(dataDir).bytes / MEGABYTE,
      lagRecords: metrics.get('helios_pipeline_lag_records') ?? NaN,
      p50Ms: Math.max(0, ...reports.map(({ p50Ms }) => p50Ms)),
      p99Ms: Math.max(0, ...reports.map(({ p99Ms }) => p99Ms)),
      events: reports.reduce((sum, { events }) => sum + events, 0),
      failures: reports.reduce((sum, { failures }) => sum + failures, 0),
    };
    this.minutes.push(minute);
    if (file !== undefined) appendFileSync(file, `${JSON.stringify(minute)}\n`);
    return minute;
  }
}

export interface SoakVerdict {
  medianMegabytes: number;
  /** How far the highest and the lowest minute lie from the median, percent. */
  abovePercent: number;
  belowPercent: number;
  /** Median over the first and over the last third of the minutes. */
  firstP99Ms: number;
  lastP99Ms: number;
  descriptorGrowth: number;
}

/** Over the minutes after the warm-up. */
export function judgeSoak(minutes: readonly SoakMinute[], warmupSeconds: number): SoakVerdict {
  const steady = minutes.filter(({ seconds }) => seconds > warmupSeconds);
  const levels = steady.map(({ megabytes }) => megabytes);
  const level = median(levels);
  const third = Math.max(1, Math.floor(steady.length / 3));
  const p99Of = (part: readonly SoakMinute[]): number => median(part.map(({ p99Ms }) => p99Ms));
  return {
    medianMegabytes: level,
    abovePercent: (Math.max(...levels) / level - 1) * 100,
    belowPercent: (1 - Math.min(...levels) / level) * 100,
    firstP99Ms: p99Of(steady.slice(0, third)),
    lastP99Ms: p99Of(steady.slice(-third)),
    descriptorGrowth: (steady.at(-1)?.descriptors ?? NaN) - (steady[0]?.descriptors ?? NaN),
  };
}
