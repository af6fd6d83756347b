/** One checked fact. `pointer` (RFC 6901) names the value in the JSON answer of `GET query`. */
export interface Evidence {
  /** "E1", "E2", … in order of first use. */
  id: string;
  type: 'metric' | 'expected' | 'anomaly' | 'change' | 'template' | 'event' | 'incident' | 'endpoint' | 'version';
  service: string;
  feature: string | null;
  value: number | string;
  unit: string;
  from: string;
  to: string;
  query: string;
  pointer: string;
}

export interface ReportSections {
  summary: string;
  impactAssessment: string;
  rootCauseAnalysis: string;
  recommendedActions: { immediate: string[]; shortTerm: string[]; longTerm: string[] };
}

export interface TimelineEntry {
  at: string;
  text: string;
  evidence: string[];
}

export interface Report {
  incidentId: string;
  version: number;
  phase: 'facts' | 'narrative';
  verdict: 'CONFIRMED' | 'LIKELY' | 'INCONCLUSIVE';
  createdAt: string;
  sections: ReportSections;
  timeline: TimelineEntry[];
  evidence: Evidence[];
  costUsd: number;
  markdown: string;
}
