const DAY_MS = 86_400_000;

/** Year, month and day of an incident's start, in UTC. */
export function dayParts(startedAt: string): [year: string, month: string, day: string] {
  const [year = '0000', month = '00', day = '00'] = startedAt.slice(0, 10).split('-');
  return [year, month, day];
}

/** Ids are our own, but a name must stay one whatever they hold. */
export function placeName(incidentId: string): string {
  const name = incidentId.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 200);
  return name === '' ? '_' : name;
}

/**
 * Whether to look for what is older than `beforeMs` under a year, a month of it, or a day of that. A day counts when it was over by
 * then; names that are no such part never do, so that nothing else in the same place is touched.
 */
export function isPast(parts: readonly string[], beforeMs: number): boolean {
  if (!parts.every((part, i) => (i === 0 ? /^\d{4}$/ : /^\d\d$/).test(part))) return false;
  const [year = '', month = '01', day = '01'] = parts;
  const startMs = Date.UTC(Number(year), Number(month) - 1, Number(day));
  return parts.length < 3 ? startMs < beforeMs : startMs + DAY_MS <= beforeMs;
}
