import type { Attribution, Severity, Signal } from '../model/anomaly.ts';

const ORDER: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

export function worstSeverity(severities: readonly Severity[]): Severity {
  return ORDER[Math.max(0, ...severities.map((severity) => ORDER.indexOf(severity)))] as Severity;
}

export function raiseSeverity(severity: Severity, by: number): Severity {
  return ORDER[Math.max(0, Math.min(ORDER.length - 1, ORDER.indexOf(severity) + by))] as Severity;
}

function grade(value: number, medium: number, high: number, critical: number): number {
  if (value >= critical) return 3;
  if (value >= high) return 2;
  return value >= medium ? 1 : 0;
}

function effectGrade(signal: Signal, attribution: readonly Attribution[]): number {
  const of = (feature: string): Attribution | undefined => attribution.find((entry) => entry.feature === feature);
  if (signal === 'silence') return 2;
  if (signal === 'error_rate') {
    const rate = of('error_rate');
    return rate ? grade(rate.observed - rate.expected, 0.02, 0.1, 0.4) : 0;
  }
  if (signal === 'latency') {
    const ratios = ['p95_latency', 'avg_latency', 'p99_latency']
      .map((feature) => of(feature))
      .filter((entry) => entry !== undefined);
    const ratio = Math.max(0, ...ratios.map((entry) => entry.observed / Math.max(entry.expected, 1e-3)));
    return grade(ratio, 1.7, 4, 10);
  }
  const count = of('event_count');
  if (!count || signal === 'multivariate') return 0;
  if (count.direction === 'down') return grade(1 - count.observed / count.expected, 0.4, 0.75, 2);
  return grade(count.observed / Math.max(count.expected, 1e-3), 4, 20, Infinity);
}

/**
 * Severity of an anomaly by its effect and by how much of the fleet's traffic the service carries (`trafficShare`, 0..1):
 * a fault of the busiest service is one grade worse.
 */
export function anomalySeverity(signal: Signal, attribution: readonly Attribution[], trafficShare: number): Severity {
  const effect = effectGrade(signal, attribution);
  const wide = trafficShare >= 0.3 && effect > 0 ? 1 : 0;
  return raiseSeverity('low', effect + wide);
}

/** Severity of an incident: its worst anomaly, one grade worse when it spreads over many services. */
export function incidentSeverity(severities: readonly Severity[], serviceCount: number): Severity {
  return raiseSeverity(worstSeverity(severities), serviceCount >= 5 ? 1 : 0);
}

/** 0..1 of evidence given as -log10 p: 0.5 at 1e-6, 0.9 at 1e-20. */
export function scoreOf(evidence: number): number {
  return evidence <= 0 ? 0 : 1 - 2 ** (-evidence / 6);
}
