import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { MetricDefinition, Metrics } from '../lib/metrics.ts';

type Instrument = Counter | Gauge | Histogram;

export interface PrometheusMetrics extends Metrics {
  /** Prometheus text format, version 0.0.4. */
  render(): Promise<string>;
  /** Calls `read` before every rendering, to set what is cheaper to look up than to keep. */
  collect(read: () => void): void;
}

function create(definition: MetricDefinition, registry: Registry): Instrument {
  const { name, help } = definition;
  const shape = { name, help, labelNames: [...(definition.labels ?? [])], registers: [registry] };
  if (definition.type === 'counter') return new Counter(shape);
  if (definition.type === 'gauge') return new Gauge(shape);
  return new Histogram({ ...shape, ...(definition.buckets && { buckets: [...definition.buckets] }) });
}

/** Definitions become Prometheus metrics at first use; those named in `known` are there from the start. */
export function createPrometheusMetrics(known: readonly MetricDefinition[]): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const instruments = new Map<string, Instrument>();
  const instrument = (definition: MetricDefinition): Instrument => {
    let found = instruments.get(definition.name);
    if (!found) instruments.set(definition.name, (found = create(definition, registry)));
    return found;
  };
  const readers: (() => void)[] = [];
  known.forEach(instrument);
  return {
    add: (definition, value, labels) => (instrument(definition) as Counter).inc(labels ?? {}, value),
    set: (definition, value, labels) => (instrument(definition) as Gauge).set(labels ?? {}, value),
    observe: (definition, value, labels) => (instrument(definition) as Histogram).observe(labels ?? {}, value),
    render: () => {
      for (const read of readers) read();
      return registry.metrics();
    },
    collect: (read) => void readers.push(read),
  };
}
