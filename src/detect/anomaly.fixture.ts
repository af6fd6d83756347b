import { isoTime } from '../lib/clock.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { Kinship } from './kinship.ts';

/** A Wednesday, 10:00 UTC. */
export const T0 = Date.UTC(2025, 9, 8, 10);
export const MINUTE = 60_000;

/** A firing anomaly with fifteen times the usual errors. */
export function anomalyOf(service: string, startMs: number, overrides: Partial<Anomaly> = {}): Anomaly {
  const entry = {
    feature: 'error_rate',
    direction: 'up' as const,
    expected: 0.008,
    low: 0,
    high: 0.02,
    observed: 0.12,
    share: 1,
  };
  return {
    id: `an-${service}-${overrides.signal ?? 'error_rate'}-${startMs}`,
    service,
    signal: 'error_rate',
    state: 'firing',
    startedAt: isoTime(startMs),
    detectedAt: isoTime(startMs + 20_000),
    resolvedAt: null,
    stage: 'baseline',
    severity: 'high',
    score: 0.8,
    rawScore: null,
    attribution: [entry],
    window: { from: isoTime(startMs), to: isoTime(startMs + 10_000) },
    baseline: { from: isoTime(startMs - 3_600_000), to: isoTime(startMs), description: '' },
    incidentId: null,
    ...overrides,
  };
}

export const over = (anomaly: Anomaly, atMs: number): Anomaly => ({
  ...anomaly,
  state: 'resolved',
  resolvedAt: isoTime(atMs),
});

/** Kinship from call paths written "front>cart>stock"; all services in them are known, others have no kin. */
export function kinshipOf(...paths: string[]): Kinship {
  const chains = paths.map((path) => path.split('>'));
  const known = new Set(chains.flat());
  return {
    reaches: (caller, callee) => chains.some((chain) => chain.includes(caller) && chain.indexOf(callee) > chain.indexOf(caller)),
    kin: (a, b) => (known.has(a) && known.has(b) ? 'unrelated' : 'unknown'),
  };
}
