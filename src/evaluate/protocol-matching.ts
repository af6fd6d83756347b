import type { EvaluatedIncident, Span } from './protocol-episode.ts';

/** Protocol of the evaluation, items 3 to 7: truths, their zones, one-to-one matching, delay. */

export interface MatchingOptions {
  incidents: readonly EvaluatedIncident[];
  /** First and last moment of each fault. */
  truths: readonly Span[];
  /** Faults that nobody is asked to find: what fires in their zones is neither a hit nor false. */
  unscored?: readonly Span[];
  /** Samples this far apart: a match zone begins one sample before its truth. */
  sampleMs: number;
  /** Scored time; truths that start before it drop out with their zones. */
  scored: Span;
}

export interface Matching {
  /** Truths that are scored, in order of time, as positions in `truths`, each with the incident it took. */
  pairs: { truth: number; incident: EvaluatedIncident | undefined; delayMs: number }[];
  falseIncidents: EvaluatedIncident[];
  /** Further incidents that meet the zone of a matched truth. */
  duplicates: number;
  /** Scored time outside all match and don't-care zones. */
  normalMs: number;
}

const MATCH_TAIL_MS = 300_000;
const IGNORED_TAIL_MS = 600_000;

const meets = (a: Span, b: Span): boolean => a.startMs <= b.endMs && b.startMs <= a.endMs;

/** Length of `whole` that no span covers. */
export function uncoveredMs(whole: Span, spans: readonly Span[]): number {
  let uncovered = 0;
  let reached = whole.startMs;
  for (const { startMs, endMs } of spans.toSorted((a, b) => a.startMs - b.startMs)) {
    uncovered += Math.max(0, Math.min(startMs, whole.endMs) - reached);
    reached = Math.max(reached, Math.min(endMs, whole.endMs));
  }
  return uncovered + Math.max(0, whole.endMs - reached);
}

/** First firing tick inside a zone; an episode under way when the zone begins fires there from its start. */
function firstTickMs(incident: EvaluatedIncident, zone: Span): number {
  let first = Infinity;
  for (const episode of incident.episodes)
    if (meets(episode, zone)) first = Math.min(first, Math.max(episode.startMs, zone.startMs));
  return first;
}

/** Truths in order of t0 each take the earliest unused incident that meets their match zone; one incident never counts for two. */
export function matchIncidents({ incidents, truths, unscored = [], sampleMs, scored }: MatchingOptions): Matching {
  const zoneOf = ({ startMs, endMs }: Span): Span => ({ startMs: startMs - sampleMs, endMs: endMs + MATCH_TAIL_MS });
  const zones = truths.map(zoneOf);
  const guarded = [...zones, ...unscored.map(zoneOf)].map(({ startMs, endMs }) => ({ startMs, endMs: endMs + IGNORED_TAIL_MS }));
  const order = truths
    .map((_, i) => i)
    .filter((i) => (truths[i] as Span).startMs >= scored.startMs && (truths[i] as Span).startMs <= scored.endMs);
  order.sort((a, b) => (truths[a] as Span).startMs - (truths[b] as Span).startMs);
  const used = new Set<EvaluatedIncident>();
  const pairs = order.map((truth) => {
    const zone = zones[truth] as Span;
    const incident = incidents.find((candidate) => !used.has(candidate) && meets(candidate, zone));
    if (incident) used.add(incident);
    const delayMs = incident ? Math.max(0, firstTickMs(incident, zone) - (truths[truth] as Span).startMs) : Infinity;
    return { truth, incident, delayMs };
  });
  const matchedZones = pairs.filter(({ incident }) => incident).map(({ truth }) => zones[truth] as Span);
  const ignored = [{ startMs: -Infinity, endMs: scored.startMs }, ...guarded];
  const falseIncidents: EvaluatedIncident[] = [];
  let duplicates = 0;
  for (const incident of incidents) {
    if (used.has(incident)) continue;
    if (matchedZones.some((zone) => meets(incident, zone))) duplicates++;
    else if (
      !incident.episodes.every((episode) => uncoveredMs(episode, ignored) === 0 && ignored.some((span) => meets(episode, span)))
    ) {
      falseIncidents.push(incident);
    }
  }
  return { pairs, falseIncidents, duplicates, normalMs: uncoveredMs(scored, guarded) };
}

/** Nearest-rank quantile, so that misses may be infinite. NaN of nothing. */
export function rankQuantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length === 0 ? NaN : (sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] as number);
}
