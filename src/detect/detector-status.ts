import { SUB_WINDOW_MS } from '../model/rollup.ts';
import type { DetectorStatus } from './detector.ts';
import type { Entity } from './entity-state.ts';
import { SIGNALS } from './episode.ts';
import type { GridState } from './step-grid.ts';

type EntityStatus = Omit<DetectorStatus, 'openIncidents' | 'watermarkMs' | 'lateEvents' | 'metricSeries' | 'metricOffset'>;

/** What the entities as a whole are in. While the stream is in a hole nobody who is not known to be dead is called silent. */
export function statusOf(entities: ReadonlyMap<string, Entity>, grid: GridState): EntityStatus {
  const isLate = grid.lateSince >= 0;
  const silent = { late: 0, expectedZero: 0, dead: 0 };
  let openAnomalies = 0;
  let quietAnomalies = 0;
  for (const { state } of entities.values()) {
    for (const signal of SIGNALS) {
      const { open, anomaly } = state.episodes[signal];
      if (open) openAnomalies++;
      if (open && anomaly?.quiet) quietAnomalies++;
    }
    const isSilent = state.lastEventStep < grid.nextStep - 1;
    if (state.episodes.silence.open) silent.dead++;
    else if (isSilent && isLate) silent.late++;
    else if (isSilent) silent.expectedZero++;
  }
  return {
    entities: entities.size,
    openAnomalies,
    quietAnomalies,
    lateSinceMs: isLate ? grid.lateSince * SUB_WINDOW_MS : -1,
    silent,
    activeModels: [...entities.values()].flatMap(({ model }) => (model ? [model.record] : [])),
  };
}
