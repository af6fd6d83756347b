import type { DetectConfig } from '../detect/config.ts';
import { createDetector } from '../detect/engine.ts';
import { systemClock } from '../lib/clock.ts';
import { createMetricScanner } from '../model/metric-scanner.ts';
import { createRotatingScanner } from '../model/rotating-scanner.ts';
import type { SimulationResult } from '../model/simulation.ts';
import { HistoryReplay, type Decision, type History } from './simulation-replay.ts';
import { differenceOf, SimulationTally, type TallyRange } from './simulation-tally.ts';

/** The live detector's. */
const SEED = 1;

export interface SimulationRun extends TallyRange {
  present: DetectConfig;
  overridden: DetectConfig;
  clockMode: 'wall' | 'events';
  decisions: readonly Decision[];
  /** Wall clock when the simulation was asked for. */
  nowMs: number;
  /** Time watched by all services together, in days. */
  serviceDays: number;
}

/** Replays both logs into two detectors, one of each configuration, and compares what they say. */
export async function runSimulation(
  run: SimulationRun,
  logs: { events: History; points: History },
  onProgress: (share: number) => void,
): Promise<SimulationResult> {
  const configs = [run.present, run.overridden];
  const tallies = [new SimulationTally(run), new SimulationTally(run)] as const;
  const replay = new HistoryReplay({
    ...logs,
    scanner: createRotatingScanner({ entities: Math.max(...configs.map((config) => config.max_entities)) }, () =>
      systemClock.nowMs(),
    ),
    metricScanner: createMetricScanner(),
    detectors: configs.map((config) => createDetector({ config, clock: run.clockMode, seed: SEED })),
    clockMode: run.clockMode,
    decisions: run.decisions,
    toMs: run.toMs,
    nowMs: run.nowMs,
    onOutput: (detector, output) => tallies[detector as 0 | 1].take(output),
    onProgress,
  });
  const history = await replay.run();
  const [present, overridden] = tallies;
  return {
    ...history,
    serviceDays: run.serviceDays,
    present: present.side(run.serviceDays),
    overridden: overridden.side(run.serviceDays),
    difference: differenceOf(present, overridden),
  };
}
