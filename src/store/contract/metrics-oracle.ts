/** Metrics worked out plainly from raw events: what a store's answer is held against. */
import type { EventRow } from '../../model/event-rules.ts';
import type { Feature } from '../../model/rollup.ts';

export type OracleValues = Record<Feature, number | null>;

function nearestRank(sorted: readonly number[], q: number): number | null {
  return sorted.length === 0 ? null : (sorted[Math.ceil(q * sorted.length) - 1] as number);
}

/** Features of one entity's events, of which those count that are in [fromMs, fromMs + stepMs). */
export function oracleValues(rows: readonly EventRow[], fromMs: number, stepMs: number): OracleValues {
  const inside = rows.filter(({ timestamp }) => timestamp >= fromMs && timestamp < fromMs + stepMs);
  const before = rows.filter(({ timestamp }) => timestamp >= fromMs - stepMs && timestamp < fromMs);
  const latencies = inside.map(({ latency }) => latency).filter((latency) => !Number.isNaN(latency));
  const sorted = latencies.toSorted((a, b) => a - b);
  const mean = latencies.length === 0 ? null : latencies.reduce((sum, latency) => sum + latency, 0) / latencies.length;
  const variance = mean === null ? null : latencies.reduce((sum, latency) => sum + (latency - mean) ** 2, 0) / latencies.length;
  return {
    event_count: inside.length,
    error_rate: inside.length === 0 ? null : inside.filter(({ level }) => level >= 4).length / inside.length,
    avg_latency: mean,
    p95_latency: nearestRank(sorted, 0.95),
    p99_latency: nearestRank(sorted, 0.99),
    latency_stddev: variance === null ? null : Math.sqrt(variance),
    unique_endpoints: new Set(inside.map(({ endpoint }) => endpoint).filter((endpoint) => endpoint !== '')).size,
    event_velocity: ((inside.length - before.length) * 1000) / stepMs,
  };
}

/** Largest relative error allowed, by feature; 0 is exact. */
export const TOLERANCES: Record<Feature, number> = {
  event_count: 0,
  error_rate: 0,
  avg_latency: 1e-9,
  p95_latency: 0.016,
  p99_latency: 0.016,
  latency_stddev: 1e-6,
  unique_endpoints: 0,
  event_velocity: 0,
};
