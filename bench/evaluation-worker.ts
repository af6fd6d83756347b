import type { DetectorName } from '../src/evaluate/detection-job.ts';
import { evaluateFolder } from '../src/evaluate/evaluation.ts';
import { toJson } from './evaluation-record.ts';

/** One set in a process of its own: `evaluation-worker.ts FOLDER DETECTOR SEED`, the report as JSON on standard output. */
const [folder = '', detector, seed] = process.argv.slice(2);
const { sets } = await evaluateFolder({ folder, detector: detector as DetectorName, seed: Number(seed), threads: 1 });
process.stdout.write(toJson(sets));
