import type { Clock } from '../lib/clock.ts';
import type { MetricDefinition, Metrics } from '../lib/metrics.ts';

type Labels = Record<string, string>;

/** What a thread measured since the last message, to be applied in the thread that serves /metrics. */
export interface MetricsMessage {
  metrics: { definition: MetricDefinition; labels: Labels | undefined; values: number[] }[];
}

const RELAY_MS = 1000;

/** Metrics for a worker thread: sums counters, keeps the last of a gauge, and sends once a second. */
export function createMetricsRelay(post: (message: MetricsMessage) => void, clock: Clock): Metrics {
  const pending = new Map<string, MetricsMessage['metrics'][number]>();
  const entry = (definition: MetricDefinition, labels: Labels | undefined): number[] => {
    const key = labels ? `${definition.name}${JSON.stringify(labels)}` : definition.name;
    let found = pending.get(key);
    if (!found) pending.set(key, (found = { definition, labels, values: [] }));
    return found.values;
  };
  clock.every(RELAY_MS, () => {
    if (pending.size === 0) return;
    post({ metrics: [...pending.values()] });
    pending.clear();
  });
  return {
    add(definition, value, labels) {
      const values = entry(definition, labels);
      values[0] = (values[0] ?? 0) + value;
    },
    set(definition, value, labels) {
      entry(definition, labels)[0] = value;
    },
    observe(definition, value, labels) {
      entry(definition, labels).push(value);
    },
  };
}

export function applyMetrics(metrics: Metrics, message: MetricsMessage): void {
  for (const { definition, labels, values } of message.metrics) {
    for (const value of values) {
      if (definition.type === 'counter') metrics.add(definition, value, labels);
      else if (definition.type === 'gauge') metrics.set(definition, value, labels);
      else metrics.observe(definition, value, labels);
    }
  }
}
