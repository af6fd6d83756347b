import type { LabelPatterns } from '../../model/incident-labels.ts';
import { coversIncident } from '../../model/incident-labels.ts';
import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import type { DeliveryConfig } from './config.ts';
import { contentOf, isFinal, isTransition, messageState, standingOf } from './delivery-record.ts';
import type { Closure, DeliveryRecord } from './delivery-record.ts';
import { quietUntilMs } from './quiet-hours.ts';

/** What is known of an incident, and since when, milliseconds since the epoch. */
export interface Sighting {
  incident: Incident;
  report: Report | null;
  /** First seen by this process. */
  seenMs: number;
  /** Seen to change last, it or its report. */
  changedMs: number;
}

export interface Situation extends Sighting {
  record: DeliveryRecord | undefined;
  nowMs: number;
  receiver: string;
  owner: string;
  /** Whether the routes name the receiver. */
  isRouted: boolean;
  /** What silences and maintenance mute now. */
  muted: readonly LabelPatterns[];
  /** Whether the receiver may get one more first message this hour. */
  hasRoom: boolean;
  canEdit: boolean;
  /** When it was last held back by settings, not by the receiver. */
  heldMs: number;
  /** When the receiver began to answer again; what failed before may be tried at once. */
  recoveredMs: number;
  /** Incidents that wait behind this message. */
  grouped: number;
}

export type Verdict =
  /** Nothing to do as things stand. */
  | { action: 'none' }
  | { action: 'close'; why: Closure }
  /** `isPending`: it would be sent, were it not for the receiver, its limits or another process. */
  | {
      action: 'wait';
      untilMs: number;
      isPending: boolean;
      why: 'muted' | 'quiet' | 'settling' | 'full' | 'interval' | 'lease' | 'backoff';
    }
  | { action: 'send'; content: string };

const NONE: Verdict = { action: 'none' };

function wait(why: Extract<Verdict, { action: 'wait' }>['why'], untilMs: number, isPending: boolean): Verdict {
  return { action: 'wait', untilMs, isPending, why };
}

/** Whether somebody has set out to tell the receiver: from then on it is told the end as well. */
function hasBegun(record: DeliveryRecord | undefined): boolean {
  return record !== undefined && (record.sent !== null || record.attempts > 0);
}

/** Since when the receiver could have had what it has not. */
export function dueSinceMs({ record, changedMs, heldMs }: Pick<Situation, 'record' | 'changedMs' | 'heldMs'>): number {
  return Math.max(record?.dueMs ?? changedMs, heldMs);
}

/** For an incident that the receiver has heard nothing of: why it does not, or does not yet. */
function firstObstacle(situation: Situation, config: DeliveryConfig): Verdict | undefined {
  const { incident, report, seenMs, nowMs, isRouted, muted, hasRoom } = situation;
  const isOver = isFinal(incident);
  if (incident.mergedInto !== null) return { action: 'close', why: 'merged' };
  if (!isRouted) return isOver ? { action: 'close', why: 'unwanted' } : NONE;
  if (coversIncident(muted, incident)) return isOver ? { action: 'close', why: 'silenced' } : wait('muted', Infinity, false);
  const settledMs = seenMs + config.group_wait * (report === null ? 2 : 1);
  if (nowMs < settledMs) return wait('settling', settledMs, false);
  if (!hasRoom && incident.severity !== 'critical') return wait('full', Infinity, true);
  return undefined;
}

/** What is to be done now about one receiver and one incident. Pure: the same situation gives the same verdict in every process. */
export function judge(situation: Situation, config: DeliveryConfig): Verdict {
  const { incident, report, record, nowMs, receiver, owner, canEdit, grouped, muted } = situation;
  if (record?.closed && record.closed.standing === standingOf(incident)) return NONE;
  const begun = hasBegun(record);
  // Who presses a button looks for an answer.
  const isAnswer = (incident.feedback?.id ?? null) !== (record?.sentFeedback ?? null);
  const isNew = isAnswer || isTransition(record?.sent?.state, messageState(incident, record?.sent ?? null));
  const content = canEdit ? contentOf(incident, report, grouped) : standingOf(incident, record?.severity);
  if (begun && record?.sentContent === content) return NONE;
  const { severity } = incident;
  const quietMs = quietUntilMs(config.quiet_hours, { receiver, severity, nowMs });
  const obstacle = begun ? undefined : firstObstacle(situation, config);
  if (obstacle && !(quietMs !== undefined && obstacle.action === 'wait')) return obstacle;
  // Told once, or perhaps: the end is told all the same.
  const isNews = record?.sent ? isNew : isFinal(incident);
  if (begun && !isNews && coversIncident(muted, incident)) return wait('muted', Infinity, false);
  if (quietMs !== undefined) return wait('quiet', quietMs, false);
  const freeMs = (record?.sentMs ?? -Infinity) + config.update_interval;
  if (!isNew && nowMs < freeMs) return wait('interval', freeMs, false);
  if (nowMs - dueSinceMs(situation) > config.give_up_after) return { action: 'close', why: 'gave_up' };
  const { lease } = record ?? {};
  if (lease && lease.owner !== owner && nowMs < lease.untilMs) return wait('lease', lease.untilMs, true);
  if (record && nowMs < record.nextMs && situation.recoveredMs < record.writtenMs) return wait('backoff', record.nextMs, true);
  return { action: 'send', content };
}
