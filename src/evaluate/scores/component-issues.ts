import type { Prng } from '../../lib/prng.ts';
import { rankingInput, type Ranker } from '../cause-ranking.ts';
import { incidentsOf, type EvaluatedStream } from '../evaluated-stream.ts';
import { quantileFigure, rateFigure, shareFigure, type Figure } from '../figure.ts';
import type { IssueTruth } from '../layouts/component-metrics.ts';
import { answerCredits } from '../measures/answer-credit.ts';
import { verdictsByRow, type EntityTable } from '../telemetry.ts';
import { rankingFigures } from './ranking-figures.ts';

const DAY_MS = 86_400_000;
const LATE_CLOCK_MS = 60_000;
const FALSE_ROWS_PER_DAY = [0, 1, 5];
const NO_CREDIT = [0, 0, 0, 0, 0];

type Issue = EvaluatedStream<IssueTruth>;

/** Rows of the target with what was said of them: the second half of the normal data, and the issue. */
interface TargetRows {
  normal: Float64Array;
  normalFiring: number;
  issue: Float64Array;
  issueFiring: Uint8Array;
}

function targetRows({ telemetry, detection, truth }: Issue): TargetRows {
  const table = telemetry.tables.find(({ entity }) => entity === truth.target) as EntityTable;
  const verdicts = detection.verdicts.find(({ entity }) => entity === truth.target);
  const { score, firing } = verdictsByRow(table.timeMs, verdicts);
  const half = Math.floor(truth.normalRows / 2);
  return {
    normal: score.slice(half, truth.normalRows),
    normalFiring: firing.subarray(half, truth.normalRows).reduce((sum, value) => sum + value, 0),
    issue: score.slice(truth.normalRows),
    issueFiring: firing.slice(truth.normalRows),
  };
}

/** First issue row above the score that leaves `perDay` false rows a day on the second half of the normal data; -1 for none. */
function rowAbove({ normal, issue }: TargetRows, perDay: number, stepMs: number): number {
  const allowed = Math.floor((perDay * normal.length * stepMs) / DAY_MS);
  const threshold = normal.toSorted().at(-1 - allowed) ?? 0;
  return issue.findIndex((score) => score > threshold);
}

const onsetOf = ({ telemetry, truth }: Issue): { firstMs: number; untilMs: number } => {
  const { timeMs } = telemetry.tables.find(({ entity }) => entity === truth.target) as EntityTable;
  return { firstMs: truth.firstMs, untilMs: (timeMs.at(-1) as number) + truth.stepMs };
};

/** First verdict of any component that fires from the first faulty row on. */
function detectedMs(issue: Issue): number {
  const { firstMs, untilMs } = onsetOf(issue);
  const [first] = incidentsOf(issue.detection.verdicts, { startMs: firstMs + issue.truth.stepMs, endMs: untilMs });
  return first ? first.startMs - issue.truth.stepMs : Infinity;
}

type Clock = 't0' | 't0 + 60 s' | 'own detection' | 't0, told where it was seen';

/** The same recording with the names of the nodes dealt out anew among them, and the name that the root cause then has. */
function permuted(issue: Issue, prng: Prng): Issue {
  const names = [...new Set(issue.telemetry.tables.map(({ entity }) => entity))].sort();
  const dealt = names.slice();
  for (let i = dealt.length - 1; i > 0; i--) {
    const other = prng.below(i + 1);
    [dealt[i], dealt[other]] = [dealt[other] as string, dealt[i] as string];
  }
  const renamed = (name: string): string => dealt[names.indexOf(name)] ?? name;
  const tables = issue.telemetry.tables.map((table) => ({ ...table, entity: renamed(table.entity) }));
  const calls = issue.telemetry.calls.map(([caller, callee]) => [renamed(caller), renamed(callee)] as const);
  const { target, rootCause } = issue.truth;
  return {
    ...issue,
    telemetry: { ...issue.telemetry, tables: tables.toSorted((a, b) => (a.entity < b.entity ? -1 : 1)), calls },
    truth: { ...issue.truth, target: renamed(target), rootCause: renamed(rootCause) },
  };
}

/** Row 0 is quiet, the fault begins in row 1 (README section 2). Names of nodes are not looked at by the ranker. */
function credits(issue: Issue, clock: Clock, rank: Ranker): number[] {
  const { firstMs, untilMs } = onsetOf(issue);
  const t0 = firstMs + issue.truth.stepMs;
  const onsetMs = clock === 't0 + 60 s' ? t0 + LATE_CLOCK_MS : clock === 'own detection' ? detectedMs(issue) : t0;
  if (!Number.isFinite(onsetMs)) return NO_CREDIT;
  // What an alarm says when it goes off; nothing else of the issue is told.
  const { target, targetSeries } = issue.truth;
  const entry = clock === 't0, told where it was seen' ? { entity: target, series: targetSeries } : undefined;
  const ranked = rank(rankingInput(issue.telemetry, { onsetMs, untilMs, recentFromMs: firstMs }, entry));
  return answerCredits(ranked.byEntity, (name) => name === issue.truth.rootCause);
}

/** petshop (README section 2): detection at the front door at a given number of false rows a day, then the root node. */
export function scoreComponentIssues(streams: readonly Issue[], rank: Ranker, prng: Prng): Figure[] {
  const judged = streams.filter(({ truth }) => truth.normalRows > 0).map((issue) => ({ issue, rows: targetRows(issue) }));
  const atBudget = FALSE_ROWS_PER_DAY.flatMap((perDay) => {
    const found = judged.map(({ issue, rows }) => rowAbove(rows, perDay, issue.truth.stepMs));
    const delays = found.map((row) => (row < 0 ? Infinity : row));
    const name = `at ${perDay} false rows a day`;
    return [
      shareFigure(`recall ${name}`, found.filter((row) => row >= 0).length, found.length, 'issues'),
      quantileFigure({ measure: `delay median ${name}, rows`, values: delays, quantile: 0.5, of: 'issues', prng }),
    ];
  });
  const firing = judged.filter(({ rows }) => rows.issueFiring.includes(1)).length;
  // Issues of one scenario share its normal data: each scenario counts once.
  const scenarios = new Map(judged.map((own) => [own.issue.truth.scenario, own]));
  const falseRows = [...scenarios.values()].reduce((sum, { rows }) => sum + rows.normalFiring, 0);
  const days = [...scenarios.values()].reduce(
    (sum, { rows, issue }) => sum + (rows.normal.length * issue.truth.stepMs) / DAY_MS,
    0,
  );
  const groups = Map.groupBy(streams, ({ truth }) => `${truth.scenario} ${truth.targetMetric}`);
  const byGroup = [...groups].flatMap(([name, own]) =>
    rankingFigures(
      `root at t0, ${name}`,
      own.map((issue) => credits(issue, 't0', rank)),
      prng,
    ),
  );
  return [
    ...atBudget,
    shareFigure('recall as it fires', firing, judged.length, 'issues'),
    rateFigure('false rows per day as it fires', falseRows, days, `in ${days.toFixed(1)} days`),
    ...(['t0', 't0 + 60 s', 'own detection', 't0, told where it was seen'] as const).flatMap((clock) =>
      rankingFigures(
        `root at ${clock}`,
        streams.map((issue) => credits(issue, clock, rank)),
        prng,
      ),
    ),
    ...rankingFigures(
      'root at t0, node names permuted',
      streams.map((issue) => credits(permuted(issue, prng), 't0', rank)),
      prng,
    ),
    ...byGroup,
  ];
}
