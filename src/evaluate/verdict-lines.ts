import { isoTime } from '../lib/clock.ts';
import type { EvaluatedStream } from './evaluated-stream.ts';
import { faultySpans, leadingSeries, type AnyTruth } from './faulty-spans.ts';

export const VERDICTS_HEAD = 'set,recording,entity,time,score,firing,label,series,residual';

const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Every verdict of a recording as a line of CSV, each ended. */
export function verdictLines(set: string, stream: EvaluatedStream<unknown>): string {
  const spans = faultySpans(stream as EvaluatedStream<AnyTruth>);
  const lines = stream.detection.verdicts.flatMap((own) =>
    Array.from(own.timeMs, (timeMs, tick) => {
      const label = spans.some(({ startMs, endMs }) => timeMs >= startMs && timeMs <= endMs) ? 1 : 0;
      const [series, residual] = leadingSeries(own, tick);
      const score = (own.score[tick] as number).toPrecision(4);
      const names = [set, stream.name, own.entity].map(cell).join(',');
      return `${names},${isoTime(timeMs)},${score},${own.firing[tick]},${label},${cell(series)},${residual.toPrecision(3)}\n`;
    }),
  );
  return lines.join('');
}
