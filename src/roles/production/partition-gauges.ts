import { DETECT_METRICS } from '../../detect/metrics.ts';
import type { MetricDefinition, Metrics } from '../../lib/metrics.ts';

/** The process is as far as its partition that is furthest behind. */
const LEAST = new Set<string>([DETECT_METRICS.watermark.name]);

interface Gauge {
  definition: MetricDefinition;
  labels: Record<string, string> | undefined;
  /** By partition. */
  values: Map<number, number>;
}

/** Gauges of what several partitions measure apart: a process shows their sum, or the least. */
export class PartitionGauges {
  readonly #metrics: Metrics;
  readonly #gauges = new Map<string, Gauge>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  /** Metrics for one partition; counters and histograms are the process's. */
  of(partition: number): Metrics {
    return {
      add: (definition, value, labels) => this.#metrics.add(definition, value, labels),
      observe: (definition, value, labels) => this.#metrics.observe(definition, value, labels),
      set: (definition, value, labels) => {
        const gauge = this.#gaugeOf(definition, labels);
        gauge.values.set(partition, value);
        this.#show(gauge);
      },
    };
  }

  /** The partition is another process's from now on; what is shown is of those that are left, or 0. */
  forget(partition: number): void {
    for (const gauge of this.#gauges.values()) if (gauge.values.delete(partition)) this.#show(gauge);
  }

  #gaugeOf(definition: MetricDefinition, labels: Record<string, string> | undefined): Gauge {
    const key = labels ? `${definition.name}${JSON.stringify(labels)}` : definition.name;
    let found = this.#gauges.get(key);
    if (!found) this.#gauges.set(key, (found = { definition, labels, values: new Map() }));
    return found;
  }

  #show({ definition, labels, values }: Gauge): void {
    const all = [...values.values()];
    const isLeast = LEAST.has(definition.name) && all.length > 0;
    this.#metrics.set(definition, isLeast ? Math.min(...all) : all.reduce((sum, value) => sum + value, 0), labels);
  }
}
