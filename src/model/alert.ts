import type { Anomaly } from './anomaly.ts';
import type { Change, Incident } from './incident.ts';
import type { StoredModel } from './model-record.ts';

/**
 * What the detectors tell the reporters, one JSON document a line of a record's value. A record is what one step of one partition's
 * detector found; repeated after a crash it says the same under the same ids.
 */
export type AlertMessage =
  | { type: 'anomaly'; partition: number; anomaly: Anomaly; evidence: AlertEvidence[] }
  | { type: 'change'; partition: number; change: Change }
  /** The detector of this partition says nothing more about event times below. */
  | { type: 'watermark'; partition: number; watermarkMs: number };

/** What another method than the anomaly itself says of causes among the services of the same partition. */
export interface AlertEvidence {
  service: string;
  points: number;
  reason: string;
  showsAs: Anomaly['signal'];
  isExplicable?: boolean;
}

/** What flows back to every detector; the key is the incident's, the change's or the service's, so that a compacted topic keeps the last. */
export type ControlMessage =
  | { type: 'acknowledge' | 'resolve'; incident: Incident; by: string; atMs: number }
  | { type: 'new_normal'; incident: Incident; decision: 'accept' | 'reject'; by: string; atMs: number }
  | { type: 'change'; change: Change }
  /** The payload in base64. */
  | { type: 'activate'; record: StoredModel['record']; payload: string };

/** Calls between two services within one minute, from traces; key `caller callee minute partition`. */
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
