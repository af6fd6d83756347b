import { closeSync, openSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { evaluateFolder, type EvaluationOptions, type EvaluationReport } from '../evaluate/evaluation.ts';
import type { Figure } from '../evaluate/figure.ts';
import { verdictLines, VERDICTS_HEAD } from '../evaluate/verdict-lines.ts';
import { systemClock } from '../lib/clock.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './help-examples.ts';
import { integerOption, nonNegativeNumberOption, positiveIntegerOption } from './option-values.ts';
import { formatTable } from './table.ts';

const PROGRESS_PERIOD_MS = 2000;

interface Flags {
  baseline?: 'n-sigma' | 'forest' | 'pca';
  seed: number;
  budget?: number;
  threads: number;
  verdicts?: string;
  json?: true;
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (!Number.isFinite(value)) return 'never';
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(3);
}

function rowOf({ measure, value, low, high, n, of }: Figure): string[] {
  const interval = Number.isNaN(low) ? '' : `${shown(low)} to ${shown(high)}`;
  return [measure, shown(value), interval, `${n} ${of}`];
}

const withoutParts = (key: string, value: unknown): unknown => (key === 'parts' ? undefined : value);

/** One table a set. */
export function reportText({ sets }: EvaluationReport): string {
  return sets
    .map(({ set, layout, recordings, seconds, figures }) => {
      const title = `${set} (${layout}, ${recordings} recordings, ${seconds.toFixed(1)} s)`;
      return `${title}\n${formatTable(['MEASURE', 'VALUE', '95 %', 'N'], figures.map(rowOf))}`;
    })
    .join('\n\n');
}

/** A line on standard error every few seconds. */
function progressLines(warn: (line: string) => void): NonNullable<EvaluationOptions['onProgress']> {
  let shownMs = systemClock.monotonicMs();
  return (done, total, what) => {
    if (systemClock.monotonicMs() - shownMs < PROGRESS_PERIOD_MS) return;
    shownMs = systemClock.monotonicMs();
    warn(`${what}: ${done} of ${total}`);
  };
}

async function evaluate(folder: string, flags: Flags, { warn }: CommandContext): Promise<EvaluationReport> {
  const file = flags.verdicts === undefined ? null : openSync(flags.verdicts, 'w');
  const write = (text: string): void => {
    if (file !== null && text !== '') writeSync(file, text);
  };
  try {
    write(`${VERDICTS_HEAD}\n`);
    return await evaluateFolder({
      folder: resolve(folder),
      detector: flags.baseline ?? 'helios',
      seed: flags.seed,
      threads: flags.threads,
      ...(flags.budget === undefined ? {} : { falseAlarmBudget: flags.budget }),
      ...(flags.json ? {} : { onProgress: progressLines(warn) }),
      ...(file === null ? {} : { onStream: (set, stream) => write(verdictLines(set, stream)) }),
    });
  } finally {
    if (file !== null) closeSync(file);
  }
}

export function registerEvaluate(program: Command, context: CommandContext): void {
  program
    .command('evaluate <dir>')
    .description('score the detector on labelled data of known layouts, found by the content of the files')
    .addOption(
      new Option('--baseline <name>', 'run a simple method instead of the detector').choices(['n-sigma', 'forest', 'pca']),
    )
    .option('--seed <n>', 'seed of the detector', integerOption, 1)
    .option(
      '--budget <n>',
      'false alarms per entity and day to aim at (default: detect.false_alarm_budget)',
      nonNegativeNumberOption,
    )
    .option('--threads <n>', 'recordings played at once', positiveIntegerOption, Math.min(8, availableParallelism()))
    .option('--verdicts <file>', 'write every verdict as CSV, beside its label, for looking into misses')
    .option('--json', 'print one JSON line and nothing else; values that are no numbers are null')
    .addHelpText('after', examples('helios evaluate data/asd', 'helios evaluate data --baseline pca --json'))
    .action(async (folder: string, flags: Flags) => {
      const report = await evaluate(folder, flags, context);
      context.print(flags.json ? JSON.stringify(report, withoutParts) : reportText(report));
    });
}
