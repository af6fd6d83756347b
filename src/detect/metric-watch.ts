import type { Anomaly } from '../model/anomaly.ts';
import type { MetricBatch } from '../model/metric.ts';
import { MetricEngine, type MetricEntityState } from './metric-engine.ts';
import type { MetricVerdict } from './metric-detector.ts';
import { createMetricEpisode, endEpisode, followVerdict, type MetricEpisode } from './metric/metric-episode.ts';
import { MetricIntake } from './metric/metric-intake.ts';
import type { RateState } from './metric/point-rate.ts';
import { addRecentRow, aroundOnset, createRecentRows, type RecentRows } from './metric/recent-rows.ts';
import { rankMetricCauses, type MetricCause } from './ranking/metric-causes.ts';

/** Plain data. */
export interface MetricWatchState {
  entities: MetricEntityState[];
  episodes: Map<string, MetricEpisode>;
  totals: Map<string, RateState>;
  recent: Map<string, RecentRows>;
  /** Offset after the last record observed. */
  nextOffset: number;
  /** Latest time of a point, milliseconds; -Infinity before the first. */
  latestMs: number;
}

export interface MetricWatchOptions {
  seed: number;
  falseAlarmBudget: number;
  maxSeries: number;
  /** A tick that is not complete closes this long after its end. */
  latenessMs: number;
  /** An entity without points for this long is forgotten. */
  idleMs: number;
}

const EVICTION_EVERY_MS = 60_000;

/** Received metric series in, anomalies out: one at a time of each entity, with the series that drive it. */
export class MetricWatch {
  readonly #options: MetricWatchOptions;
  readonly #engine: MetricEngine;
  readonly #intake: MetricIntake;
  readonly #found: Anomaly[] = [];
  readonly #lastVerdictMs = new Map<string, number>();
  #episodes = new Map<string, MetricEpisode>();
  #recent = new Map<string, RecentRows>();
  #latestMs = -Infinity;
  #evictedMs = -Infinity;
  nextOffset = 0;

  constructor(options: MetricWatchOptions) {
    this.#options = options;
    const { seed, falseAlarmBudget, maxSeries } = options;
    this.#engine = new MetricEngine({
      seed,
      falseAlarmBudget,
      maxSeries,
      onRow: (entity, series, { timeMs, values }) => addRecentRow(this.#recentOf(entity), series, timeMs, values),
      onVerdict: (verdict) => this.#follow(verdict),
    });
    this.#intake = new MetricIntake({ targetOf: (entity, name) => this.#engine.target(entity, name) });
  }

  get seriesCount(): number {
    return this.#engine.seriesCount;
  }

  /** Adds a record's points; those later than `boundMs` come from a clock that is ahead and are left out. */
  observe(batch: MetricBatch, boundMs: number, nextOffset: number): void {
    this.#intake.observe(batch, boundMs);
    for (let row = 0; row < batch.count; row++) {
      const timeMs = batch.timestamp[row] as number;
      if (timeMs > this.#latestMs && timeMs <= boundMs) this.#latestMs = timeMs;
    }
    this.nextOffset = nextOffset;
  }

  /** Anomalies that opened, got worse or ended, each in its newest form; which incident each belongs to is the caller's matter. */
  advance(): Anomaly[] {
    const { latenessMs, idleMs } = this.#options;
    this.#engine.advance(this.#latestMs - latenessMs);
    if (this.#latestMs - this.#evictedMs >= EVICTION_EVERY_MS) {
      this.#evictedMs = this.#latestMs;
      for (const [entity, lastMs] of this.#lastVerdictMs) if (this.#latestMs - lastMs >= idleMs) this.#forget(entity);
    }
    return this.#found.splice(0);
  }

  /** Entities of these by how much their series changed at an onset, by what changed most in each. */
  rank(entities: ReadonlySet<string>, onsetMs: number, untilMs: number): MetricCause[] {
    const known = [...this.#recent].filter(([name]) => entities.has(name));
    const ranked = known.flatMap(([name, recent]) => aroundOnset(name, recent, onsetMs, untilMs) ?? []);
    return rankMetricCauses({ entities: ranked }).byEntity;
  }

  /** The same of all entities. */
  rankAll(onsetMs: number, untilMs: number): MetricCause[] {
    return this.#recent.size === 0 ? [] : this.rank(new Set(this.#recent.keys()), onsetMs, untilMs);
  }

  /** Latest time of a point, milliseconds; -Infinity before the first. */
  get latestMs(): number {
    return this.#latestMs;
  }

  state(): MetricWatchState {
    return {
      entities: this.#engine.states(),
      episodes: this.#episodes,
      totals: this.#intake.totals(),
      recent: this.#recent,
      nextOffset: this.nextOffset,
      latestMs: this.#latestMs,
    };
  }

  restore({ entities, episodes, totals, recent, nextOffset, latestMs }: MetricWatchState): void {
    this.#engine.restore(entities);
    this.#intake.restore(totals);
    this.#episodes = episodes;
    this.#recent = recent;
    this.nextOffset = nextOffset;
    this.#latestMs = latestMs;
    this.#lastVerdictMs.clear();
    for (const { name } of entities) this.#lastVerdictMs.set(name, latestMs);
  }

  #recentOf(entity: string): RecentRows {
    let recent = this.#recent.get(entity);
    if (!recent) this.#recent.set(entity, (recent = createRecentRows()));
    return recent;
  }

  #follow(verdict: MetricVerdict): void {
    const { entity, timeMs } = verdict;
    let episode = this.#episodes.get(entity);
    if (!episode) this.#episodes.set(entity, (episode = createMetricEpisode()));
    this.#lastVerdictMs.set(entity, timeMs);
    const anomaly = followVerdict(episode, verdict);
    if (anomaly) this.#found.push(anomaly);
  }

  #forget(entity: string): void {
    const episode = this.#episodes.get(entity);
    const ended = episode && endEpisode(episode, this.#latestMs);
    if (ended) this.#found.push(ended);
    this.#episodes.delete(entity);
    this.#recent.delete(entity);
    this.#lastVerdictMs.delete(entity);
    this.#engine.forget(entity);
    this.#intake.forget(entity);
  }
}
