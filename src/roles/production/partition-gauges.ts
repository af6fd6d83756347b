import { DETECT_METRICS } from '../../detect/metrics.ts';
import type { MetricDefinition, Metrics } from '../../lib/metrics.ts';

/** The process is as far as its partition that is furthest behind. */
const LEAST = new Set<string>([DETECT_METRICS.watermark.name]);

/** Gauges of what several partitions measure apart: a process shows their sum, or the least. */
export class PartitionGauges {
  readonly #metrics: Metrics;
  readonly #values = new Map<string, Map<number, number>>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Metrics for one partition; counters and histograms are the process's. */
  of(partition: number): Metrics {
    return {
      add: (definition, value, labels) => this.#metrics.add(definition, value, labels),
      observe: (definition, value, labels) => this.#metrics.observe(definition, value, labels),
      set: (definition, value, labels) => {
        const values = this.#valuesOf(definition, labels);
        values.set(partition, value);
        this.#metrics.set(definition, this.#total(definition, values), labels);
      },
    };
  }

  /** The partition is another process's from now on. */
  forget(partition: number): void {
    for (const values of this.#values.values()) values.delete(partition);
  }

  #valuesOf({ name }: MetricDefinition, labels: Record<string, string> | undefined): Map<number, number> {
    const key = labels ? `${name}${JSON.stringify(labels)}` : name;
    let found = this.#values.get(key);
    if (!found) this.#values.set(key, (found = new Map()));
    return found;
  }

  #total({ name }: MetricDefinition, values: ReadonlyMap<number, number>): number {
    const all = [...values.values()];
    return LEAST.has(name) ? Math.min(...all) : all.reduce((sum, value) => sum + value, 0);
  }
}
