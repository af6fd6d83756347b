import type { Severity, Signal } from './anomaly.ts';

export interface Cause {
  /** 1 is the most likely. */
  rank: number;
  service: string;
  signal: Signal;
  /** One sentence: why this rank. */
  reason: string;
  /** Anomaly and change ids that carry the reason. */
  evidence: string[];
}

/** Anomalies of one or more services close in time. Times are ISO 8601. */
export interface Incident {
  id: string;
  status: 'open' | 'acknowledged' | 'resolved';
  severity: Severity;
  title: string;
  startedAt: string;
  detectedAt: string;
  updatedAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  resolvedAt: string | null;
  services: string[];
  causes: Cause[];
  anomalyIds: string[];
  mergedInto: string | null;
}

/** A deployment, configuration or infrastructure change, posted or read off `service.version`. */
export interface Change {
  id: string;
  at: string;
  service: string;
  type: 'deployment' | 'rollback' | 'configuration' | 'infrastructure' | 'other';
  version: string | null;
  previousVersion: string | null;
  description: string;
  source: 'api' | 'service.version';
}
