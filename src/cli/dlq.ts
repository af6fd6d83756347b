import type { Command } from 'commander';
import { loadConfig } from '../config/sources.ts';
import { HeliosError } from '../lib/errors.ts';
import type { DeadLetterService } from '../roles/dead-letter-service.ts';
import type { CommandContext } from './command-context.ts';
import { commandLogger } from './command-logger.ts';
import { addSourceFlags, configRequestOf, type ConfigFlags } from './config-flags.ts';
import { letterText, lettersTable } from './dead-letter-text.ts';
import { examples } from './help-examples.ts';
import { positiveIntegerOption } from './option-values.ts';

interface Flags extends ConfigFlags {
  json?: boolean;
}

interface ListFlags extends Flags {
  topic?: string;
  limit: number;
}

interface RetryFlags extends Flags {
  topic?: string;
  all?: boolean;
  again?: boolean;
}

const LETTER = 'TOPIC/ID, as "helios dlq list" shows it';

/** Does `work` against the brokers that the configuration names, and closes the connection. */
async function withLetters<T>(
  context: CommandContext,
  flags: Flags,
  work: (service: DeadLetterService) => Promise<T>,
): Promise<T> {
  const { config, warnings } = loadConfig({ ...configRequestOf(flags), needs: 'kafka' });
  for (const warning of warnings) context.warn(`helios: warning: ${warning}`);
  // Only here: the client of Kafka takes a while to load.
  const { openDeadLetterService } = await import('../roles/dead-letter-service.ts');
  await using service = await openDeadLetterService({ config, logger: commandLogger(context) });
  return await work(service);
}

async function list(context: CommandContext, flags: ListFlags): Promise<void> {
  const { topic, limit, json } = flags;
  const { letters, hasMore } = await withLetters(context, flags, (service) => service.list({ topic, limit }));
  if (json === true) {
    context.print(JSON.stringify({ items: letters }));
    return;
  }
  context.print(letters.length === 0 ? 'no dead letters' : lettersTable(letters));
  if (hasMore) context.print(`there are more: --limit ${limit * 2}`);
}

async function show(context: CommandContext, name: string, flags: Flags): Promise<void> {
  const letter = await withLetters(context, flags, (service) => service.get(name));
  if (flags.json !== true) context.print(letterText(letter));
  else {
    const bytes = Buffer.from(letter.value);
    context.print(JSON.stringify({ ...letter, value: bytes.toString(), valueBase64: bytes.toString('base64') }));
  }
}

async function retry(context: CommandContext, name: string | undefined, flags: RetryFlags): Promise<void> {
  const { all = false, again = false, topic } = flags;
  if ((name === undefined) !== all) {
    throw new HeliosError('invalid_argument', 'cannot retry: name one letter, as "helios dlq list" shows it, or say --all');
  }
  const which = name === undefined ? { topic } : { name, again };
  const retried = await withLetters(context, flags, (service) => service.retry(which));
  if (flags.json === true) context.print(JSON.stringify({ retried }));
  else if (retried.length === 0) context.print('no dead letter waits');
  else context.print(retried.map((each) => `put back ${each}`).join('\n'));
}

export function registerDlq(program: Command, context: CommandContext): void {
  const dlq = program
    .command('dlq')
    .description('list, show and retry records that could not be read (dead letters)')
    .addHelpText(
      'after',
      examples('helios dlq list --topic events', 'helios dlq show events/3-17-0a1b2c3d', 'helios dlq retry --all'),
    );
  addSourceFlags(dlq.command('list').description('list dead letters, newest first'))
    .option('--topic <topic>', 'only those of a topic, such as events')
    .option('--limit <count>', 'how many at most', positiveIntegerOption, 20)
    .option('--json', 'print JSON')
    .action((flags: ListFlags) => list(context, flags));
  addSourceFlags(dlq.command('show').description('show one, with its reason and its value as text'))
    .argument('<letter>', LETTER)
    .option('--json', 'print JSON, the value also in base64')
    .action((name: string, flags: Flags) => show(context, name, flags));
  addSourceFlags(dlq.command('retry').description('put dead letters back into the topic that they come from'))
    .argument('[letter]', LETTER)
    .option('--all', 'every one that was not put back before')
    .option('--topic <topic>', 'with --all: only those of a topic')
    .option('--again', 'also when the letter was put back before')
    .option('--json', 'print JSON')
    .action((name: string | undefined, flags: RetryFlags) => retry(context, name, flags));
}
