import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findSets } from '../src/evaluate/folder.ts';
import { MAIN_MEASURES } from './evaluation-anchors.ts';
import { writeSection } from './evaluation-document.ts';
import { runUnits, unitsOf } from './evaluation-queue.ts';
import { constantIn, sensitivityTable, withConstant, type ConstantGrid } from './sensitivity-grid.ts';

/**
 * What constants of the detector do to each set's main measure, and what a set would have got with the value chosen on the others:
 *
 *     node bench/sensitivity.ts DIR [--sets nab,opensearch] [--seeds 1] [--processes 2] [--write] FILE:CONSTANT[=VALUE,...] ...
 *
 * for instance `src/detect/series/series-model.ts:LEVEL_FLOOR=0.02,0.1`. Without values, half and double of the committed one are tried. Each value
 * is set in a copy of the program in a temporary folder, which then runs the evaluation; the working tree is not touched.
 */
const root = join(import.meta.dirname, '..');
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sets: { type: 'string', default: '' },
    seeds: { type: 'string', default: '1' },
    processes: { type: 'string', default: '2' },
    write: { type: 'boolean', default: false },
  },
});

const [folder, ...constants] = positionals;
const wanted = flags.sets.split(',');
const seeds = flags.seeds.split(',').map(Number);

/** Main measure by set, mean over seeds, of the program in the folder `source`. */
async function measured(source: string, what: string): Promise<Map<string, number>> {
  const sets = findSets(folder as string).filter(
    ({ name }) => name in MAIN_MEASURES && wanted.some((beginning) => name.startsWith(beginning)),
  );
  const sums = new Map<string, number>();
  await runUnits({
    units: unitsOf(sets, seeds, ['helios']),
    processes: Number(flags.processes),
    source,
    onRun: ({ set, report, error }) => {
      if (error !== undefined) process.stderr.write(`${set}: ${error}\n`);
      const figure = report?.figures.find(({ measure }) => measure === MAIN_MEASURES[set])?.value ?? NaN;
      sums.set(set, (sums.get(set) ?? 0) + figure / seeds.length);
      process.stderr.write(`${what}, ${set}: ${figure.toFixed(3)}\n`);
    },
  });
  return sums;
}

async function measureGrids(source: string): Promise<ConstantGrid[]> {
  for (const part of ['src', 'bench', 'package.json']) cpSync(join(root, part), join(source, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
  const originals = new Map(constants.map((constant) => [constant, parsed(source, constant)]));
  const committed = await measured(source, 'as committed');
  const grids: ConstantGrid[] = [];
  for (const { place, path, text, name, own, tried } of originals.values()) {
    const grid: ConstantGrid = { constant: place, committed: own, measures: new Map([[own, committed]]) };
    for (const value of tried) {
      writeFileSync(path, withConstant(text, name, value));
      if (value !== own) grid.measures.set(value, await measured(source, `${name} = ${value}`));
    }
    writeFileSync(path, text);
    grids.push(grid);
  }
  return grids;
}

/** FILE:CONSTANT[=VALUE,...] and what the file says. */
function parsed(source: string, constant: string) {
  const [place = '', values] = constant.split('=');
  const [file = '', name = ''] = place.split(':');
  const path = join(source, file);
  const text = readFileSync(path, 'utf8');
  const own = constantIn(text, name);
  return { place, path, text, name, own, tried: values === undefined ? [own / 2, own * 2] : values.split(',').map(Number) };
}

if (folder === undefined || constants.length === 0) {
  process.stderr.write('skipped: a folder of labelled sets and FILE:CONSTANT[=VALUE,...] were not named\n');
} else {
  const source = mkdtempSync(join(tmpdir(), 'helios-sensitivity-'));
  try {
    const table = sensitivityTable(await measureGrids(source));
    if (flags.write) writeSection('sensitivity', () => table);
    else process.stdout.write(`${table}\n`);
  } finally {
    rmSync(source, { recursive: true });
  }
}
