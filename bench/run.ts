// Runs the benches named on the command line, or all of them, one after the other, each in a process of its own.
// A bench is a file NAME.bench.ts in this folder that prints its table; arguments after -- are passed on to it.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

const SUFFIX = '.bench.ts';
const known = globSync(`*${SUFFIX}`, { cwd: import.meta.dirname })
  .map((file) => basename(file, SUFFIX))
  .toSorted();

function runBench(name: string, args: readonly string[]): boolean {
  process.stdout.write(`\n## ${name}\n\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}${SUFFIX}`), ...args], { stdio: 'inherit' });
  return status === 0;
}

function splitArguments(argv: readonly string[]): { names: string[]; passed: string[] } {
  const end = argv.indexOf('--');
  const { positionals } = parseArgs({ args: end < 0 ? [...argv] : argv.slice(0, end), allowPositionals: true });
  return { names: positionals.length > 0 ? positionals : known, passed: end < 0 ? [] : argv.slice(end + 1) };
}

const { names, passed } = splitArguments(process.argv.slice(2));
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no bench ${unknown.join(', ')}; there are: ${known.join(', ')}\n`);
  process.exitCode = 2;
} else {
  const failed = names.filter((name) => !runBench(name, passed));
  if (failed.length > 0) {
    process.stderr.write(`failed: ${failed.join(', ')}\n`);
    process.exitCode = 1;
  }
}
