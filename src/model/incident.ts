import type { NewNormal, Severity, Signal } from './anomaly.ts';
import type { FeedbackLabel, IncidentFeedback } from './feedback.ts';

export interface Cause {
  /** 1 is the most likely. */
  rank: number;
  service: string;
  signal: Signal;
  /** One sentence: why this rank. */
  reason: string;
  /** Anomaly and change ids that carry the reason. */
  evidence: string[];
  /** Of the one that a person named: the rank that it had before; 0: none. */
  rankBefore?: number;
}

export const INCIDENT_EVENT_TYPES = [
  'opened',
  'joined',
  'merged',
  'split',
  'acknowledged',
  'resolved',
  'reopened',
  'new_normal_proposed',
  'new_normal_accepted',
  'new_normal_rejected',
  'labelled',
  'label_taken_back',
] as const;

/** One entry of an incident's history. */
export interface IncidentEvent {
  at: string;
  type: (typeof INCIDENT_EVENT_TYPES)[number];
  /** The anomaly that opened, joined, or proposed. */
  anomalyId?: string;
  service?: string;
  /** The other incident of a merge or split. */
  incidentId?: string;
  /** The person. */
  by?: string;
  /** What the person said of the incident. */
  label?: FeedbackLabel;
}

/** Anomalies of one or more services that belong together. Times are ISO 8601. */
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
  /** The incident that this one was part of until its cause turned out to be another. */
  splitFrom?: string | null;
  /** Oldest first, bounded: the first entry and the newest ones. Absent in documents of versions that kept none. */
  events?: IncidentEvent[];
  newNormal?: NewNormal | null;
  /** What a person last said of it; absent before anybody did. */
  feedback?: IncidentFeedback | null;
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
