import { searchForest } from '../evaluate/forest-search.ts';
import { LabelledWindows } from '../evaluate/labelled-windows.ts';
import { createGenerator } from '../generate/generator.ts';
import { planSetOptions } from '../generate/plan-set.ts';
import { HeliosError } from '../lib/errors.ts';
import type { GridTable } from '../model/model-record.ts';
import type { Progress } from './progress.ts';

/** The usual anomaly_detection.window_size. */
const WINDOW_MS = 300_000;
/** What is delivered later than this is in no window; agents that are behind deliver within 120 s. */
const LATENESS_MS = WINDOW_MS;
/** Of the work: generating, then searching. */
const GENERATING_SHARE = 0.5;

export interface PlanSetTraining {
  seed: number;
  rate: number;
  services: number;
  grid: boolean;
  startMs: number;
}

/** Generates the plan's set, and judges forests by the truth that comes with it. */
export function trainOnPlanSet({ grid, ...set }: PlanSetTraining, progress: Progress): GridTable {
  const generator = createGenerator(planSetOptions(set));
  const windows = new LabelledWindows(WINDOW_MS);
  const take = generator.batches(generator.startMs);
  const share = grid ? GENERATING_SHARE : 1;
  const spanMs = generator.endMs - generator.startMs;
  for (let atMs = generator.startMs; atMs < generator.endMs;) {
    atMs = Math.min(atMs + WINDOW_MS, generator.endMs);
    for (const { batch } of take(atMs)) windows.add(batch);
    windows.close(atMs - LATENESS_MS);
    progress.update((100 * share * (atMs - generator.startMs)) / spanMs, 'generating');
  }
  windows.close(generator.endMs);
  const faults = generator.labels.filter(({ benign }) => !benign);
  const histories = windows.histories(
    faults.map(({ start, end, services }) => ({ fromMs: Date.parse(start), toMs: Date.parse(end), services })),
  );
  const onProgress = (done: number): void => progress.update(100 * (share + (1 - share) * done), 'searching');
  const table = searchForest({ histories, grid, onProgress });
  if (table) return table;
  throw new HeliosError('invalid_argument', 'cannot train on the plan set: no service has enough windows; raise --rate');
}
