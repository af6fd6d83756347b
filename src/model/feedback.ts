import type { Severity, Signal } from './anomaly.ts';

/** What a person may say of an incident. */
export const FEEDBACK_LABELS = ['real', 'expected', 'false_alarm', 'new_normal', 'wrong_cause'] as const;
export type FeedbackLabel = (typeof FEEDBACK_LABELS)[number];
/** `missed` is a fault that no incident told of. */
export const LISTED_LABELS = [...FEEDBACK_LABELS, 'missed'] as const;
export type ListedLabel = (typeof LISTED_LABELS)[number];

/** Hours of the day in UTC, `[from, to)`, 0 to 23 each; `from` after `to` goes past midnight. */
export interface DayHours {
  from: number;
  to: number;
}

/** How far one feature may go: `limit` is a ratio for event_count, else a difference from what is expected, in the feature's unit. */
export interface QuietFeature {
  feature: string;
  direction: 'up' | 'down';
  limit: number;
}

/** Anomalies of one service and signal that call nobody, up to the strength and length given. */
export interface QuietPattern {
  /** Entity id, or with `match` "service" a bare name, wherever the service runs. */
  service: string;
  match: 'entity' | 'service';
  signal: Signal;
  /** No graver one. */
  severity: Severity;
  /** Those that may lead; empty: only anomalies that no feature leads. */
  features: QuietFeature[];
  /** From its start on; one that lasts longer calls. */
  durationMs: number;
  hours: DayHours | null;
}

/** What follows from `expected` and `false_alarm`: anomalies like those of the incident are recorded and call nobody. */
export interface QuietRule {
  /** That of the feedback. */
  id: string;
  label: 'expected' | 'false_alarm';
  by: string;
  at: string;
  patterns: QuietPattern[];
}

/** The rules in force. Of two the one of the higher revision holds. */
export interface QuietRules {
  rules: QuietRule[];
  revision: number;
}

/** What stands on the incident itself. */
export interface IncidentFeedback {
  id: string;
  label: FeedbackLabel;
  /** The service that it was, of `wrong_cause`. */
  cause: string | null;
  /** What its rule would have changed, one sentence; null when it made none. */
  effect: string | null;
  by: string;
  at: string;
}

/** What a person said, for good: what is taken back stays listed. Times are ISO 8601. */
export interface Feedback {
  id: string;
  label: ListedLabel;
  /** Null for `missed`. */
  incidentId: string | null;
  services: string[];
  /** Of the incident, as it was then, or of the missed fault. */
  from: string;
  to: string | null;
  by: string;
  at: string;
  note: string | null;
  cause: string | null;
  rule: QuietRule | null;
  /** The sentence of the preview when the rule was made. */
  effect: string | null;
  /** `relabelled`: somebody said another thing of the incident later. */
  takenBack: { by: string; at: string; reason: 'person' | 'relabelled' } | null;
}

/** What a rule would have changed among the stored anomalies of the last days. */
export interface FeedbackPreview {
  days: number;
  /** Without the rule: anomalies that called, and incidents made of them. */
  alerts: number;
  incidents: number;
  fewerAlerts: number;
  fewerIncidents: number;
  /** Ids of incidents that a person called real and that nobody would have heard of. */
  confirmedHidden: string[];
  /** "14 fewer alerts, 0 confirmed incidents hidden". */
  sentence: string;
}

export interface FeedbackScope {
  /** Only anomalies of these services of the incident; absent: all. */
  services?: readonly string[];
  /** Default: entity, the service in its own environment and namespace. */
  match?: QuietPattern['match'];
  /** Of `expected` only. */
  hours?: DayHours;
}

export interface FeedbackRequest {
  label: FeedbackLabel;
  by: string;
  note?: string;
  /** The right service, of `wrong_cause`. */
  cause?: string;
  /** False: the label is kept and changes nothing. */
  apply?: boolean;
  /** Makes the rule although it hides confirmed incidents. */
  force?: boolean;
  scope?: FeedbackScope;
}

export interface FeedbackAnswer {
  /** Null in an answer to what was only a question. */
  feedback: Feedback | null;
  /** Null when there is no rule to ask about. */
  preview: FeedbackPreview | null;
}

export interface MissedRequest {
  service: string;
  fromMs: number;
  toMs: number;
  by: string;
  note?: string;
}

export interface FeedbackQuery {
  incidentId?: string;
  /** When it was said, `[fromMs, toMs)`. */
  fromMs?: number;
  toMs?: number;
  label?: ListedLabel;
  /** Entity id or bare service name. */
  service?: string;
}

/** What counts of one incident is what was said of it last and not taken back. */
export interface FeedbackQuality {
  labels: Record<ListedLabel, number>;
  /** Real (whatever its cause) of real, false and expected; null before anybody said so. */
  precision: number | null;
  /** Real of real and missed. */
  recall: number | null;
}

/** What people say of incidents, for the API, chat buttons and MCP. */
export interface FeedbackService {
  /**
   * Keeps what was said and carries it out; said again by the same person it changes nothing. Undefined when there is no such incident; rejects with
   * `invalid_argument` for what does not go together, `conflict` when a rule would hide confirmed incidents or no new normal is proposed.
   */
  label(incidentId: string, request: FeedbackRequest): Promise<FeedbackAnswer | undefined>;
  /** What `label` would change; it changes nothing. */
  preview(incidentId: string, request: FeedbackRequest): Promise<FeedbackAnswer | undefined>;
  missed(request: MissedRequest): Promise<Feedback>;
  /** Undoes it, and what followed from it. Undefined when unknown; `conflict` for a new normal, which is learned by then. */
  takeBack(id: string, by: string): Promise<Feedback | undefined>;
  /** Newest first. */
  list(query: FeedbackQuery): Promise<Feedback[]>;
  quality(): Promise<FeedbackQuality>;
}
