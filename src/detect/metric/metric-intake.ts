import { entityId } from '../../model/entity.ts';
import type { MetricBatch, SeriesKey } from '../../model/metric.ts';
import type { Aggregation, SeriesTarget } from '../metric-detector.ts';
import { createRateState, rateOf, type RateState } from './point-rate.ts';

interface Track {
  key: SeriesKey;
  entity: string;
  rate: RateState;
  target: SeriesTarget;
  aggregation: Aggregation;
}

export interface MetricIntakeOptions {
  /** Target of what an entity's received series of one name amount to; null when no further ones are watched. */
  targetOf: (entity: string, name: string) => SeriesTarget | null;
}

/**
 * Received series become series of entities: all label sets of one name are one, their rates summed and their readings averaged, so that
 * what is watched is bounded by names and a new pod is no new series. Buckets of histograms are left out: their count and sum speak.
 */
export class MetricIntake {
  readonly #options: MetricIntakeOptions;
  /** By identity: heads are forgotten by scanners, totals must not be. */
  readonly #tracks = new Map<string, Track>();
  #heads: MetricBatch['heads'] = [];
  /** By head; null is not watched, undefined not looked at yet. */
  #trackOf: (Track | null | undefined)[] = [];
  #restored: ReadonlyMap<string, RateState> = new Map();

  constructor(options: MetricIntakeOptions) {
    this.#options = options;
  }

  /** Adds a record's points, but those later than `boundMs`: they claim to come from the future. */
  observe(batch: MetricBatch, boundMs: number): void {
    if (batch.heads !== this.#heads) {
      this.#heads = batch.heads;
      this.#trackOf = [];
    }
    const { count, series, timestamp, value, start } = batch;
    for (let row = 0; row < count; row++) {
      const head = series[row] as number;
      let track = this.#trackOf[head];
      if (track === undefined) track = this.#trackOf[head] = this.#trackFor(batch.heads[head] as SeriesKey);
      const timeMs = timestamp[row] as number;
      if (track === null || timeMs > boundMs) continue;
      const { key, rate, target, aggregation } = track;
      target.add(timeMs, rateOf(rate, key.kind, timeMs, value[row] as number, start[row] as number), aggregation);
    }
  }

  /** Forgets an entity's series; one that comes again is looked up anew. */
  forget(entity: string): void {
    for (const [identity, track] of this.#tracks) if (track.entity === entity) this.#tracks.delete(identity);
    this.#trackOf = [];
  }

  /** Totals seen last, by identity of their series: part of a snapshot. */
  totals(): Map<string, RateState> {
    return new Map([...this.#tracks].map(([identity, { rate }]) => [identity, rate]));
  }

  /** Forgets every series but these totals. */
  restore(totals: ReadonlyMap<string, RateState>): void {
    this.#tracks.clear();
    this.#trackOf = [];
    this.#restored = totals;
  }

  #trackFor(key: SeriesKey): Track | null {
    if (key.labels['le'] !== undefined && key.name.endsWith('_bucket')) return null;
    const identity = identityOf(key);
    const known = this.#tracks.get(identity);
    if (known) return known;
    const entity = entityId(key);
    const target = this.#options.targetOf(entity, key.name);
    if (!target) return null;
    const rate = this.#restored.get(identity) ?? createRateState();
    const track: Track = { key, entity, rate, target, aggregation: key.kind === 'gauge' ? 'mean' : 'sum' };
    this.#tracks.set(identity, track);
    return track;
  }
}

function identityOf({ name, kind, service, environment, namespace, labels }: SeriesKey): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([environment, namespace, service, name, kind, pairs]);
}
