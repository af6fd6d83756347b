/** How a value follows from answers where none holds it as such. Items are named by their ids. */
export type Derivation =
  /** The first item's value through the second's. */
  | { rule: 'ratio'; of: [string, string] }
  /** As `ratio`, after each value was divided by the length of its item's time range. */
  | { rule: 'rate_ratio'; of: [string, string] }
  /** The product of the two values, rounded to a whole number. */
  | { rule: 'product'; of: [string, string] }
  /** How many entries of the array at `pointer` hold these values, each at a pointer of its own into the entry. */
  | { rule: 'count'; where: { pointer: string; value: string | number | boolean | null }[] };

/**
 * One checked fact. `pointer` (RFC 6901) names the value in the JSON answer of `GET query`; where the value is `derived` from two
 * other items, they name the first one's value.
 */
export interface Evidence {
  /** "E1", "E2", … in order of first use. */
  id: string;
  type:
    | 'metric'
    | 'expected'
    | 'anomaly'
    | 'ratio'
    | 'change'
    | 'template'
    | 'event'
    | 'incident'
    | 'endpoint'
    | 'version'
    | 'call';
  service: string;
  feature: string | null;
  value: number | string;
  unit: string;
  from: string;
  to: string;
  query: string;
  pointer: string;
  derived?: Derivation;
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

/** A sentence of a language model that code has checked against the evidence; it is written anew from `sentence` when values change. */
export interface NarrativeClaim {
  kind: 'impact' | 'cause' | 'action' | 'context';
  /** The service. */
  subject: string;
  feature: string | null;
  direction: 'up' | 'down' | null;
  /** Ids of the evidence that it rests on. */
  evidence: string[];
  /** Of actions. */
  horizon: 'immediate' | 'short_term' | 'long_term' | null;
  /** With slots such as {E3.value}. */
  sentence: string;
  /** With the slots filled, as Markdown. */
  text: string;
}

export interface Narrative {
  model: string;
  promptVersion: string;
  claims: NarrativeClaim[];
  /** Role in the evidence pack, by evidence id: which fact of a later report takes its place. */
  roles: Record<string, string>;
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
  /** What a language model added; absent without one. */
  narrative?: Narrative | undefined;
  /** A sentence of HELIOS on what is missing, such as why no model was asked; it is in the Markdown as well. */
  note?: string | undefined;
}
