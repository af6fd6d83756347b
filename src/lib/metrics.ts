/**
 * Self-monitoring as every room sees it. A room lists what it measures as data in its `metrics.ts`;
 * `roles/` turns the list into Prometheus metrics, and docs/metrics.md is generated from it.
 */
export interface MetricDefinition {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels?: readonly string[];
  /** Upper bounds of a histogram's buckets, in the unit that the name ends with. */
  buckets?: readonly number[];
}

export interface Metrics {
  /** Adds to a counter. */
  add(definition: MetricDefinition, value: number, labels?: Record<string, string>): void;
  /** Sets a gauge. */
  set(definition: MetricDefinition, value: number, labels?: Record<string, string>): void;
  /** Records one observation of a histogram. */
  observe(definition: MetricDefinition, value: number, labels?: Record<string, string>): void;
}

export const silentMetrics: Metrics = { add() {}, set() {}, observe() {} };
