import type { Prng } from '../../lib/prng.ts';
import type { EvaluatedStream } from '../evaluated-stream.ts';
import { meanFigure, rateFigure, ratioFigure, shareFigure, type Figure } from '../figure.ts';
import type { RowTruth } from '../layouts/server-rows.ts';
import { answerCredits } from '../measures/answer-credit.ts';
import { NAB_PROFILES, nabParts } from '../measures/nab-score.ts';
import { incidentFigures } from './incident-figures.ts';
import { rankingFigures } from './ranking-figures.ts';
import { episodeCounts, rowOutcome, rowPrecision, rowVus, type EpisodeCounts, type RowOutcome } from './row-outcome.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

function episodeFigures(prefix: string, counts: readonly EpisodeCounts[], prng: Prng): Figure[] {
  const sum = (pick: (own: EpisodeCounts) => number): number => counts.reduce((total, own) => total + pick(own), 0);
  const [hits, segments, wrong] = [sum((own) => own.hits), sum((own) => own.segments), sum((own) => own.wrong)];
  return [
    shareFigure(`${prefix} precision`, hits, hits + wrong, 'hits and false episodes'),
    shareFigure(`${prefix} recall`, hits, segments, 'segments'),
    ratioFigure({
      measure: `${prefix} F1`,
      items: counts.map((own) => [2 * own.hits, own.hits + own.segments + own.wrong]),
      of: 'series',
      prng,
    }),
  ];
}

/** Largest residual of each series over rows from `first` to `last`. */
function seriesChanges({ verdicts, tick }: RowOutcome, first: number, last: number): Map<string, number> {
  const changes = new Map<string, number>();
  if (!verdicts) return changes;
  for (const [i, name] of verdicts.series.entries()) {
    let largest = 0;
    for (let row = first; row <= last; row++) {
      const at = tick[row] as number;
      if (at >= 0) largest = Math.max(largest, Math.abs(verdicts.residuals[at * verdicts.series.length + i] as number));
    }
    changes.set(name, largest);
  }
  return changes;
}

/** AC@k of the metrics at fault: from the fault's first row on, and from the first row that fires. */
function causeCredits(outcome: RowOutcome): { atOnset: number[][]; atDetection: number[][] } {
  const atOnset: number[][] = [];
  const atDetection: number[][] = [];
  for (const [i, [first, last]] of outcome.truth.segments.entries()) {
    const causes = outcome.truth.causes[i] ?? [];
    if (causes.length === 0) continue;
    const credits = (from: number): number[] =>
      answerCredits(seriesChanges(outcome, from, last), (name) => causes.includes(name));
    const detected = outcome.firing.subarray(first, last + 1).indexOf(1);
    atOnset.push(credits(first));
    atDetection.push(detected < 0 ? [0, 0, 0, 0, 0] : credits(first + detected));
  }
  return { atOnset, atDetection };
}

/** asd and smd (README section 4): per entity on the test part. */
export function scoreServers(streams: readonly EvaluatedStream<RowTruth>[], prng: Prng): Figure[] {
  const outcomes = streams.map(rowOutcome);
  const credits = outcomes.map(causeCredits);
  return [
    meanFigure(
      'AUC-PR',
      outcomes.map((outcome) => rowPrecision(outcome)),
      'entities',
      prng,
    ),
    meanFigure('VUS-PR', outcomes.map(rowVus), 'entities', prng),
    ...episodeFigures(
      'segment',
      outcomes.map((outcome) => episodeCounts(outcome, HOUR_MS, true)),
      prng,
    ),
    ...incidentFigures(
      outcomes.map(({ matching }) => matching),
      prng,
    ),
    ...rankingFigures(
      'metric at t0',
      credits.flatMap(({ atOnset }) => atOnset),
      prng,
    ),
    ...rankingFigures(
      'metric at own detection',
      credits.flatMap(({ atDetection }) => atDetection),
      prng,
    ),
  ];
}

/** The service subset of the Numenta Anomaly Benchmark, as data/README.md section 5 lists it. */
const SERVICE_SERIES =
  /(^|\/)(realAWSCloudwatch\/|realKnownCause\/(ec2_request_latency_system_failure|rogue_agent_key_updown)\.)/;

function windowFigures(prefix: string, outcomes: readonly RowOutcome[], prng: Prng): Figure[] {
  const counts = outcomes.map((outcome) => episodeCounts(outcome, HOUR_MS, false));
  const days = outcomes.reduce((sum, { scored }) => sum + (scored.endMs - scored.startMs) / DAY_MS, 0);
  const wrong = counts.reduce((sum, own) => sum + own.wrong, 0);
  const late = outcomes.map(({ firing, truth }) => ({
    firing: firing.map((value, row) => (row < truth.firstScored ? 0 : value)),
    windows: truth.segments,
  }));
  return [
    ...episodeFigures(`${prefix}window`, counts, prng),
    rateFigure(`${prefix}false alarms per series-day`, wrong, days, `in ${days.toFixed(1)} days`),
    ...NAB_PROFILES.map((profile) =>
      ratioFigure({
        measure: `${prefix}NAB score, ${profile.name}`,
        items: late.map((series) => nabParts(series, profile)),
        of: 'series',
        prng,
      }),
    ),
    meanFigure(
      `${prefix}AUC-PR`,
      outcomes.map((outcome) => rowPrecision(outcome)),
      'series with windows',
      prng,
    ),
    meanFigure(`${prefix}VUS-PR`, outcomes.map(rowVus), 'series with windows', prng),
    ...incidentFigures(
      outcomes.map(({ matching }) => matching),
      prng,
      `${prefix}incident`,
    ),
  ];
}

/** nab (README section 5); the service series apart when the set has some. */
export function scoreWindowedSeries(streams: readonly EvaluatedStream<RowTruth>[], prng: Prng): Figure[] {
  const outcomes = streams.map(rowOutcome);
  const services = outcomes.filter(({ name }) => SERVICE_SERIES.test(name));
  return [
    ...(services.length > 0 ? windowFigures('service series: ', services, prng) : []),
    ...windowFigures('', outcomes, prng),
  ];
}

/** ms-cloud (README section 6): labelled series whole, rows without a baseline scoring 0; clean series by false episodes. */
export function scoreLabelledSeries(streams: readonly EvaluatedStream<RowTruth>[], prng: Prng): Figure[] {
  const outcomes = streams.map(rowOutcome);
  const clean = outcomes.filter(({ truth }) => truth.segments.length === 0);
  const cleanEpisodes = clean.reduce((sum, { episodes }) => sum + episodes, 0);
  return [
    meanFigure(
      'AUC-PR, whole series',
      outcomes.map((outcome) => rowPrecision(outcome, 0)),
      'labelled series',
      prng,
    ),
    meanFigure(
      'AUC-PR after warm-up',
      outcomes.map((outcome) => rowPrecision(outcome)),
      'labelled series',
      prng,
    ),
    meanFigure('VUS-PR', outcomes.map(rowVus), 'labelled series', prng),
    rateFigure('false episodes on clean series', cleanEpisodes, clean.length > 0 ? 1 : 0, `on ${clean.length} series`),
    ...incidentFigures(
      outcomes.map(({ matching }) => matching),
      prng,
    ),
  ];
}

/** opensearch (README section 7): firing rows in windows, windows with a firing row. */
export function scoreFeaturePairs(streams: readonly EvaluatedStream<RowTruth>[], prng: Prng): Figure[] {
  const outcomes = streams.map(rowOutcome);
  let [inside, fired] = [0, 0];
  for (const { firing, truth } of outcomes) {
    for (let row = truth.firstScored; row < firing.length; row++) {
      if (!firing[row]) continue;
      fired++;
      inside += truth.labels[row] as number;
    }
  }
  const counts = outcomes.map((outcome) => episodeCounts(outcome, HOUR_MS, false));
  const hits = counts.reduce((sum, own) => sum + own.hits, 0);
  return [
    shareFigure('precision of firing rows', inside, fired, 'firing rows'),
    shareFigure(
      'recall of windows',
      hits,
      counts.reduce((sum, { segments }) => sum + segments, 0),
      'windows',
    ),
    meanFigure(
      'AUC-PR',
      outcomes.map((outcome) => rowPrecision(outcome)),
      'pairs',
      prng,
    ),
    meanFigure('VUS-PR', outcomes.map(rowVus), 'pairs', prng),
    ...incidentFigures(
      outcomes.map(({ matching }) => matching),
      prng,
    ),
  ];
}
