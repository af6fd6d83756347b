import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { DetectorName } from '../src/evaluate/detection-job.ts';
import type { SetReport } from '../src/evaluate/evaluation.ts';
import type { FoundSet } from '../src/evaluate/folder.ts';
import { fromJson, type EvaluationRun } from './evaluation-record.ts';

interface Unit {
  detector: DetectorName;
  seed: number;
  set: FoundSet;
}

/** Layouts in which no detector over time takes part: once is enough. */
const TIMELESS = new Set(['tabular rows', 'forest parity']);
/** Methods with chance in them; the others say the same with every seed. */
const RANDOM = new Set<DetectorName>(['helios', 'forest']);

const bytesOf = ({ files }: FoundSet): number => files.reduce((sum, { path }) => sum + statSync(path).size, 0);

/** Largest sets first, so that none is left running alone at the end. */
export function unitsOf(sets: readonly FoundSet[], seeds: readonly number[], detectors: readonly DetectorName[]): Unit[] {
  return sets
    .toSorted((a, b) => bytesOf(b) - bytesOf(a))
    .flatMap((set) => {
      if (TIMELESS.has(set.layout)) return [{ detector: 'helios' as const, seed: seeds[0] as number, set }];
      return detectors.flatMap((detector) =>
        (RANDOM.has(detector) ? seeds : seeds.slice(0, 1)).map((seed) => ({ detector, seed, set })),
      );
    });
}

async function runUnit({ detector, seed, set }: Unit, source: string): Promise<EvaluationRun> {
  const worker = join(source, 'bench', 'evaluation-worker.ts');
  const child = spawn(process.execPath, [worker, set.folder, detector, String(seed)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const run = { detector, seed, set: set.name };
  if (code !== 0) return { ...run, error: errors.trim().split('\n').slice(-8).join('\n') };
  const report = (fromJson(output) as SetReport[]).find(({ layout }) => layout === set.layout);
  return report ? { ...run, report } : { ...run, error: 'the set was not found again' };
}

/** Runs units, `processes` at a time, from the program in the folder `source`. */
export async function runUnits(options: {
  units: readonly Unit[];
  processes: number;
  source: string;
  onRun: (run: EvaluationRun) => void;
}): Promise<void> {
  const waiting = [...options.units];
  const work = async (): Promise<void> => {
    for (let unit = waiting.shift(); unit; unit = waiting.shift()) options.onRun(await runUnit(unit, options.source));
  };
  await Promise.all(Array.from({ length: options.processes }, work));
}
