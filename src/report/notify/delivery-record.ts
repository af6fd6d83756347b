import { createHash } from 'node:crypto';
import { SEVERITIES } from '../../model/incident-labels.ts';
import type { Severity } from '../../model/anomaly.ts';
import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import type { MessageState, Sent } from './notifier.ts';

/** Why nothing is sent about an incident as it stands. */
export type Closure = 'unwanted' | 'silenced' | 'merged' | 'gave_up' | 'gone' | 'refused';

/** What was sent, or is being sent, to one receiver about one incident: the value of `delivery/<receiver>/<incident id>`. Times in ms since the epoch. */
export interface DeliveryRecord {
  /** Of the newest message that somebody set out to send; from 1. */
  revision: number;
  /** What that message says, as `contentOf` tells it. */
  content: string;
  /** The most severe that the receiver was told. */
  severity: Severity;
  sent: Sent | null;
  sentContent: string | null;
  /** What people had said of the incident by then. */
  sentFeedback: string | null;
  firstSentMs: number | null;
  sentMs: number | null;
  /** Since when there is something that the receiver has not taken; null: it has everything. */
  dueMs: number | null;
  /** Since then. More than none without `sent`: the receiver may have a message that nobody has recorded. */
  attempts: number;
  nextMs: number;
  /** Who is sending; others keep away until then. */
  lease: { owner: string; untilMs: number } | null;
  closed: { why: Closure; standing: string } | null;
  /** Of the last write. */
  writtenMs: number;
}

/** Of an incident that nobody has set out to tell of. */
export function blankRecord(incident: Incident): DeliveryRecord {
  const nothing = {
    sent: null,
    sentContent: null,
    sentFeedback: null,
    firstSentMs: null,
    sentMs: null,
    dueMs: null,
    lease: null,
    closed: null,
  };
  return { revision: 0, content: '', severity: incident.severity, attempts: 0, nextMs: 0, writtenMs: 0, ...nothing };
}

const PREFIX = 'delivery/';
const HASH_LENGTH = 16;
const MAX_NAME = 100;

/** Any name as part of a key, within a hundred characters and one to one. */
function receiverPart(receiver: string): string {
  const encoded = encodeURIComponent(receiver);
  if (encoded.length <= MAX_NAME) return encoded;
  return `${encoded.slice(0, MAX_NAME - HASH_LENGTH - 1)}~${createHash('sha256').update(receiver).digest('hex').slice(0, HASH_LENGTH)}`;
}

/** Key of what is kept of a receiver as a whole; those of its deliveries begin with it and a slash. */
export function receiverKey(receiver: string): string {
  return PREFIX + receiverPart(receiver);
}

/** Stable per receiver and incident, and the same in every process. */
export function deliveryId(receiver: string, incidentId: string): string {
  return `${receiverPart(receiver)}/${incidentId}`;
}

export function deliveryKey(receiver: string, incidentId: string): string {
  return PREFIX + deliveryId(receiver, incidentId);
}

export function isFinal({ status, mergedInto }: Pick<Incident, 'status' | 'mergedInto'>): boolean {
  return status === 'resolved' || mergedInto !== null;
}

/** What a person would call another situation: who answers for it, how bad it was at worst, where it went. */
export function standingOf(incident: Incident, told?: Severity): string {
  const rank = Math.max(SEVERITIES.indexOf(incident.severity), told === undefined ? 0 : SEVERITIES.indexOf(told));
  return [isFinal(incident) ? 'resolved' : incident.status, SEVERITIES[rank], incident.mergedInto ?? ''].join(' ');
}

/** A short hash of everything that a message in place shows: another one means that it has to change. */
export function contentOf(incident: Incident, report: Pick<Report, 'version'> | null, grouped: number): string {
  const { status, severity, title, services, causes, acknowledgedBy, acknowledgedAt, resolvedAt, mergedInto } = incident;
  const shown = [status, severity, title, services, causes, acknowledgedBy, acknowledgedAt, resolvedAt, mergedInto];
  const { newNormal, feedback } = incident;
  const text = JSON.stringify([...shown, newNormal?.state ?? null, feedback?.id ?? null, report?.version ?? 0, grouped]);
  return createHash('sha256').update(text).digest('hex').slice(0, HASH_LENGTH);
}

export function messageState(incident: Incident, sent: Sent | null): MessageState {
  if (isFinal(incident)) return 'resolved';
  if (incident.status === 'acknowledged') return 'acknowledged';
  return sent !== null && sent.state !== 'resolved' ? 'updated' : 'opened';
}

/** Whether the message would be another for a pager: opened and updated are the same. */
export function isTransition(from: MessageState | undefined, to: MessageState): boolean {
  const plain = (state: MessageState): string => (state === 'updated' ? 'opened' : state);
  return from === undefined || plain(from) !== plain(to);
}
