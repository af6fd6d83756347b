import { detectConfigSchema } from '../detect/config.ts';
import { systemClock } from '../lib/clock.ts';
import { createPrng, type Prng } from '../lib/prng.ts';
import { rankByHelios, rankByRobustScore, type Ranker } from './cause-ranking.ts';
import type { DetectorName } from './detection-job.ts';
import { DetectionPool } from './detection-pool.ts';
import type { EvaluatedStream } from './evaluated-stream.ts';
import type { Figure } from './figure.ts';
import { findSets, type FoundSet, type LayoutName } from './folder.ts';
import { readComponentMetrics } from './layouts/component-metrics.ts';
import { readLabelledValues, readWindowedValues } from './layouts/dated-values.ts';
import { readFeatureRecords } from './layouts/feature-records.ts';
import { readForestExports } from './layouts/forest-export.ts';
import { readResourceRows } from './layouts/resource-rows.ts';
import { readServerRows } from './layouts/server-rows.ts';
import { readMicroservices } from './layouts/service-metrics.ts';
import { readTabularRows } from './layouts/tabular-rows.ts';
import { scoreComponentIssues } from './scores/component-issues.ts';
import { scoreForestCases, scoreTabularRows } from './scores/forest-scores.ts';
import { scoreResourceCases } from './scores/resource-cases.ts';
import { scoreFeaturePairs, scoreLabelledSeries, scoreServers, scoreWindowedSeries } from './scores/row-sets.ts';
import { scoreServiceFaults } from './scores/service-faults.ts';
import type { LabelledStream } from './telemetry.ts';

export interface EvaluationOptions {
  folder: string;
  detector: DetectorName;
  seed: number;
  /** That of the default configuration when absent. */
  falseAlarmBudget?: number;
  threads: number;
  onProgress?: (done: number, total: number, what: string) => void;
  /** What was said of each recording, for looking into misses. */
  onStream?: (set: string, stream: EvaluatedStream<unknown>) => void;
}

export interface SetReport {
  set: string;
  layout: LayoutName;
  recordings: number;
  seconds: number;
  figures: readonly Figure[];
}

export interface EvaluationReport {
  detector: DetectorName;
  seed: number;
  falseAlarmBudget: number;
  sets: readonly SetReport[];
}

/** Intervals must not depend on which sets come before. */
const BOOTSTRAP_SEED = 20_260_101;

interface Run {
  options: EvaluationOptions & { falseAlarmBudget: number };
  pool: DetectionPool;
  rank: Ranker;
  prng: Prng;
}

/** Reads a set, sends what is telemetry to the detector, and gives what it said to the scorer together with the truth. */
async function scored<Truth>(
  set: FoundSet,
  read: (set: FoundSet) => LabelledStream<Truth>[],
  score: (streams: EvaluatedStream<Truth>[]) => Figure[],
  { options, pool }: Run,
): Promise<Omit<SetReport, 'seconds'>> {
  const { detector, seed, falseAlarmBudget } = options;
  const streams = read(set);
  let done = 0;
  const evaluated = await Promise.all(
    streams.map(async ({ name, telemetry, truth }) => {
      const detection = await pool.detect(telemetry, detector, { seed, falseAlarmBudget });
      options.onProgress?.(++done, streams.length, `${set.name} ${name}`);
      return { name, telemetry, truth, detection };
    }),
  );
  for (const stream of evaluated) options.onStream?.(set.name, stream);
  return { set: set.name, layout: set.layout, recordings: streams.length, figures: score(evaluated) };
}

async function evaluateSet(set: FoundSet, run: Run): Promise<Omit<SetReport, 'seconds'>> {
  const { rank, prng } = run;
  switch (set.layout) {
    case 'servers':
      return scored(set, readServerRows, (streams) => scoreServers(streams, prng), run);
    case 'windowed series':
      return scored(set, readWindowedValues, (streams) => scoreWindowedSeries(streams, prng), run);
    case 'labelled series':
      return scored(set, readLabelledValues, (streams) => scoreLabelledSeries(streams, prng), run);
    case 'feature pairs':
      return scored(set, readFeatureRecords, (streams) => scoreFeaturePairs(streams, prng), run);
    case 'microservices':
      return scored(set, readMicroservices, (streams) => scoreServiceFaults(streams, rank, prng), run);
    case 'component graph':
      return scored(set, readComponentMetrics, (streams) => scoreComponentIssues(streams, rank, prng), run);
    case 'resource cases':
      return scored(set, readResourceRows, (streams) => scoreResourceCases(streams, rank, prng), run);
    case 'tabular rows': {
      const sets = readTabularRows(set);
      let done = 0;
      const onSet = (name: string): void => run.options.onProgress?.(done++, sets.length, `${set.name} ${name}`);
      return { set: set.name, layout: set.layout, recordings: sets.length, figures: scoreTabularRows(sets, prng, onSet) };
    }
    case 'forest parity': {
      const cases = readForestExports(set);
      return { set: set.name, layout: set.layout, recordings: cases.length, figures: scoreForestCases(cases) };
    }
    default:
      return set.layout satisfies never;
  }
}

/** Scores every set of a folder. Throws `invalid_argument` when it holds none or a file cannot be read. */
export async function evaluateFolder(options: EvaluationOptions): Promise<EvaluationReport> {
  const { detector, seed, threads } = options;
  const falseAlarmBudget = options.falseAlarmBudget ?? detectConfigSchema.parse({}).false_alarm_budget;
  const found = findSets(options.folder);
  await using pool = new DetectionPool(threads);
  const sets: SetReport[] = [];
  for (const set of found) {
    const startedMs = systemClock.monotonicMs();
    const rank = detector === 'helios' ? rankByHelios : rankByRobustScore;
    const report = await evaluateSet(set, {
      options: { ...options, falseAlarmBudget },
      pool,
      rank,
      prng: createPrng(BOOTSTRAP_SEED),
    });
    sets.push({ ...report, seconds: (systemClock.monotonicMs() - startedMs) / 1000 });
  }
  return { detector, seed, falseAlarmBudget, sets };
}
