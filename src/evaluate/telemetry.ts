/** Rows of one entity in order of time. Two rows may carry the same time. */
export interface EntityTable {
  entity: string;
  series: readonly string[];
  /** UCUM unit of each series, where the recording declares one. */
  units?: readonly (string | undefined)[];
  /** Start of each sample, milliseconds since the epoch. */
  timeMs: Float64Array;
  /** Rows by series, row-major; NaN is a missing value. */
  values: Float64Array;
}

/** All that the detector's side ever sees of a recording. */
export interface Telemetry {
  tables: readonly EntityTable[];
  /** NDJSON events, maybe gzip. */
  eventsPath: string | null;
  /** Calls from one entity to another, where the recording says so. */
  calls: readonly (readonly [caller: string, callee: string])[];
}

/** One recording, and what only scorers may read. */
export interface LabelledStream<Truth> {
  name: string;
  telemetry: Telemetry;
  truth: Truth;
}

/** What a detector said of one entity, in order of time. */
export interface EntityVerdicts {
  entity: string;
  series: readonly string[];
  /** A tick covers [timeMs, endMs); its verdict exists at endMs. */
  timeMs: Float64Array;
  endMs: Float64Array;
  score: Float64Array;
  firing: Uint8Array;
  /** Ticks by series, row-major: the residual of each finding, 0 for series without one. */
  residuals: Float32Array;
}

/** Median distance of successive rows, at least 1 ms; `fallbackMs` when there is none. */
export function sampleStepMs(timeMs: Float64Array, fallbackMs = 60_000): number {
  const steps = timeMs
    .subarray(1)
    .map((time, i) => time - (timeMs[i] as number))
    .filter((step) => step > 0)
    .sort();
  return steps.length === 0 ? fallbackMs : (steps[steps.length >> 1] as number);
}

/** Score and firing of each row: those of the tick it lies in, 0 where there is none. */
export function verdictsByRow(
  timeMs: Float64Array,
  verdicts: EntityVerdicts | undefined,
): { score: Float64Array; firing: Uint8Array; tick: Int32Array } {
  const score = new Float64Array(timeMs.length);
  const firing = new Uint8Array(timeMs.length);
  const tick = new Int32Array(timeMs.length).fill(-1);
  if (!verdicts) return { score, firing, tick };
  let at = 0;
  for (let row = 0; row < timeMs.length; row++) {
    const time = timeMs[row] as number;
    while (at + 1 < verdicts.timeMs.length && (verdicts.timeMs[at + 1] as number) <= time) at++;
    if (!((verdicts.timeMs[at] as number) <= time && time < (verdicts.endMs[at] as number))) continue;
    score[row] = verdicts.score[at] as number;
    firing[row] = verdicts.firing[at] as number;
    tick[row] = at;
  }
  return { score, firing, tick };
}
