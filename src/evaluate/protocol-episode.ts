/** Protocol of the evaluation, items 1 and 2: firing ticks to episodes, episodes to incidents. */

/** A stretch of time, both ends included, milliseconds since the epoch. */
export interface Span {
  startMs: number;
  endMs: number;
}

export interface Episode extends Span {
  entity: string;
}

export interface EvaluatedIncident extends Span {
  episodes: readonly Episode[];
}

const MERGE_GAP_MS = 600_000;
const MERGE_SAMPLES = 2;
const INCIDENT_GAP_MS = 300_000;

/** Gap up to which firing ticks of one entity are one episode. */
export function episodeGapMs(stepMs: number): number {
  return Math.max(MERGE_GAP_MS, MERGE_SAMPLES * stepMs);
}

/** Episodes of one entity. `firingMs`: times at which firing verdicts existed, ascending. */
export function mergeTicks(entity: string, firingMs: Iterable<number>, gapMs: number): Episode[] {
  const episodes: Episode[] = [];
  for (const timeMs of firingMs) {
    const last = episodes.at(-1);
    if (last && timeMs - last.endMs <= gapMs) last.endMs = timeMs;
    else episodes.push({ entity, startMs: timeMs, endMs: timeMs });
  }
  return episodes;
}

/** Episodes of any entities of one system that overlap or lie within 5 min of each other, transitively; in order of time. */
export function groupEpisodes(episodes: readonly Episode[], gapMs = INCIDENT_GAP_MS): EvaluatedIncident[] {
  const groups: { startMs: number; endMs: number; episodes: Episode[] }[] = [];
  for (const episode of episodes.toSorted((a, b) => a.startMs - b.startMs)) {
    const last = groups.at(-1);
    if (last && episode.startMs - last.endMs <= gapMs) {
      last.endMs = Math.max(last.endMs, episode.endMs);
      last.episodes.push(episode);
    } else {
      groups.push({ startMs: episode.startMs, endMs: episode.endMs, episodes: [episode] });
    }
  }
  return groups;
}
