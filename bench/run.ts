// Runs the benches named on the command line, or all of them, one after the other, each in a process of its own: an
// earlier one must not leave its heap or its compiled code to a later one. What follows -- is passed on.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Files of this folder that no other file is made of: each is a program that prints its table. */
const PARTS = /^(run|.*-[a-z-]+|.*\.test)$/;
const known = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((name) => !PARTS.test(name))
  .toSorted();

function runBench(name: string, args: readonly string[]): boolean {
  process.stdout.write(`\n## ${name}\n\n`);
  const { status } = spawnSync(process.execPath, [join(import.meta.dirname, `${name}.ts`), ...args], { stdio: 'inherit' });
  return status === 0;
}

function splitArguments(argv: readonly string[]): { names: string[]; passed: string[] } {
  const end = argv.indexOf('--');
  const names = end < 0 ? [...argv] : argv.slice(0, end);
  return { names: names.length > 0 ? names : known, passed: end < 0 ? [] : argv.slice(end + 1) };
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
