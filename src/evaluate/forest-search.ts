import {
  DEFAULT_GRID,
  gridFeatureSets,
  gridTableOf,
  searchForestGrid,
  type GridHistory,
  type GridOptions,
} from '../detect/forest-grid.ts';
import { detectConfigSchema } from '../detect/config.ts';
import type { GridTable } from '../model/model-record.ts';

export interface ForestSearchOptions {
  histories: readonly GridHistory[];
  /** False judges the usual hyper-parameters alone. */
  grid: boolean;
  onProgress: (share: number) => void;
}

/** Judges forests on windows whose truth is known; undefined when no service has enough of them. */
export function searchForest({ histories, grid, onProgress }: ForestSearchOptions): GridTable | undefined {
  const { features, contamination } = detectConfigSchema.parse({});
  const usual = { treeCounts: [100], sampleCounts: [256], contaminations: [contamination], featureSets: [features] };
  const options: GridOptions = grid
    ? { histories, ...DEFAULT_GRID, featureSets: gridFeatureSets(features) }
    : { histories, ...usual };
  const search = searchForestGrid(options);
  let step = search.next();
  for (; !step.done; step = search.next()) onProgress(step.value);
  return gridTableOf(step.value);
}
