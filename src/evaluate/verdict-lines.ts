import { isoTime } from '../lib/clock.ts';
import type { EvaluatedStream } from './evaluated-stream.ts';
import type { CaseTruth } from './layouts/resource-rows.ts';
import type { IssueTruth } from './layouts/component-metrics.ts';
import type { RowTruth } from './layouts/server-rows.ts';
import type { FaultTruth } from './layouts/service-metrics.ts';
import type { Span } from './protocol-episode.ts';
import type { EntityVerdicts } from './telemetry.ts';

export const VERDICTS_HEAD = 'set,recording,entity,time,score,firing,label,series,residual';

type AnyTruth = RowTruth | FaultTruth | IssueTruth | CaseTruth;

/** Times at which something is wrong, by the labels. */
function faultySpans({ telemetry, truth }: EvaluatedStream<AnyTruth>): readonly Span[] {
  const timeMs = telemetry.tables[0]?.timeMs ?? new Float64Array();
  if ('segments' in truth) {
    return truth.segments.map(([first, last]) => ({ startMs: timeMs[first] as number, endMs: timeMs[last] as number }));
  }
  if ('faults' in truth) return truth.faults;
  if ('onsetMs' in truth) return [{ startMs: truth.onsetMs, endMs: truth.endMs }];
  const lastMs = Math.max(...telemetry.tables.map((table) => table.timeMs.at(-1) ?? -Infinity));
  return [{ startMs: lastMs - 3 * truth.stepMs, endMs: lastMs }];
}

/** The series with the largest residual of a tick. */
function leader({ series, residuals }: EntityVerdicts, tick: number): readonly [name: string, residual: number] {
  let best = -1;
  for (let i = 0; i < series.length; i++) {
    const size = Math.abs(residuals[tick * series.length + i] as number);
    if (size > 0 && (best < 0 || size > Math.abs(residuals[tick * series.length + best] as number))) best = i;
  }
  return best < 0 ? ['', 0] : [series[best] as string, residuals[tick * series.length + best] as number];
}

const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Every verdict of a recording as a line of CSV, each ended. */
export function verdictLines(set: string, stream: EvaluatedStream<unknown>): string {
  const spans = faultySpans(stream as EvaluatedStream<AnyTruth>);
  const lines = stream.detection.verdicts.flatMap((own) =>
    Array.from(own.timeMs, (timeMs, tick) => {
      const label = spans.some(({ startMs, endMs }) => timeMs >= startMs && timeMs <= endMs) ? 1 : 0;
      const [series, residual] = leader(own, tick);
      const score = (own.score[tick] as number).toPrecision(4);
      const names = [set, stream.name, own.entity].map(cell).join(',');
      return `${names},${isoTime(timeMs)},${score},${own.firing[tick]},${label},${cell(series)},${residual.toPrecision(3)}\n`;
    }),
  );
  return lines.join('');
}
