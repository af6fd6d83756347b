import { isoTime } from '../lib/clock.ts';
import type { IncidentFeedback } from '../model/feedback.ts';
import type { Cause, Incident } from '../model/incident.ts';
import type { DetectorCommand } from './detector.ts';
import { withEvent } from './incident-history.ts';

const wordsOf = ({ by }: IncidentFeedback): string => `Named by ${by}.`;

function numbered(causes: readonly Cause[]): Cause[] {
  return causes.map((cause, index) => ({ ...cause, rank: index + 1 }));
}

/** Ranked causes with the one first that a person has named, with whatever is known of it. */
export function withNamedCause(causes: readonly Cause[], feedback: IncidentFeedback | null | undefined): Cause[] {
  const service = feedback?.cause ?? null;
  if (!feedback || service === null) return [...causes];
  const known = causes.find((cause) => cause.service === service);
  const named: Cause = {
    rank: 1,
    service,
    signal: known?.signal ?? causes[0]?.signal ?? 'multivariate',
    reason: known ? `${wordsOf(feedback)} ${known.reason}` : wordsOf(feedback),
    evidence: known?.evidence ?? [],
    rankBefore: known?.rank ?? 0,
  };
  return numbered([named, ...causes.filter((cause) => cause !== known)]);
}

/** The causes as they were ranked before a person named one. */
function withoutNamedCause({ causes, feedback }: Incident): Cause[] {
  const named = causes.find(({ rankBefore }) => rankBefore !== undefined);
  if (!named || !feedback) return causes;
  const { rankBefore = 0, ...cause } = named;
  const rest = causes.filter((other) => other !== named);
  if (rankBefore === 0) return numbered(rest);
  return numbered(rest.toSpliced(rankBefore - 1, 0, { ...cause, reason: cause.reason.slice(wordsOf(feedback).length + 1) }));
}

/** An incident with what a person says of it, or as it was before when that is taken back. */
export function labelled(incident: Incident, command: Extract<DetectorCommand, { type: 'label' }>): Incident {
  const { feedback, by, atMs } = command;
  if ((feedback?.id ?? null) === (incident.feedback?.id ?? null)) return incident;
  const updatedAt = isoTime(Math.max(atMs, Date.parse(incident.updatedAt)));
  const causes = withNamedCause(withoutNamedCause(incident), feedback);
  const label = feedback?.label ?? incident.feedback?.label;
  const next = { ...incident, updatedAt, feedback, causes };
  return withEvent(next, feedback ? 'labelled' : 'label_taken_back', atMs, { by, ...(label ? { label } : {}) });
}
