import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { MetricDefinition, Metrics } from '../lib/metrics.ts';

type Labels = Record<string, string>;

export interface PrometheusMetrics extends Metrics {
  /** Prometheus text format, version 0.0.4. */
  render(): Promise<string>;
  /** Calls `read` before every rendering, to set what is cheaper to look up than to keep. */
  collect(read: () => void): void;
}

const NO_LABELS: Labels = {};

/** One of a metric's label sets, found without the library's hashing of labels, which costs more than the rest of a small request. */
interface Series {
  labels: Labels;
  /** Added since the last rendering. */
  added: number;
  observer: { observe: (value: number) => void } | null;
}

class Instrument {
  readonly #metric: Counter | Gauge | Histogram;
  readonly #labelNames: readonly string[];
  readonly #series = new Map<string, Series>();

  constructor(definition: MetricDefinition, registry: Registry) {
    const { name, help } = definition;
    this.#labelNames = definition.labels ?? [];
    const shape = { name, help, labelNames: [...this.#labelNames], registers: [registry] };
    if (definition.type === 'counter') this.#metric = new Counter(shape);
    else if (definition.type === 'gauge') this.#metric = new Gauge(shape);
    else this.#metric = new Histogram({ ...shape, ...(definition.buckets && { buckets: [...definition.buckets] }) });
  }

  add(value: number, labels: Labels): void {
    this.#seriesOf(labels).added += value;
  }

  set(value: number, labels: Labels): void {
    (this.#metric as Gauge).set(labels, value);
  }

  observe(value: number, labels: Labels): void {
    const series = this.#seriesOf(labels);
    series.observer ??= (this.#metric as Histogram).labels(labels);
    series.observer.observe(value);
  }

  /** Hands to the library what was added since the last time. */
  flush(): void {
    for (const series of this.#series.values()) {
      if (series.added > 0) (this.#metric as Counter).inc(series.labels, series.added);
      series.added = 0;
    }
  }

  #seriesOf(labels: Labels): Series {
    const names = this.#labelNames;
    let key = labels[names[0] ?? ''] ?? '';
    for (let i = 1; i < names.length; i++) key += `\0${labels[names[i] as string] ?? ''}`;
    let series = this.#series.get(key);
    if (!series) this.#series.set(key, (series = { labels: { ...labels }, added: 0, observer: null }));
    return series;
  }
}

/** Definitions become Prometheus metrics at first use; those named in `known` are there from the start. */
export function createPrometheusMetrics(known: readonly MetricDefinition[]): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // By name, because definitions that come from another thread are copies.
  const instruments = new Map<string, Instrument>();
  const instrument = (definition: MetricDefinition): Instrument => {
    let found = instruments.get(definition.name);
    if (!found) instruments.set(definition.name, (found = new Instrument(definition, registry)));
    return found;
  };
  const readers: (() => void)[] = [];
  known.forEach(instrument);
  return {
    add: (definition, value, labels) => instrument(definition).add(value, labels ?? NO_LABELS),
    set: (definition, value, labels) => instrument(definition).set(value, labels ?? NO_LABELS),
    observe: (definition, value, labels) => instrument(definition).observe(value, labels ?? NO_LABELS),
    render: () => {
      for (const read of readers) read();
      for (const each of instruments.values()) each.flush();
      return registry.metrics();
    },
    collect: (read) => void readers.push(read),
  };
}
