import type { Prng } from '../../lib/prng.ts';
import type { MetricBatch, SeriesKey } from '../../model/metric.ts';
import { metricLine } from '../../model/metric.fixture.ts';
import type { MetricScanner } from '../../model/metric-scanner.ts';
import { createMetricScanner } from '../../model/metric-scanner.ts';
import type { MetricStore, MetricStoreWriter } from '../metric-store.ts';

export interface MetricPair {
  store: MetricStore;
  writer: MetricStoreWriter;
}

/** Opens a pair; the same `place` again finds what was stored there before. */
export type OpenMetricPair = (place: string) => Promise<MetricPair>;
export type MetricContractTests = Record<string, (fixture: MetricFixture) => Promise<void>>;

/** One series and its points: [time, value] or [time, value, start]. */
export interface Sent {
  series: Partial<SeriesKey>;
  points: [timestamp: number, value: number, start?: number][];
}

/** Start of the hour in which most tests play. */
export const T0 = Date.UTC(2025, 9, 8, 10);

/** A pair under test, with the log that its points come from. */
export class MetricFixture {
  /** The records appended so far. */
  readonly log: Sent[][] = [];
  #scanner: MetricScanner = createMetricScanner();
  readonly #open: OpenMetricPair;
  readonly #place: string;
  #pair!: MetricPair;

  constructor(open: OpenMetricPair, place: string) {
    this.#open = open;
    this.#place = place;
  }

  get store(): MetricStore {
    return this.#pair.store;
  }

  get writer(): MetricStoreWriter {
    return this.#pair.writer;
  }

  async start(): Promise<void> {
    this.#pair = await this.#open(this.#place);
    this.#scanner = createMetricScanner();
  }

  async stop(): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await this.writer[Symbol.asyncDispose]();
  }

  /** Stops and starts again, and observes what was not committed once more, as a reader of the log does. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
    for (const [offset, record] of this.log.entries()) this.writer.observe(this.scan(record), offset);
  }

  scan(record: readonly Sent[]): MetricBatch {
    const text = record.map(({ series, points }) => metricLine(series, points)).join('');
    return this.#scanner.scan(Buffer.from(text)).batch;
  }

  /** Appends one record and observes it. */
  feed(...record: Sent[]): void {
    this.writer.observe(this.scan(record), this.log.length);
    this.log.push(record);
  }

  commit(): Promise<void> {
    return this.writer.commit(this.log.length);
  }

  /** Points by series name, as stored. */
  async raw(fromMs = 0, toMs = Number.MAX_SAFE_INTEGER): Promise<Record<string, [number, number | null][]>> {
    const found = await this.store.points({ fromMs, toMs, step: 'raw' });
    return Object.fromEntries(found.map(({ key, points }) => [key.name, points]));
  }

  /** Values by step of the one series of this name. */
  async values(name: string, fromMs: number, toMs: number, step = 10_000): Promise<(number | null)[] | undefined> {
    const [series] = await this.store.points({ fromMs, toMs, step, names: [name] });
    return series?.points.map(([, value]) => value);
  }

  /** What `raw` should answer for everything in the log: of several points at one time the last. */
  expectedRaw(): Record<string, [number, number][]> {
    const series = new Map<string, Map<number, number>>();
    for (const { series: key, points } of this.log.flat()) {
      const name = key.name ?? '';
      if (!series.has(name)) series.set(name, new Map());
      for (const [time, value] of points) series.get(name)?.set(time, value);
    }
    return Object.fromEntries(
      [...series]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, points]) => [name, [...points].toSorted(([a], [b]) => a - b)]),
    );
  }
}

/** A record of random series and times, some of them late or sent twice. */
export function randomRecord(prng: Prng, step: number): Sent[] {
  return Array.from({ length: 1 + prng.below(6) }, () => ({
    series: { name: `m${prng.below(9)}` },
    points: Array.from({ length: 1 + prng.below(4) }, (): [number, number] => [
      T0 + (step - prng.below(prng.below(10) === 0 ? 300 : 3)) * 1000 + prng.below(3) / 4,
      prng.below(1000) / 8,
    ]),
  }));
}
