import { incidentsOf, episodesOf, type EvaluatedStream } from '../evaluated-stream.ts';
import { averagePrecision } from '../measures/average-precision.ts';
import type { RowSegment } from '../measures/row-segment.ts';
import { vusPr } from '../measures/vus-pr.ts';
import type { Span } from '../protocol-episode.ts';
import { matchIncidents, type Matching } from '../protocol-matching.ts';
import type { RowTruth } from '../layouts/server-rows.ts';
import { sampleStepMs, verdictsByRow, type EntityTable, type EntityVerdicts } from '../telemetry.ts';

/** Rows of one labelled table with what the detector said of each. */
export interface RowOutcome {
  name: string;
  truth: RowTruth;
  timeMs: Float64Array;
  stepMs: number;
  score: Float64Array;
  firing: Uint8Array;
  /** Tick of the verdicts that a row lies in, -1 for none. */
  tick: Int32Array;
  verdicts: EntityVerdicts | undefined;
  /** Scored time. */
  scored: Span;
  matching: Matching;
  /** Episodes in scored time. */
  episodes: number;
}

export function rowOutcome({ name, telemetry, truth, detection }: EvaluatedStream<RowTruth>): RowOutcome {
  const { timeMs } = telemetry.tables[0] as EntityTable;
  const verdicts = detection.verdicts[0];
  const stepMs = sampleStepMs(timeMs);
  const scored = { startMs: timeMs[truth.firstScored] ?? Infinity, endMs: (timeMs.at(-1) ?? 0) + stepMs };
  const truths = truth.segments.map(([first, last]) => ({ startMs: timeMs[first] as number, endMs: timeMs[last] as number }));
  const matching = matchIncidents({ incidents: incidentsOf(detection.verdicts, scored), truths, sampleMs: stepMs, scored });
  const episodes = episodesOf(detection.verdicts, scored).length;
  return { name, truth, timeMs, stepMs, ...verdictsByRow(timeMs, verdicts), verdicts, scored, matching, episodes };
}

/** Average precision of the rows from `from` on. */
export function rowPrecision({ score, truth }: RowOutcome, from = truth.firstScored): number {
  return averagePrecision(score.subarray(from), truth.labels.subarray(from));
}

export function rowVus({ score, truth }: RowOutcome): number {
  return vusPr(score.subarray(truth.firstScored), truth.labels.subarray(truth.firstScored));
}

export interface EpisodeCounts {
  hits: number;
  segments: number;
  wrong: number;
}

/**
 * The sets' own incident measure: firing rows outside segments are merged over gaps of at most `gapMs` into false episodes; a segment
 * with a firing row is hit. `merged`: episodes are made of all firing rows first, and are false when they touch no segment.
 */
export function episodeCounts({ timeMs, firing, truth }: RowOutcome, gapMs: number, merged: boolean): EpisodeCounts {
  const inSegment = new Uint8Array(timeMs.length);
  for (const [first, last] of truth.segments) inSegment.fill(1, first, last + 1);
  const scored = truth.segments.filter(([first]) => first >= truth.firstScored);
  const fires = ([first, last]: RowSegment): boolean => firing.subarray(first, last + 1).includes(1);
  let wrong = 0;
  let lastMs = -Infinity;
  let touches = true;
  for (let row = truth.firstScored; row < timeMs.length; row++) {
    if (!firing[row] || (inSegment[row] && !merged)) continue;
    const isNew = (timeMs[row] as number) - lastMs > gapMs;
    if (isNew && !touches) wrong++;
    if (isNew) touches = false;
    if (inSegment[row]) touches = true;
    lastMs = timeMs[row] as number;
  }
  if (!touches) wrong++;
  return { hits: scored.filter(fires).length, segments: scored.length, wrong };
}
