import type { Command } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { GridRow, GridTable, ModelComparison, ModelRecord } from '../model/model-record.ts';
import { connect, KEY_FLAG, URL_FLAG, type ClientFlags } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './help-examples.ts';
import { integerOption, positiveIntegerOption, positiveNumberOption } from './option-values.ts';
import { trainOnPlanSet } from './plan-set-training.ts';
import { startProgress } from './progress.ts';
import { formatTable, shortTime } from './table.ts';

interface Flags extends ClientFlags {
  json?: boolean;
  service?: string;
  from?: string;
  to?: string;
}

interface TrainFlags extends Flags {
  grid?: true;
  planSet?: true;
  seed: number;
  rate: number;
  services: number;
}

interface ModelList {
  items: ModelRecord[];
  grid?: GridTable | null;
}

const DAY_MS = 86_400_000;
/** A grid search takes minutes, and a machine may be slow. */
const TRAINING_TIMEOUT_MS = 30 * 60_000;
/** Rows of a grid that are printed; --json has all. */
const MAX_GRID_ROWS = 12;

function tableOf(models: readonly ModelRecord[]): string {
  const head = ['VERSION', 'SERVICE', 'STATE', 'TRAINED (UTC)', 'WINDOWS', 'EXCLUDED', 'OFFSET', 'FLAGGED', 'DATA'];
  const rows = models.map(({ version, service, state, trainedAt, offset, metrics, dataHash, excludedWindows }) => [
    version,
    service,
    state,
    shortTime(trainedAt),
    String(metrics.trainingWindows),
    String(excludedWindows ?? ''),
    offset.toFixed(4),
    `${(metrics.flaggedShare * 100).toFixed(1)} %`,
    dataHash?.slice(0, 8) ?? '',
  ]);
  return formatTable(head, rows);
}

function shown(value: number | null): string {
  return value === null ? '-' : value.toFixed(3);
}

/** The best rows of a search, and what to write into the configuration to use the one that was kept. */
export function gridText({ rows, best }: GridTable): string {
  const head = ['TREES', 'SAMPLES', 'CONTAMINATION', 'RANKS', 'FLAGS', 'STABILITY', 'PRECISION', 'RECALL', 'F1', 'FEATURES'];
  const cells = ({ trees, samples, contamination, features, ...row }: GridRow): string[] => [
    ...[trees, samples, contamination].map(String),
    ...[row.rankAgreement, row.flagAgreement, row.stability, row.precision, row.recall, row.f1].map(shown),
    features.join(','),
  ];
  const shownRows = rows.slice(0, MAX_GRID_ROWS);
  const more = rows.length > shownRows.length ? [`and ${rows.length - shownRows.length} more: --json`] : [];
  const kept = `kept: ${best.trees} trees of ${best.samples} samples, contamination ${best.contamination}, ${best.features.join(', ')}`;
  const settings = `anomaly_detection.contamination=${best.contamination} anomaly_detection.features=${best.features.join(',')}`;
  return [formatTable(head, shownRows.map(cells)), ...more, '', kept, `as settings: ${settings}`].join('\n');
}

export function comparisonText({ service, from, to, windows, versions, ...both }: ModelComparison): string {
  const head = ['VERSION', 'FLAGGED', 'SHARE', 'SCORE P01', 'P05', 'P50', 'P95', 'PRECISION', 'RECALL'];
  const rows = versions.map(({ version, flagged, flaggedShare, quantiles, precision, recall }) => [
    version,
    String(flagged),
    `${(flaggedShare * 100).toFixed(1)} %`,
    ...Object.values(quantiles).map((value) => value.toFixed(3)),
    shown(precision),
    shown(recall),
  ]);
  const alike = `${(both.agreement * 100).toFixed(1)} % judged alike, ${both.bothFlagged} flagged by both`;
  const span = `${service}, ${windows} windows from ${shortTime(from)} to ${shortTime(to)}`;
  return `${formatTable(head, rows)}\n${span}: ${alike}, rank correlation ${shown(both.rankCorrelation)}`;
}

function printModels(answer: unknown, none: string, flags: Flags, context: CommandContext): void {
  if (flags.json === true) {
    context.print(JSON.stringify(answer));
    return;
  }
  const { items, grid } = answer as ModelList;
  if (grid) context.print(`${gridText(grid)}\n`);
  context.print(items.length === 0 ? none : tableOf(items));
}

function trainLocally(flags: TrainFlags, { print }: CommandContext): void {
  if (flags.service !== undefined || flags.from !== undefined || flags.to !== undefined) {
    throw new HeliosError(
      'invalid_argument',
      'cannot train: --plan-set is generated, and goes with neither --service nor a range',
    );
  }
  const progress = startProgress({
    label: 'training',
    total: 100,
    format: (percent) => `${percent.toFixed(0)} %`,
    quiet: flags.json === true,
    stream: process.stderr,
    clock: systemClock,
  });
  try {
    const { seed, rate, services } = flags;
    // A Monday: the set does not depend on the day on which it is made.
    const table = trainOnPlanSet(
      { seed, rate, services, grid: flags.grid === true, startMs: 2910 * 7 * DAY_MS + 4 * DAY_MS },
      progress,
    );
    print(flags.json === true ? JSON.stringify(table) : gridText(table));
  } finally {
    progress.stop();
  }
}

type Subcommand = (usage: string, description: string) => Command;

function addTrain(subcommand: Subcommand, context: CommandContext): void {
  subcommand('train', 'train on stored history outside incidents; what is trained scores nothing until it is activated')
    .option('--service <service>', 'only this service; otherwise every one with enough history')
    .option('--from <time>', 'history from this time on, ISO 8601')
    .option('--to <time>', 'history before this time, ISO 8601')
    .option('--grid', 'search trees, samples, contamination and features first, and keep the best')
    .option(
      '--plan-set',
      'judge forests on seven generated days whose truth is known; needs no running HELIOS and stores nothing',
    )
    .option('--seed <n>', 'of --plan-set', integerOption, 1)
    .option('--rate <events/s>', 'of --plan-set', positiveNumberOption, 10)
    .option('--services <n>', 'of --plan-set', positiveIntegerOption, 6)
    .action(async (flags: TrainFlags) => {
      if (flags.planSet) {
        trainLocally(flags, context);
        return;
      }
      const { service, from, to, grid } = flags;
      const answer = await connect(flags, TRAINING_TIMEOUT_MS).post('/api/v1/models/train', { service, from, to, grid });
      const none = 'nothing was trained: no service has 32 windows with events yet (2h40m with windows of 5m)';
      printModels(answer, none, flags, context);
    });
}

function addChanges(subcommand: Subcommand, context: CommandContext): void {
  const printModel = (model: unknown, flags: Flags): void =>
    context.print(flags.json === true ? JSON.stringify(model) : tableOf([model as ModelRecord]));
  subcommand('activate <version>', 'let a version score its service').action(async (version: string, flags: Flags) => {
    printModel(await connect(flags).post(`/api/v1/models/${encodeURIComponent(version)}/activate`, undefined), flags);
  });
  subcommand('rollback <service>', 'let the version score again that was active before').action(
    async (service: string, flags: Flags) => {
      printModel(await connect(flags).post('/api/v1/models/rollback', { service }), flags);
    },
  );
}

function addCompare(subcommand: Subcommand, context: CommandContext): void {
  subcommand('compare <version> <other>', 'how two versions judge the same stored windows')
    .option('--from <time>', 'windows from this time on, ISO 8601')
    .option('--to <time>', 'windows before this time, ISO 8601')
    .action(async (version: string, other: string, flags: Flags) => {
      const { from, to } = flags;
      const answer = await connect(flags).post('/api/v1/models/compare', { versions: [version, other], from, to });
      context.print(flags.json === true ? JSON.stringify(answer) : comparisonText(answer as ModelComparison));
    });
}

export function registerModel(program: Command, context: CommandContext): void {
  const model = program
    .command('model')
    .description('list, train, compare and activate isolation forests')
    .addHelpText(
      'after',
      examples(
        'helios model train --service shop --grid',
        'helios model train --plan-set --grid',
        'helios model list',
        'helios model compare v3 v4',
        'helios model activate v3',
        'helios model rollback shop',
      ),
    );
  const subcommand: Subcommand = (usage, description) =>
    model
      .command(usage)
      .description(description)
      .option(...URL_FLAG)
      .option(...KEY_FLAG)
      .option('--json', 'print the answer of the API');
  subcommand('list', 'list the trained models').action(async (flags: Flags) => {
    printModels(await connect(flags).get('/api/v1/models'), 'no models yet', flags, context);
  });
  addTrain(subcommand, context);
  addChanges(subcommand, context);
  addCompare(subcommand, context);
}
