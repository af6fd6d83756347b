import { isoTime } from '../lib/clock.ts';
import type { Cause, Incident } from '../model/incident.ts';
import type { IncidentFeedback } from '../model/feedback.ts';
import type { DetectorCommand } from './detector.ts';
import { withEvent } from './incident-history.ts';

/** Ranked causes with the one first that a person has named, with whatever is known of it. */
export function withNamedCause(causes: readonly Cause[], feedback: IncidentFeedback | null | undefined): Cause[] {
  const service = feedback?.cause ?? null;
  if (service === null) return [...causes];
  const [first] = causes;
  const known = causes.find((cause) => cause.service === service);
  const reason = `Named by ${feedback?.by}.${known ? ` ${known.reason}` : ''}`;
  const named = { service, signal: known?.signal ?? first?.signal ?? ('multivariate' as const), evidence: known?.evidence ?? [] };
  const rest = causes.filter((cause) => cause !== known);
  return [{ ...named, reason }, ...rest].map((cause, index) => ({ ...cause, rank: index + 1 }));
}

/** An incident with what a person says of it, or without when that is taken back; `causes` are those ranked without a person. */
export function labelled(incident: Incident, command: Extract<DetectorCommand, { type: 'label' }>): Incident {
  const { feedback, by, atMs } = command;
  if (feedback?.id === incident.feedback?.id && Boolean(feedback) === Boolean(incident.feedback)) {
    return { ...incident, causes: withNamedCause(incident.causes, feedback) };
  }
  const updatedAt = isoTime(Math.max(atMs, Date.parse(incident.updatedAt)));
  const next = { ...incident, updatedAt, feedback, causes: withNamedCause(incident.causes, feedback) };
  const label = feedback?.label ?? incident.feedback?.label;
  return withEvent(next, feedback ? 'labelled' : 'label_taken_back', atMs, { by, ...(label ? { label } : {}) });
}
