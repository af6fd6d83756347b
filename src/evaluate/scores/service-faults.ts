import type { Prng } from '../../lib/prng.ts';
import { rankingInput, type Ranker } from '../cause-ranking.ts';
import { firingTimes, incidentsOf, type EvaluatedStream, type EventIncident } from '../evaluated-stream.ts';
import { meanFigure, rateFigure, shareFigure, type Figure } from '../figure.ts';
import type { Fault, FaultTruth } from '../layouts/service-metrics.ts';
import { joinRankings } from '../joined-ranking.ts';
import { answerCredits } from '../measures/answer-credit.ts';
import { mergeTicks, type EvaluatedIncident, type Span } from '../protocol-episode.ts';
import { matchIncidents, type Matching } from '../protocol-matching.ts';
import { sampleStepMs, verdictsByRow, type EntityTable } from '../telemetry.ts';
import { rankTroubles, type Trouble } from '../trace-ranking.ts';
import { incidentFigures } from './incident-figures.ts';
import { rankingFigures } from './ranking-figures.ts';

const DAY_MS = 86_400_000;
const WARM_UP_SHARE = 0.15;
const WARM_UP_ROWS = 20;
const LATE_CLOCK_MS = 60_000;
const ANCHOR_GAP_MS = 600_000;
const ANCHOR_HIT = { beforeMs: 30_000, afterMs: 120_000 };
const ANCHOR_QUIET = { beforeMs: 60_000, afterMs: 180_000 };
const NO_CREDIT = [0, 0, 0, 0, 0];

type System = EvaluatedStream<FaultTruth>;

function metricSpan({ telemetry: { tables } }: System): Span & { stepMs: number } {
  const stepMs = Math.max(...tables.map(({ timeMs }) => sampleStepMs(timeMs)));
  const startMs = Math.min(...tables.map(({ timeMs }) => timeMs[0] ?? Infinity));
  const endMs = Math.max(...tables.map(({ timeMs }) => timeMs.at(-1) ?? -Infinity));
  return { startMs, endMs: endMs + stepMs, stepMs };
}

/** Faults whose service has metrics. */
function measurable({ telemetry, truth }: System): Fault[] {
  const entities = new Set(telemetry.tables.map(({ entity }) => entity));
  return truth.faults.filter(({ service }) => entities.has(service));
}

/** Firing rows by service, with their scores: the anchors look at the stamps of rows. */
function rowsOf({
  telemetry,
  detection,
}: System): { entity: string; timeMs: Float64Array; score: Float64Array; firing: Uint8Array }[] {
  return telemetry.tables.map(({ entity, timeMs }) => ({
    entity,
    timeMs,
    ...verdictsByRow(
      timeMs,
      detection.verdicts.find((own) => own.entity === entity),
    ),
  }));
}

const around = ({ startMs, endMs }: Span, { beforeMs, afterMs }: { beforeMs: number; afterMs: number }): Span => ({
  startMs: startMs - beforeMs,
  endMs: endMs + afterMs,
});
const inside = (timeMs: number, span: Span): boolean => timeMs >= span.startMs && timeMs <= span.endMs;

/** The anchors' own measure (README section 1): hits near a fault, false episodes far from all, services by their largest score. */
function anchorFigures(system: System, prng: Prng): Figure[] {
  const { faults } = system.truth;
  const rows = rowsOf(system);
  const firing = rows.flatMap(({ timeMs, firing: own }) => Array.from(timeMs).filter((_, row) => own[row])).sort((a, b) => a - b);
  const hits = faults.filter((fault) => firing.some((timeMs) => inside(timeMs, around(fault, ANCHOR_HIT)))).length;
  const quiet = faults.map((fault) => around(fault, ANCHOR_QUIET));
  const wrong = mergeTicks(
    '',
    firing.filter((timeMs) => !quiet.some((span) => inside(timeMs, span))),
    ANCHOR_GAP_MS,
  ).length;
  // The anchors divide by the whole recording, faults included: 22 false episodes in 0.84 days are their 26.2.
  const { startMs, endMs } = metricSpan(system);
  const days = (endMs - startMs) / DAY_MS;
  const credits = faults.map((fault) => {
    const zone = around(fault, ANCHOR_HIT);
    const scores = rows.map(({ entity, timeMs, score }): [string, number] => [
      entity,
      Math.max(0, ...score.filter((_, row) => inside(timeMs[row] as number, zone))),
    ]);
    return answerCredits(new Map(scores), (name) => name === fault.service);
  });
  return [
    shareFigure('metrics, anchor measure: precision', hits, hits + wrong, 'hits and false episodes'),
    shareFigure('metrics, anchor measure: recall', hits, faults.length, 'faults'),
    rateFigure('metrics, anchor measure: false episodes per day', wrong, days, `in ${days.toFixed(2)} days`),
    ...rankingFigures('metrics, anchor measure: service by score', credits, prng),
  ];
}

function metricMatching(system: System, faults: readonly Fault[], scoredFromMs: number): Matching {
  const { endMs, stepMs } = metricSpan(system);
  const scored = { startMs: scoredFromMs, endMs };
  const unscored = system.truth.faults.filter((fault) => !faults.includes(fault));
  const incidents = incidentsOf(system.detection.verdicts, scored);
  return matchIncidents({ incidents, truths: faults, unscored, sampleMs: stepMs, scored });
}

/** Start of the first firing tick of any service in a fault's match zone, Infinity for none. */
function metricOnsetMs(system: System, fault: Fault): number {
  if (system.telemetry.tables.length === 0) return Infinity;
  const { stepMs } = metricSpan(system);
  const zone = { startMs: fault.startMs - stepMs, endMs: fault.endMs + 5 * 60_000 };
  return Math.min(Infinity, ...system.detection.verdicts.flatMap((own) => firingTimes(own, zone).slice(0, 1))) - stepMs;
}

/** Services by their metrics from `onsetMs` to the end of the fault. */
function rankByMetrics(system: System, fault: Fault, onsetMs: number, rank: Ranker): ReadonlyMap<string, number> {
  if (system.telemetry.tables.length === 0 || !Number.isFinite(onsetMs)) return new Map();
  const { stepMs } = metricSpan(system);
  // A row at T is about the minute before it, so the last faulty row is stamped one step after the fault.
  return rank(rankingInput(system.telemetry, { onsetMs, untilMs: Math.max(fault.endMs, onsetMs) + stepMs + 1 })).byEntity;
}

function metricRanking(system: System, faults: readonly Fault[], rank: Ranker, prng: Prng): Figure[] {
  const credits = (onset: (fault: Fault) => number): number[][] =>
    faults.map((fault) => answerCredits(rankByMetrics(system, fault, onset(fault), rank), (name) => name === fault.service));
  return [
    ...rankingFigures(
      'metrics, service at t0',
      credits(({ startMs }) => startMs),
      prng,
    ),
    ...rankingFigures(
      'metrics, service at t0 + 60 s',
      credits(({ startMs }) => startMs + LATE_CLOCK_MS),
      prng,
    ),
    ...rankingFigures(
      'metrics, service at own detection',
      credits((fault) => metricOnsetMs(system, fault)),
      prng,
    ),
  ];
}

/** Names of the causes of an incident, the first the likeliest. */
function namedCauses({ causes }: EventIncident): Map<string, number> {
  const scores = new Map<string, number>();
  for (const { service, rank } of causes) scores.set(service, Math.max(scores.get(service) ?? -Infinity, -rank));
  return scores;
}

/** Services at the clocks of the protocol: by traces over faults during which there were events, and by traces and metrics over all. */
function traceFigures(system: System, pairs: Matching['pairs'], rank: Ranker, prng: Prng): Figure[] {
  const path = system.telemetry.eventsPath as string;
  const faults = pairs.map(({ truth: at }) => system.truth.faults[at] as Fault);
  const seconds: number[] = [];
  const atStart = rankTroubles(
    path,
    faults.map(({ startMs, endMs }) => ({ onsetMs: startMs, untilMs: endMs })),
  );
  const clock = (name: string, onset: (fault: Fault, incident: EvaluatedIncident | undefined) => number): Figure[] => {
    const onsets = pairs.map(({ incident }, at) => onset(faults[at] as Fault, incident));
    const rankings = rankTroubles(
      path,
      onsets.map((onsetMs, at): Trouble | null => {
        const { endMs } = faults[at] as Fault;
        return onsetMs < endMs ? { onsetMs, untilMs: endMs } : null;
      }),
    );
    for (const ranking of rankings) if (ranking) seconds.push(ranking.seconds);
    const creditsOf = (services: ReadonlyMap<string, number>, at: number): number[] =>
      answerCredits(services, (service) => service === faults[at]?.service);
    const byTraces = rankings.flatMap((ranking, at) =>
      atStart[at] ? [ranking ? creditsOf(ranking.byService, at) : NO_CREDIT] : [],
    );
    const byBoth = rankings.map((ranking, at) => {
      const byMetrics = rankByMetrics(system, faults[at] as Fault, onsets[at] as number, rank);
      return creditsOf(joinRankings(ranking?.byService ?? new Map(), byMetrics), at);
    });
    return [
      ...rankingFigures(`traces, service at ${name}`, byTraces, prng),
      ...rankingFigures(`events and metrics, service at ${name}`, byBoth, prng),
    ];
  };
  return [
    ...clock('t0', ({ startMs }) => startMs),
    ...clock('t0 + 60 s', ({ startMs }) => startMs + LATE_CLOCK_MS),
    // Found by events or by metrics, whichever says an earlier beginning.
    ...clock('own detection', (fault, incident) =>
      Math.min((incident as EventIncident | undefined)?.onsetMs ?? Infinity, metricOnsetMs(system, fault)),
    ),
    meanFigure('traces, seconds to rank one fault', seconds, 'rankings', prng),
  ];
}

function eventFigures(system: System, incidents: readonly EventIncident[], rank: Ranker, prng: Prng): Figure[] {
  const { detection, truth } = system;
  const spans: Span[] = [...incidents, ...truth.faults];
  const scored = { startMs: -Infinity, endMs: Math.max(...spans.map(({ endMs }) => endMs)) };
  const matching = matchIncidents({ incidents, truths: truth.faults, sampleMs: 10_000, scored });
  const credits = matching.pairs.map(({ truth: at, incident }) =>
    incident ? answerCredits(namedCauses(incident as EventIncident), (name) => name === truth.faults[at]?.service) : NO_CREDIT,
  );
  // Events lie around faults only: there is no normal time to count false incidents in.
  const figures = incidentFigures([matching], prng, 'events, incident').filter(
    ({ measure }) => !measure.includes('per system-day'),
  );
  return [
    ...figures,
    ...rankingFigures('events, service as the incident names it', credits, prng),
    ...traceFigures(system, matching.pairs, rank, prng),
    { measure: 'seconds for the whole recording', value: detection.seconds, low: NaN, high: NaN, n: 1, of: 'run' },
  ];
}

/** nezha (README section 1): metrics by the protocol after 15 % and after 20 rows and by the anchors' measure; events by the protocol. */
export function scoreServiceFaults(streams: readonly System[], rank: Ranker, prng: Prng): Figure[] {
  return streams.flatMap((system) => {
    const { tables } = system.telemetry;
    const events = system.detection.incidents ? eventFigures(system, system.detection.incidents, rank, prng) : [];
    if (tables.length === 0) return events;
    const faults = measurable(system);
    const { startMs, endMs } = metricSpan(system);
    const rowStarts = tables.map(({ timeMs }: EntityTable) => timeMs[WARM_UP_ROWS] ?? Infinity);
    const afterShare = metricMatching(system, faults, startMs + WARM_UP_SHARE * (endMs - startMs));
    const afterRows = metricMatching(system, faults, Math.min(...rowStarts));
    return [
      ...incidentFigures([afterRows], prng, 'metrics, after 20 rows: incident'),
      ...incidentFigures([afterShare], prng, 'metrics, after 15 %: incident'),
      ...anchorFigures(system, prng),
      ...metricRanking(system, faults, rank, prng),
      ...events,
    ];
  });
}
