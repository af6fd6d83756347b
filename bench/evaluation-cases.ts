import { incidentsOf, type EvaluatedStream } from '../src/evaluate/evaluated-stream.ts';
import { faultySpans, leadingSeries, scoredFromMs, type AnyTruth } from '../src/evaluate/faulty-spans.ts';
import type { EvaluatedIncident, Span } from '../src/evaluate/protocol-episode.ts';
import { matchIncidents } from '../src/evaluate/protocol-matching.ts';
import { sampleStepMs, type EntityVerdicts } from '../src/evaluate/telemetry.ts';

export type CaseKind = 'hit' | 'miss' | 'false alarm';

/** One thing to be looked at, in one series of one entity. */
export interface PlottedCase {
  kind: CaseKind;
  stream: EvaluatedStream<AnyTruth>;
  verdicts: EntityVerdicts;
  series: string;
  /** The fault, or the false incident. */
  span: Span;
  delayMs: number;
}

interface Peak {
  verdicts: EntityVerdicts;
  tick: number;
  score: number;
}

/** All entities, or the front door alone where faults are looked for there. */
function watched({ detection, truth }: EvaluatedStream<AnyTruth>): readonly EntityVerdicts[] {
  return 'target' in truth ? detection.verdicts.filter(({ entity }) => entity === truth.target) : detection.verdicts;
}

/** The highest score of any entity in a stretch; ties go to the earlier entity and tick. */
function peakIn(stream: EvaluatedStream<AnyTruth>, { startMs, endMs }: Span, firingOnly: boolean): Peak | undefined {
  let best: Peak | undefined;
  for (const verdicts of watched(stream)) {
    for (let tick = 0; tick < verdicts.score.length; tick++) {
      const timeMs = verdicts.endMs[tick] as number;
      if (timeMs < startMs || timeMs > endMs || (firingOnly && !verdicts.firing[tick])) continue;
      const score = verdicts.score[tick] as number;
      if (!best || score > best.score) best = { verdicts, tick, score };
    }
  }
  return best;
}

interface Found {
  kind: CaseKind;
  stream: EvaluatedStream<AnyTruth>;
  span: Span;
  delayMs: number;
  /** Where its peak is looked for. */
  zone: Span;
}

function foundIn(stream: EvaluatedStream<AnyTruth>): Found[] {
  const stepMs = Math.max(...stream.telemetry.tables.map(({ timeMs }) => sampleStepMs(timeMs)));
  const truths = faultySpans(stream);
  const lastMs = Math.max(...stream.telemetry.tables.map(({ timeMs }) => timeMs.at(-1) ?? -Infinity));
  const scored = { startMs: scoredFromMs(stream), endMs: lastMs + stepMs };
  const incidents = incidentsOf(watched(stream), scored);
  const { pairs, falseIncidents } = matchIncidents({ incidents, truths, sampleMs: stepMs, scored });
  const zoneOf = ({ startMs, endMs }: Span): Span => ({ startMs: startMs - stepMs, endMs: endMs + 300_000 });
  return [
    ...pairs.map(({ truth, incident, delayMs }): Found => {
      const span = truths[truth] as Span;
      return { kind: incident ? 'hit' : 'miss', stream, span, delayMs, zone: zoneOf(span) };
    }),
    ...falseIncidents.map((incident: EvaluatedIncident): Found => ({
      kind: 'false alarm',
      stream,
      span: incident,
      delayMs: NaN,
      zone: incident,
    })),
  ];
}

function plotted({ kind, stream, span, delayMs, zone }: Found): PlottedCase | undefined {
  const peak = peakIn(stream, zone, kind !== 'miss') ?? peakIn(stream, zone, false);
  if (!peak) return undefined;
  const [leader] = leadingSeries(peak.verdicts, peak.tick);
  return { kind, stream, verdicts: peak.verdicts, series: leader || (peak.verdicts.series[0] as string), span, delayMs };
}

/**
 * Of a set one hit, one miss and one false alarm, by rule: the hit with the median delay, the first miss, the false alarm with the
 * highest score; each in the entity with the highest score and the series with the largest residual there.
 */
export function chooseCases(streams: readonly EvaluatedStream<AnyTruth>[]): PlottedCase[] {
  const found = streams.filter(({ detection }) => detection.verdicts.length > 0).flatMap(foundIn);
  const hits = found.filter(({ kind }) => kind === 'hit').toSorted((a, b) => a.delayMs - b.delayMs);
  const misses = found.filter(({ kind }) => kind === 'miss');
  const alarms = found.filter(({ kind }) => kind === 'false alarm');
  const scores = alarms.map(({ stream, zone }) => peakIn(stream, zone, true)?.score ?? 0);
  const loudest = alarms[scores.indexOf(Math.max(...scores))];
  const chosen = [hits[(hits.length - 1) >> 1], misses[0], loudest];
  return chosen.flatMap((own) => (own ? (plotted(own) ?? []) : []));
}
