import type { Prng } from '../../lib/prng.ts';
import { rankingInput, seriesKey, type Ranker } from '../cause-ranking.ts';
import { episodesOf, firingTimes, incidentsOf, type EvaluatedStream } from '../evaluated-stream.ts';
import { quantileFigure, shareFigure, type Figure } from '../figure.ts';
import type { CaseTruth } from '../layouts/resource-rows.ts';
import { answerCredits } from '../measures/answer-credit.ts';
import { matchIncidents } from '../protocol-matching.ts';
import { incidentFigures } from './incident-figures.ts';
import { rankingFigures } from './ranking-figures.ts';

const LATE_CLOCK_MS = 60_000;
const NO_CREDIT = [0, 0, 0, 0, 0];

type Case = EvaluatedStream<CaseTruth>;

/** First verdict that fires on faulty rows, or Infinity. */
function detectedMs({ detection, truth }: Case): number {
  const faulty = { startMs: truth.onsetMs, endMs: truth.endMs };
  return Math.min(Infinity, ...detection.verdicts.flatMap((own) => firingTimes(own, faulty).slice(0, 1)));
}

function credits({ telemetry, truth }: Case, onsetMs: number, rank: Ranker): { service: number[]; series: number[] } {
  if (!Number.isFinite(onsetMs)) return { service: NO_CREDIT, series: NO_CREDIT };
  const ranked = rank(rankingInput(telemetry, { onsetMs, untilMs: truth.endMs }));
  const wanted = seriesKey(truth.service, truth.resource);
  return {
    service: answerCredits(ranked.byEntity, (name) => name === truth.service),
    series: answerCredits(ranked.bySeries, (key) => key === wanted),
  };
}

/** sock-shop (README section 3): a false alarm is any firing in the scored normal rows, a hit any firing in the faulty ones. */
export function scoreResourceCases(streams: readonly Case[], rank: Ranker, prng: Prng): Figure[] {
  const detected = streams.map(detectedMs);
  const hits = detected.filter(Number.isFinite).length;
  const falseCases = streams.filter(
    ({ detection, truth }) =>
      episodesOf(detection.verdicts, { startMs: truth.scoredFromMs, endMs: truth.onsetMs - 1 }).length > 0,
  ).length;
  const delays = detected.map((timeMs, i) => (timeMs - (streams[i] as Case).truth.onsetMs) / 1000);
  const delay = (quantile: number, name: string): Figure =>
    quantileFigure({ measure: `delay ${name}, s`, values: delays, quantile, of: 'cases', prng });
  const matchings = streams.map(({ detection, truth }) => {
    const scored = { startMs: truth.scoredFromMs, endMs: truth.endMs };
    const truths = [{ startMs: truth.onsetMs, endMs: truth.endMs }];
    return matchIncidents({ incidents: incidentsOf(detection.verdicts, scored), truths, sampleMs: 1000, scored });
  });
  const clock = (name: string, onset: (own: Case, i: number) => number): Figure[] => {
    const own = streams.map((stream, i) => credits(stream, onset(stream, i), rank));
    return [
      ...rankingFigures(
        `service at ${name}`,
        own.map(({ service }) => service),
        prng,
      ),
      ...rankingFigures(
        `metric at ${name}`,
        own.map(({ series }) => series),
        prng,
      ),
    ];
  };
  return [
    shareFigure('case precision', hits, hits + falseCases, 'hits and false alarms'),
    shareFigure('case recall', hits, streams.length, 'cases'),
    delay(0.5, 'median'),
    delay(0.9, 'p90'),
    ...incidentFigures(matchings, prng),
    ...clock('t0', ({ truth }) => truth.onsetMs),
    ...clock('t0 + 60 s', ({ truth }) => truth.onsetMs + LATE_CLOCK_MS),
    ...clock('own detection', (_, i) => detected[i] as number),
  ];
}
