/** A fault that really happened, milliseconds since the epoch. */
export interface Truth {
  startMs: number;
  endMs: number;
}

/** The time that an incident was firing: from its first verdict to the end of its last anomaly. */
export interface FiringSpan {
  startMs: number;
  endMs: number;
}

export interface MatchingOptions {
  /** Step of the verdicts; a match zone begins one step before its truth. */
  sampleMs: number;
  /** End of the warm-up and start of scoring. */
  scoredFromMs: number;
  scoredToMs: number;
}

export interface Match<T, I> {
  truth: T;
  incident: I | null;
  /** First verdict in the match zone minus the truth's start; Infinity when missed. */
  delayMs: number;
}

export interface Matching<T, I> {
  matches: Match<T, I>[];
  /** Further incidents in the zone of a matched truth: neither true nor false. */
  duplicates: I[];
  falseIncidents: I[];
  /** Incidents that met only warm-up or don't-care time. */
  ignored: I[];
  /** Scored time outside all match and don't-care zones. */
  normalMs: number;
}

interface Zone {
  startMs: number;
  endMs: number;
}

const MATCH_TAIL_MS = 5 * 60_000;
const DONT_CARE_MS = 10 * 60_000;

/**
 * One-to-one matching of incidents to truths: truths in order of start, each takes the earliest unused incident that meets
 * its match zone `[start - sample, end + 5 min]`; ten more minutes after the zone count neither way.
 */
export function matchIncidents<T extends Truth, I extends FiringSpan>(
  truths: readonly T[],
  incidents: readonly I[],
  options: MatchingOptions,
): Matching<T, I> {
  const zoneOf = ({ startMs, endMs }: Truth): Zone => ({ startMs: startMs - options.sampleMs, endMs: endMs + MATCH_TAIL_MS });
  const scored = truths.filter(({ startMs }) => startMs >= options.scoredFromMs).toSorted((a, b) => a.startMs - b.startMs);
  const unused = new Set(incidents.toSorted((a, b) => a.startMs - b.startMs));
  const matches = scored.map((truth): Match<T, I> => {
    const zone = zoneOf(truth);
    const incident = [...unused].find((candidate) => meets(candidate, zone)) ?? null;
    if (!incident) return { truth, incident, delayMs: Infinity };
    unused.delete(incident);
    return { truth, incident, delayMs: Math.max(incident.startMs, zone.startMs) - truth.startMs };
  });
  const matchedZones = matches.filter(({ incident }) => incident !== null).map(({ truth }) => zoneOf(truth));
  const careless = truths.map(zoneOf).map(({ startMs, endMs }) => ({ startMs, endMs: endMs + DONT_CARE_MS }));
  const unscored = [
    ...careless,
    { startMs: -Infinity, endMs: options.scoredFromMs },
    { startMs: options.scoredToMs, endMs: Infinity },
  ];
  const duplicates = [...unused].filter((incident) => matchedZones.some((zone) => meets(incident, zone)));
  const rest = [...unused].filter((incident) => !duplicates.includes(incident));
  const ignored = rest.filter((incident) => uncoveredMs(incident, unscored) === 0);
  return {
    matches,
    duplicates,
    falseIncidents: rest.filter((incident) => !ignored.includes(incident)),
    ignored,
    normalMs: uncoveredMs({ startMs: options.scoredFromMs, endMs: options.scoredToMs }, careless),
  };
}

function meets(span: FiringSpan, zone: Zone): boolean {
  return span.startMs <= zone.endMs && span.endMs >= zone.startMs;
}

/** How much of a span lies in none of the zones; a span without length counts as one millisecond. */
function uncoveredMs({ startMs, endMs }: FiringSpan, zones: readonly Zone[]): number {
  const lastMs = Math.max(endMs, startMs + 1);
  let uncovered = 0;
  let at = startMs;
  for (const zone of zones.toSorted((a, b) => a.startMs - b.startMs)) {
    if (zone.endMs <= at || zone.startMs >= lastMs) continue;
    uncovered += Math.max(0, zone.startMs - at);
    at = zone.endMs;
  }
  return uncovered + Math.max(0, lastMs - at);
}
