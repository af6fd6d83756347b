import type { Entity } from './entity-state.ts';
import { SIGNALS, type Episode } from './episode.ts';

/** What is going on, by entity. */
export function* openEpisodes(entities: Iterable<Entity>): Generator<Episode> {
  for (const { state } of entities) {
    for (const signal of SIGNALS) if (state.episodes[signal].open) yield state.episodes[signal];
  }
}

/** Has these anomalies end in silence: a person resolved their incident. */
export function muteEpisodes(entities: Iterable<Entity>, anomalyIds: readonly string[]): void {
  const ids = new Set(anomalyIds);
  for (const episode of openEpisodes(entities)) {
    if (episode.anomaly && ids.has(episode.anomaly.id)) episode.muted = true;
  }
}
