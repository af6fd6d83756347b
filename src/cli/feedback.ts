import { Argument, Option, type Command } from 'commander';
import { HeliosError } from '../lib/errors.ts';
import { FEEDBACK_LABELS, LISTED_LABELS, type DayHours, type Feedback, type FeedbackAnswer } from '../model/feedback.ts';
import { connect, KEY_FLAG, URL_FLAG, type ClientFlags } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { examples } from './help-examples.ts';
import { formatTable, shortTime } from './table.ts';

interface SayFlags extends ClientFlags {
  by?: string;
  note?: string;
  cause?: string;
  hours?: string;
  everywhere?: boolean;
  preview?: boolean;
  labelOnly?: boolean;
  force?: boolean;
  json?: boolean;
}

interface ListFlags extends ClientFlags {
  label?: string;
  service?: string;
  limit: string;
  json?: boolean;
}

interface MissedFlags extends ClientFlags {
  from: string;
  to: string;
  by?: string;
  note?: string;
}

/** "2-4" is from two to four o'clock UTC. */
function hoursOf(text: string): DayHours {
  const match = /^(\d{1,2})-(\d{1,2})$/.exec(text);
  if (match) return { from: Number(match[1]), to: Number(match[2]) % 24 };
  throw new HeliosError('invalid_argument', `cannot read --hours ${text}: expected two hours of the day in UTC such as 2-4`);
}

function bodyOf(label: string, { by, note, cause, hours, everywhere, preview, labelOnly, force }: SayFlags): object {
  const scope = {
    ...(hours === undefined ? {} : { hours: hoursOf(hours) }),
    ...(everywhere ? { match: 'service' } : {}),
  };
  return {
    label,
    by,
    note,
    cause,
    ...(labelOnly ? { apply: false } : {}),
    ...(force ? { force } : {}),
    ...(preview ? { preview } : {}),
    ...(Object.keys(scope).length > 0 ? { scope } : {}),
  };
}

function answerText({ feedback, preview }: FeedbackAnswer): string {
  const changed = preview ? [`over the last ${preview.days} days: ${preview.sentence}`] : [];
  if (!feedback) return changed[0] ?? 'it would change nothing but the label';
  const { id, label, rule } = feedback;
  const held = rule ? ['anomalies like these call nobody from now on'] : [];
  return [`${label} (${id})`, ...held, ...changed].join('\n');
}

function tableOf(items: readonly Feedback[]): string {
  const head = ['FEEDBACK', 'LABEL', 'SAID (UTC)', 'BY', 'RULE', 'SERVICES', 'NOTE'];
  const stateOf = ({ rule, takenBack }: Feedback): string => (takenBack ? 'taken back' : rule ? 'in force' : '');
  const rows = items.map((item) => {
    const { id, label, at, by, services, note } = item;
    return [id, label, shortTime(at), by, stateOf(item), services.join(', '), note ?? ''];
  });
  return formatTable(head, rows);
}

function registerSay(feedback: Command, { print }: CommandContext): void {
  feedback
    .command('say')
    .description('say what an incident was; expected and false_alarm keep later ones like it from calling')
    .argument('<incident>', 'id of the incident, as "helios incidents" lists it')
    .addArgument(new Argument('<label>', 'what it was').choices(FEEDBACK_LABELS))
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .option('--by <person>', 'who says so; the API key unless given')
    .option('--note <text>', 'why')
    .option('--cause <service>', 'the service that it was, with wrong_cause')
    .option('--hours <from-to>', 'with expected: only at these hours of the day, UTC, such as 2-4')
    .option('--everywhere', 'the services wherever they run, not only in their environment and namespace')
    .option('--preview', 'only say what it would have changed')
    .option('--label-only', 'keep the label and change nothing')
    .option('--force', 'although it hides incidents that a person called real')
    .option('--json', 'print the answer of the API')
    .addHelpText(
      'after',
      examples(
        'helios feedback say in-0123456789abcdef false_alarm --preview',
        'helios feedback say in-0123456789abcdef expected --hours 2-4 --note "nightly backup"',
      ),
    )
    .action(async (incident: string, label: string, flags: SayFlags) => {
      const path = `/api/v1/incidents/${encodeURIComponent(incident)}/feedback`;
      const answer = await connect(flags).post(path, bodyOf(label, flags));
      print(flags.json === true ? JSON.stringify(answer) : answerText(answer as FeedbackAnswer));
    });
}

function registerList(feedback: Command, { print }: CommandContext): void {
  feedback
    .command('list')
    .description('list what people said, newest first')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .addOption(new Option('--label <label>', 'only this one').choices(LISTED_LABELS))
    .option('--service <service>', 'only of incidents of this service')
    .addOption(new Option('--limit <count>', 'how many at most, up to 1000').default('20', '20'))
    .option('--json', 'print the answer of the API')
    .action(async (flags: ListFlags) => {
      const { label, service, limit } = flags;
      const answer = await connect(flags).get('/api/v1/feedback', { label, service, limit });
      if (flags.json === true) return print(JSON.stringify(answer));
      const { items } = answer as { items: Feedback[] };
      print(items.length === 0 ? 'no feedback' : tableOf(items));
    });
}

/** `helios feedback`: what people say of incidents. */
export function registerFeedback(program: Command, context: CommandContext): void {
  const { print } = context;
  const feedback = program.command('feedback').description('say what incidents were: real, expected, false alarms, missed');
  registerSay(feedback, context);
  registerList(feedback, context);
  feedback
    .command('take-back')
    .description('take back what was said, and what followed from it')
    .argument('<feedback>', 'id, as "helios feedback list" shows it')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .action(async (id: string, flags: ClientFlags) => {
      const { label } = (await connect(flags).delete(`/api/v1/feedback/${encodeURIComponent(id)}`)) as Feedback;
      print(`${label} (${id}) is taken back`);
    });
  feedback
    .command('missed')
    .description('tell of a fault that no incident told of')
    .argument('<service>', 'where it was')
    .requiredOption('--from <time>', 'when it began, ISO 8601')
    .requiredOption('--to <time>', 'when it ended, ISO 8601')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .option('--by <person>', 'who says so; the API key unless given')
    .option('--note <text>', 'what it was')
    .action(async (service: string, { from, to, by, note, ...flags }: MissedFlags) => {
      const { id } = (await connect(flags).post('/api/v1/feedback/missed', { service, from, to, by, note })) as Feedback;
      print(`missed (${id})`);
    });
}
