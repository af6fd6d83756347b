import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { DetectorName } from '../src/evaluate/detection-job.ts';
import { findSets } from '../src/evaluate/folder.ts';
import { systemClock } from '../src/lib/clock.ts';
import { writeSection } from './evaluation-document.ts';
import { runUnits, unitsOf } from './evaluation-queue.ts';
import { readRecord, writeRecord, type EvaluationRecord } from './evaluation-record.ts';
import { evaluationTable } from './evaluation-table.ts';

/**
 * The table of EVALUATION.md: every labelled set below DIR through the detector with several seeds and through the baselines, by the code of
 * `helios evaluate`. Raw figures are kept in FILE.json, from which tables are made again without running anything.
 *
 *     node bench/evaluation.ts DIR [--seeds 1,2,3,4,5] [--sets asd,smd] [--out FILE.json] [--processes 2] [--markdown] [--full]
 *     node bench/evaluation.ts --from FILE.json [--markdown] [--full] [--write]
 *
 * `--sets` takes beginnings of the names of folders, `--full` shows every measure, `--write` puts the table into EVALUATION.md.
 */
const DETECTORS: readonly DetectorName[] = ['helios', 'n-sigma', 'forest', 'pca'];

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1,2,3,4,5' },
    sets: { type: 'string', default: '' },
    detectors: { type: 'string', default: DETECTORS.join(',') },
    processes: { type: 'string', default: '2' },
    out: { type: 'string' },
    from: { type: 'string' },
    markdown: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

async function run(folder: string): Promise<EvaluationRecord> {
  const startedMs = systemClock.monotonicMs();
  const wanted = flags.sets.split(',');
  const sets = findSets(folder).filter(({ name }) => wanted.some((beginning) => name.startsWith(beginning)));
  const seeds = flags.seeds.split(',').map(Number);
  const detectors = DETECTORS.filter((name) => flags.detectors.split(',').includes(name));
  const units = unitsOf(sets, seeds, detectors);
  const record: EvaluationRecord = { seeds, seconds: 0, runs: [] };
  await runUnits({
    units,
    processes: Number(flags.processes),
    source: join(import.meta.dirname, '..'),
    onRun: (done) => {
      record.runs.push(done);
      record.seconds = (systemClock.monotonicMs() - startedMs) / 1000;
      const { detector, seed, set, report, error } = done;
      const outcome = report ? `${report.seconds.toFixed(1)} s` : `FAILED: ${error}`;
      process.stderr.write(`${record.runs.length} of ${units.length}: ${set}, ${detector}, seed ${seed}: ${outcome}\n`);
      if (flags.out !== undefined) writeRecord(flags.out, record);
    },
  });
  return record;
}

const folder = positionals[0] ?? process.env['HELIOS_TEST_DATA'];
if (flags.from === undefined && folder === undefined) {
  process.stderr.write('skipped: neither a folder of labelled sets nor --from FILE.json was named\n');
} else {
  const record = flags.from === undefined ? await run(folder as string) : readRecord(flags.from);
  const table = evaluationTable(record, { isMarkdown: flags.markdown || flags.write, isFull: flags.full });
  if (flags.write) writeSection('table', () => table);
  else process.stdout.write(`${table}\n`);
  process.stderr.write(`${record.runs.length} runs in ${record.seconds.toFixed(0)} s\n`);
  if (record.runs.some(({ error }) => error !== undefined)) process.exitCode = 1;
}
