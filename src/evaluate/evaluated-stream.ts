import { episodeGapMs, groupEpisodes, mergeTicks, type Episode, type EvaluatedIncident, type Span } from './protocol-episode.ts';
import type { Cause } from '../model/incident.ts';
import type { EntityVerdicts, LabelledStream } from './telemetry.ts';

/** An incident of the event engine, in the words of the protocol. */
export interface EventIncident extends EvaluatedIncident {
  detectedMs: number;
  /** When it began, as the engine sees it. */
  onsetMs: number;
  causes: readonly Cause[];
}

/** What the detector's side gave back for one recording. */
export interface Detection {
  verdicts: readonly EntityVerdicts[];
  /** Null where there are no events. */
  incidents: readonly EventIncident[] | null;
  /** Wall time it took. */
  seconds: number;
}

export interface EvaluatedStream<Truth> extends LabelledStream<Truth> {
  detection: Detection;
}

/** Times at which firing verdicts existed, of ticks that lie in a stretch. */
export function firingTimes({ timeMs, endMs, firing }: EntityVerdicts, { startMs, endMs: untilMs }: Span): number[] {
  const times: number[] = [];
  for (let i = 0; i < firing.length; i++) {
    if (firing[i] && (timeMs[i] as number) >= startMs && (timeMs[i] as number) <= untilMs) times.push(endMs[i] as number);
  }
  return times;
}

/** Longest tick of an entity's verdicts; steps are almost always one. */
function stepOf({ timeMs, endMs }: EntityVerdicts): number {
  const steps = endMs.map((end, i) => end - (timeMs[i] as number)).sort();
  return steps[steps.length >> 1] ?? 0;
}

export function episodesOf(verdicts: readonly EntityVerdicts[], scored: Span): Episode[] {
  return verdicts.flatMap((own) => mergeTicks(own.entity, firingTimes(own, scored), episodeGapMs(stepOf(own))));
}

export function incidentsOf(verdicts: readonly EntityVerdicts[], scored: Span): EvaluatedIncident[] {
  return groupEpisodes(episodesOf(verdicts, scored));
}
