import type { Command } from 'commander';
import type { ModelRecord } from '../model/model-record.ts';
import { connect, KEY_FLAG, URL_FLAG, type ClientFlags } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './help-examples.ts';
import { formatTable, shortTime } from './table.ts';

interface Flags extends ClientFlags {
  json?: boolean;
  service?: string;
  from?: string;
  to?: string;
}

interface ModelList {
  items: ModelRecord[];
}

function tableOf(models: readonly ModelRecord[]): string {
  const head = ['VERSION', 'SERVICE', 'STATE', 'TRAINED (UTC)', 'WINDOWS', 'OFFSET', 'FLAGGED'];
  const rows = models.map(({ version, service, state, trainedAt, offset, metrics }) => [
    version,
    service,
    state,
    shortTime(trainedAt),
    String(metrics.trainingWindows),
    offset.toFixed(4),
    `${(metrics.flaggedShare * 100).toFixed(1)} %`,
  ]);
  return formatTable(head, rows);
}

function printModels(answer: unknown, none: string, flags: Flags, context: CommandContext): void {
  if (flags.json === true) {
    context.print(JSON.stringify(answer));
    return;
  }
  const { items } = answer as ModelList;
  context.print(items.length === 0 ? none : tableOf(items));
}

export function registerModel(program: Command, context: CommandContext): void {
  const model = program
    .command('model')
    .description('list, train and activate isolation forests')
    .addHelpText('after', examples('helios model train --service shop', 'helios model list', 'helios model activate v3'));
  const subcommand = (usage: string, description: string): Command =>
    model
      .command(usage)
      .description(description)
      .option(...URL_FLAG)
      .option(...KEY_FLAG)
      .option('--json', 'print the answer of the API');
  subcommand('list', 'list the trained models').action(async (flags: Flags) => {
    printModels(await connect(flags).get('/api/v1/models'), 'no models yet', flags, context);
  });
  subcommand('train', 'train on stored history; what is trained scores nothing until it is activated')
    .option('--service <service>', 'only this service; otherwise every one with enough history')
    .option('--from <time>', 'history from this time on, ISO 8601')
    .option('--to <time>', 'history before this time, ISO 8601')
    .action(async (flags: Flags) => {
      const { service, from, to } = flags;
      const answer = await connect(flags).post('/api/v1/models/train', { service, from, to });
      printModels(
        answer,
        'nothing was trained: no service has 32 windows with events yet (2h40m with windows of 5m)',
        flags,
        context,
      );
    });
  subcommand('activate <version>', 'let a version score its service').action(async (version: string, flags: Flags) => {
    const answer = await connect(flags).post(`/api/v1/models/${encodeURIComponent(version)}/activate`, undefined);
    if (flags.json === true) context.print(JSON.stringify(answer));
    else context.print(tableOf([answer as ModelRecord]));
  });
}
