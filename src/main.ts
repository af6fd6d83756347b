import { listenerCount } from 'node:events';
import { constants } from 'node:os';
import { CommanderError } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { createProgram } from './cli/program.ts';
import { HeliosError } from './lib/errors.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** EX_SOFTWARE of sysexits.h: a bug. */
const EXIT_BUG = 70;

const interrupted = new AbortController();

function onSignal(name: 'SIGINT' | 'SIGTERM'): void {
  const again = interrupted.signal.aborted;
  const listens = listenerCount(interrupted.signal, 'abort') > 0;
  if (again || !listens) process.exit(again ? 128 + constants.signals.SIGINT : 128 + constants.signals[name]);
  interrupted.abort(new HeliosError('shutting_down', `interrupted by ${name}`));
}

function stopOnBug(error: unknown): never {
  process.stderr.write(`helios: a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(EXIT_BUG);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (!(error instanceof HeliosError)) return stopOnBug(error);
  process.stderr.write(`helios: ${error.message}\n`);
  return error === interrupted.signal.reason ? 128 + constants.signals.SIGINT : EXIT_FAILED;
}

process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
process.on('uncaughtException', stopOnBug);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read the output has seen enough: "helios incidents | head -1".
  if (error.code === 'EPIPE') process.exit(0);
  stopOnBug(error);
});

const program = createProgram({
  version: packageJson.version,
  signal: interrupted.signal,
  print: (line) => process.stdout.write(`${line}\n`),
  warn: (line) => process.stderr.write(`${line}\n`),
});

process.exit(
  await program.parseAsync(process.argv).then(
    () => Number(process.exitCode ?? 0),
    (error: unknown) => exitCodeOf(error),
  ),
);
