import { isoTime } from '../lib/clock.ts';
import type { Incident, IncidentEvent } from '../model/incident.ts';

/** Beyond this the oldest entries but the first are dropped: how it began stays. */
const MAX_EVENTS = 100;

export type EventDetails = Omit<IncidentEvent, 'at' | 'type'>;

/** An incident with one more entry in its history. */
export function withEvent(incident: Incident, type: IncidentEvent['type'], atMs: number, details: EventDetails = {}): Incident {
  const events = [...(incident.events ?? []), { at: isoTime(atMs), type, ...details }];
  if (events.length > MAX_EVENTS) events.splice(1, events.length - MAX_EVENTS);
  return { ...incident, events };
}
