import { entityId } from '../../model/entity.ts';
import type { MetricBatch, SeriesKey } from '../../model/metric.ts';
import type { Aggregation } from '../metric-detector.ts';
import { createRateState, rateOf, type RateState } from './point-rate.ts';

/** Where the points of one received series go. */
export interface SeriesTarget {
  /** Takes one value at a time in milliseconds since the epoch. */
  add(timeMs: number, value: number, aggregation: Aggregation): void;
}

interface Track {
  key: SeriesKey;
  rate: RateState;
  target: SeriesTarget;
  aggregation: Aggregation;
}

export interface MetricIntakeOptions {
  /** Target of what an entity's received series of one name amount to; null when no further ones are watched. */
  targetOf: (entity: string, name: string) => SeriesTarget | null;
}

const UNKNOWN = -1;
const UNWATCHED = 0;

/**
 * Received series become series of entities: all label sets of one name are one, their rates summed and their readings averaged, so that
 * what is watched is bounded by names and a new pod is no new series. Buckets of histograms are left out: their count and sum speak.
 */
export class MetricIntake {
  readonly #options: MetricIntakeOptions;
  #tracks: Track[] = [];
  /** By identity: heads are forgotten by scanners, totals must not be. */
  readonly #byIdentity = new Map<string, number>();
  #heads: MetricBatch['heads'] = [];
  /** By head: 0 not watched, else track number + 1; -1 not looked at yet. */
  #trackOf = new Int32Array(0);

  constructor(options: MetricIntakeOptions) {
    this.#options = options;
  }

  /** Adds a record's points; `receivedAtMs` bounds their times: what claims to come from the future is left out. */
  observe(batch: MetricBatch, latestMs: number): void {
    this.#prepare(batch);
    const { count, series, timestamp, value, start } = batch;
    for (let row = 0; row < count; row++) {
      const head = series[row] as number;
      let number = this.#trackOf[head] as number;
      if (number === UNKNOWN) number = this.#trackOf[head] = this.#trackFor(batch.heads[head] as SeriesKey);
      if (number === UNWATCHED) continue;
      const timeMs = timestamp[row] as number;
      if (timeMs > latestMs) continue;
      const { key, rate, target, aggregation } = this.#tracks[number - 1] as Track;
      target.add(timeMs, rateOf(rate, key.kind, timeMs, value[row] as number, start[row] as number), aggregation);
    }
  }

  /** Totals seen last, by identity of their series: part of a snapshot. */
  totals(): Map<string, RateState> {
    const totals = new Map<string, RateState>();
    for (const [identity, number] of this.#byIdentity) {
      if (number !== UNWATCHED) totals.set(identity, (this.#tracks[number - 1] as Track).rate);
    }
    return totals;
  }

  /** Forgets every series but these totals. */
  restore(totals: ReadonlyMap<string, RateState>): void {
    this.#tracks = [];
    this.#byIdentity.clear();
    this.#heads = [];
    this.#restored = totals;
  }
  #restored: ReadonlyMap<string, RateState> = new Map();

  #prepare(batch: MetricBatch): void {
    if (batch.heads !== this.#heads) {
      this.#heads = batch.heads;
      this.#trackOf = new Int32Array(Math.max(1024, batch.heads.length)).fill(UNKNOWN);
    }
    if (batch.heads.length > this.#trackOf.length) {
      const grown = new Int32Array(batch.heads.length * 2).fill(UNKNOWN);
      grown.set(this.#trackOf);
      this.#trackOf = grown;
    }
  }

  #trackFor(key: SeriesKey): number {
    if (key.labels['le'] !== undefined && key.name.endsWith('_bucket')) return UNWATCHED;
    const identity = identityOf(key);
    const known = this.#byIdentity.get(identity);
    if (known !== undefined) return known;
    const target = this.#options.targetOf(entityId(key), key.name);
    if (!target) return UNWATCHED;
    const rate = this.#restored.get(identity) ?? createRateState();
    const number = this.#tracks.push({ key, rate, target, aggregation: key.kind === 'gauge' ? 'mean' : 'sum' });
    this.#byIdentity.set(identity, number);
    return number;
  }
}

function identityOf({ name, kind, service, environment, namespace, labels }: SeriesKey): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([environment, namespace, service, name, kind, pairs]);
}
