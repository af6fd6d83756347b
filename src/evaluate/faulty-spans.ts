import type { EvaluatedStream } from './evaluated-stream.ts';
import type { IssueTruth } from './layouts/component-metrics.ts';
import type { CaseTruth } from './layouts/resource-rows.ts';
import type { RowTruth } from './layouts/server-rows.ts';
import type { FaultTruth } from './layouts/service-metrics.ts';
import type { Span } from './protocol-episode.ts';
import type { EntityVerdicts } from './telemetry.ts';

export type AnyTruth = RowTruth | FaultTruth | IssueTruth | CaseTruth;

const WARM_UP_ROWS = 20;

/** Times at which something is wrong, by the labels. */
export function faultySpans({ telemetry, truth }: EvaluatedStream<AnyTruth>): readonly Span[] {
  const timeMs = telemetry.tables[0]?.timeMs ?? new Float64Array();
  if ('segments' in truth) {
    return truth.segments.map(([first, last]) => ({ startMs: timeMs[first] as number, endMs: timeMs[last] as number }));
  }
  if ('faults' in truth) return truth.faults;
  if ('onsetMs' in truth) return [{ startMs: truth.onsetMs, endMs: truth.endMs }];
  const lastMs = Math.max(...telemetry.tables.map((table) => table.timeMs.at(-1) ?? -Infinity));
  return [{ startMs: lastMs - 3 * truth.stepMs, endMs: lastMs }];
}

/** End of the warm-up. */
export function scoredFromMs({ telemetry, truth }: EvaluatedStream<AnyTruth>): number {
  const timeMs = telemetry.tables[0]?.timeMs ?? new Float64Array();
  if ('segments' in truth) return timeMs[truth.firstScored] ?? Infinity;
  if ('faults' in truth) return Math.min(...telemetry.tables.map((table) => table.timeMs[WARM_UP_ROWS] ?? Infinity));
  if ('onsetMs' in truth) return truth.scoredFromMs;
  return timeMs[truth.normalRows >> 1] ?? Infinity;
}

/** The series with the largest residual of a tick; none where no residual was worth keeping. */
export function leadingSeries({ series, residuals }: EntityVerdicts, tick: number): readonly [name: string, residual: number] {
  let best = -1;
  for (let i = 0; i < series.length; i++) {
    const size = Math.abs(residuals[tick * series.length + i] as number);
    if (size > 0 && (best < 0 || size > Math.abs(residuals[tick * series.length + best] as number))) best = i;
  }
  return best < 0 ? ['', 0] : [series[best] as string, residuals[tick * series.length + best] as number];
}
