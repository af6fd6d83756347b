import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';

export type MessageState = 'opened' | 'updated' | 'acknowledged' | 'resolved';
export type NotifierKind = 'slack' | 'slack_webhook' | 'pagerduty' | 'alertmanager' | 'email' | 'teams';

/** What a receiver shall know of an incident now. Telemetry in it is raw: the notifier redacts and escapes what it sends. */
export interface Message {
  /** Id of the delivery: stable per receiver and incident, at most 200 characters. */
  key: string;
  /** Grows with every wanted state of the delivery; the same one says the same. From 1. */
  revision: number;
  state: MessageState;
  incident: Incident;
  /** The newest stored; null while there is none. */
  report: Report | null;
  /** Page of the incident for people; null: none is configured. */
  url: string | null;
  /** Those that the routes saw. */
  labels: Record<string, string>;
  /** Other incidents that wait to be told for a limit's sake; this message names their number. */
  grouped: number;
}

/** What a receiver was told last, as kept in the delivery record: plain JSON. */
export interface Sent {
  /** Names of the sent message at the receiver, such as channel and ts, or dedup_key; `at` is when it was sent (ISO 8601). */
  ref: Record<string, string>;
  revision: number;
  state: MessageState;
}

/** What reads and writes the world outside for one receiver. Holds no state of deliveries, no connection and no timer between sends. */
export interface Notifier {
  readonly kind: NotifierKind;
  readonly supports: {
    /** A later revision changes the sent message instead of adding one. */
    edit: boolean;
    /** A revision sent twice, or sent by a process that died before it was recorded, is one message. */
    dedup: boolean;
  };
  /**
   * Brings the receiver to `message`; `previous` is what it was told last, undefined when nothing is known to have been sent. Resolves
   * once the receiver has taken it. One call per key at a time, by rising revision.
   * Rejects with `unavailable` (try again; `details.retryAfterMs` if the receiver said when), `invalid_config` (never again until the
   * configuration changes; the message is a plain sentence), `not_found` (what was to be changed is gone and cannot be sent anew), or
   * the signal's reason.
   */
  send(message: Message, previous: Sent | undefined, signal: AbortSignal): Promise<Sent>;
}
