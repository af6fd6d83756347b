import type { Anomaly } from './anomaly.ts';
import type { IncidentFeedback, QuietRules } from './feedback.ts';
import type { Change, Incident } from './incident.ts';
import type { StoredModel } from './model-record.ts';

/**
 * What the detectors tell the reporters, one JSON document a line of a record's value. A record is what one step of one partition's
 * detector found; repeated after a crash it says the same under the same keys. `atMs` is the event time at which it became known:
 * for an anomaly the end of the step that changed it, and by it what all partitions say is put into one order.
 */
export type AlertMessage =
  | {
      type: 'anomaly';
      partition: number;
      atMs: number;
      /** Its newest form; which incident it belongs to is not for the detector to say. */
      anomaly: Anomaly;
      evidence: AlertEvidence[];
      /** How the service's traffic moved in the last two hours (detect/co-movement.ts), in base64. */
      movement?: string;
    }
  | { type: 'change'; partition: number; atMs: number; change: Change }
  /** Calls that were not known before, from traces. */
  | { type: 'edges'; partition: number; atMs: number; edges: AlertEdge[] }
  /**
   * Of this partition (of the events, or of the traces) nothing more comes with an `atMs` up to here, but for what comes late: received
   * metrics that lag behind the events, changes read off late events, and answers to people's decisions.
   */
  | { type: 'watermark'; partition: number; of: AlertSource; watermarkMs: number };

/** The last moment that a date can hold: a source that says so has nothing to wait for, until it says another. */
export const NEVER_MS = 8.64e15;

export type AlertSource = 'events' | 'traces';
export type FiledAlert = Exclude<AlertMessage, { type: 'watermark' }>;

/** What another method than the anomaly itself says of causes among the services of the same partition. */
export interface AlertEvidence {
  service: string;
  points: number;
  reason: string;
  showsAs?: Anomaly['signal'];
  isExplicable?: boolean;
}

export interface AlertEdge {
  caller: string;
  callee: string;
  count: number;
}

const RANK = { edges: 0, change: 1, anomaly: 2 } as const;

/** Names a message among those of the same `atMs`, and puts these into order: first what is known, then what happened. */
export function alertKey(message: FiledAlert): string {
  const rank = RANK[message.type];
  if (message.type === 'edges') return `${rank} ${String(message.partition).padStart(5, '0')}`;
  if (message.type === 'change') return `${rank} ${message.change.id}`;
  return `${rank} ${message.anomaly.id} ${message.anomaly.state}`;
}

/** What flows back to every detector, under `controlKey`, so that a compacted topic keeps the last of each. */
export type ControlMessage =
  | { type: 'acknowledge' | 'resolve'; incident: Incident; by: string; atMs: number }
  | { type: 'new_normal'; incident: Incident; decision: 'accept' | 'reject'; by: string; atMs: number }
  | { type: 'change'; change: Change }
  /** The payload in base64; `atMs` tells a second activation of one version from a repeat of the first. */
  | { type: 'activate'; record: StoredModel['record']; payload: string; atMs: number };

export function controlKey(message: ControlMessage): string {
  if (message.type === 'change') return `change ${message.change.id}`;
  if (message.type === 'activate') return `activate ${message.record.service}`;
  return `${message.type} ${message.incident.id}`;
}

/** What people decide. */
export type IncidentDecision =
  | { type: 'acknowledge' | 'resolve'; incidentId: string; by: string; atMs: number }
  | { type: 'new_normal'; incidentId: string; decision: 'accept' | 'reject'; by: string; atMs: number }
  /** Null takes back what was said. */
  | { type: 'label'; incidentId: string; feedback: IncidentFeedback | null; by: string; atMs: number }
  /** All that are in force, whoever made them. Of no concern to detectors: what calls is for the desk to say. */
  | ({ type: 'quiet_rules'; atMs: number } & QuietRules)
  | { type: 'change'; change: Change };

/** What alerts or a decision changed, each document once in its newest form. */
export interface FiledDocuments {
  anomalies: Anomaly[];
  incidents: Incident[];
  changes: Change[];
}

/** What a decision did: `control` is for the detectors. */
export type DecisionAnswer =
  | (FiledDocuments & { incident: Incident | undefined; control: ControlMessage[] })
  /** `not_found`: no such incident, or it has been over for long; `conflict`: it proposes nothing to decide on. */
  | { refusal: DecisionRefusal };
export type DecisionRefusal = 'not_found' | 'conflict';

/** Calls between two services within one minute, from traces. */
export interface EdgeMessage {
  caller: string;
  callee: string;
  /** Start of the minute, milliseconds since the epoch. */
  minuteMs: number;
  /** Partition of the traces it was seen in. */
  partition: number;
  count: number;
  errorCount: number;
  /** Client time less server time: pairs of histogram bucket (model/histogram.ts) and count. */
  gapHistogram: [bucket: number, count: number][];
}

export function edgeKey({ caller, callee, minuteMs, partition }: EdgeMessage): string {
  return [caller, callee, minuteMs, partition].join(' ');
}
