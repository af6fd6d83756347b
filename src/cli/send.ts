import { createHash } from 'node:crypto';
import { Option, type Command } from 'commander';
import { loadClientConfig } from '../config/client.ts';
import type { Clock } from '../lib/clock.ts';
import { isoTime, systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { KEY_FLAG, URL_FLAG } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import type { EventBody } from './event-body.ts';
import { EventBodyBuilder, readLines } from './event-body.ts';
import type { PostAnswer } from './event-client.ts';
import { EventClient } from './event-client.ts';
import { examples } from './help-examples.ts';
import { nonNegativeNumberOption } from './option-values.ts';

const STDIN_BATCH_EVENTS = 1000;

export interface EventFlags {
  service?: string;
  level: string;
  message?: string;
  latencyMs?: number;
  endpoint?: string;
  timestamp?: string;
  traceId?: string;
  serviceVersion?: string;
}

/** The event that the flags describe, stamped with the present unless they give a time. */
export function eventOf(flags: EventFlags, clock: Clock): Record<string, unknown> {
  if (flags.service === undefined) {
    throw new HeliosError('invalid_argument', 'cannot send: --service is missing (or - to read NDJSON from standard input)');
  }
  const metadata = {
    ...(flags.latencyMs === undefined ? {} : { latency_ms: flags.latencyMs }),
    ...(flags.endpoint === undefined ? {} : { endpoint: flags.endpoint }),
    ...(flags.serviceVersion === undefined ? {} : { 'service.version': flags.serviceVersion }),
  };
  return {
    timestamp: flags.timestamp ?? isoTime(clock.nowMs()),
    service: flags.service,
    level: flags.level,
    message: flags.message ?? '',
    metadata,
    ...(flags.traceId === undefined ? {} : { trace_id: flags.traceId }),
  };
}

/** Retries of a body share its key; the nonce keeps two runs that say the same apart. */
function idempotencyKey(bytes: Uint8Array, nonce: number): string {
  return `send-${createHash('sha256').update(`${nonce}\n`).update(bytes).digest('hex').slice(0, 40)}`;
}

/** Posts NDJSON as it comes; the answers are added up, `index` counting from the first line. */
export async function sendLines(input: AsyncIterable<Uint8Array>, client: EventClient, nonce: number): Promise<PostAnswer> {
  const total: PostAnswer = { accepted: 0, rejectedCount: 0, rejected: [] };
  const builder = new EventBodyBuilder(STDIN_BATCH_EVENTS);
  let eventsBefore = 0;
  const post = async ({ bytes, count }: EventBody): Promise<void> => {
    const { accepted, rejectedCount, rejected } = await client.post(bytes, count, idempotencyKey(bytes, nonce + eventsBefore));
    total.accepted += accepted;
    total.rejectedCount += rejectedCount;
    for (const rejection of rejected.slice(0, 100 - total.rejected.length)) {
      total.rejected.push({ ...rejection, index: eventsBefore + rejection.index });
    }
    eventsBefore += count;
  };
  for await (const line of readLines(input)) {
    const body = builder.add(line);
    if (body) await post(body);
  }
  const last = builder.flush();
  if (last) await post(last);
  return total;
}

export function registerSend(program: Command, { print }: CommandContext): void {
  program
    .command('send')
    .description('post one event, or NDJSON from standard input')
    .argument('[source]', '- reads NDJSON from standard input')
    .option('--service <name>', 'service that the event belongs to; required for one event')
    .addOption(new Option('--level <level>', 'DEBUG, INFO, WARN, ERROR or CRITICAL').default('INFO', 'INFO'))
    .option('--message <text>', 'what happened; empty unless given')
    .option('--latency-ms <ms>', 'how long it took, in milliseconds', nonNegativeNumberOption)
    .option('--endpoint <path>', 'endpoint that was called')
    .option('--timestamp <time>', 'when it happened, RFC 3339; now unless given')
    .option('--trace-id <id>', 'trace that the event belongs to')
    .option('--service-version <version>', 'version of the service; a new one counts as a deployment')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .option('--json', 'print the answer as one JSON line')
    .addHelpText(
      'after',
      examples(
        'helios send --service shop --level ERROR --message "payment refused" --endpoint /pay --latency-ms 5000',
        'tail -n 100 events.ndjson | helios send -',
      ),
    )
    .action(async (source: string | undefined, flags: EventFlags & { url?: string; key?: string; json?: true }) => {
      if (source !== undefined && source !== '-') {
        throw new HeliosError('invalid_argument', `cannot send "${source}": only - is understood; "helios replay" posts files`);
      }
      const body = source === '-' ? undefined : Buffer.from(JSON.stringify(eventOf(flags, systemClock)));
      const nonce = systemClock.nowMs();
      await using client = new EventClient({ ...loadClientConfig(flags), clock: systemClock });
      const answer = body
        ? await client.post(body, 1, idempotencyKey(body, nonce))
        : await sendLines(process.stdin, client, nonce);
      printAnswer(answer, flags.json === true, print);
    });
}

function printAnswer(answer: PostAnswer, json: boolean, print: (line: string) => void): void {
  const { accepted, rejectedCount, rejected } = answer;
  print(json ? JSON.stringify(answer) : `accepted ${accepted}, rejected ${rejectedCount}`);
  if (rejectedCount === 0) return;
  const [first] = rejected;
  const reason = first ? `event ${first.index + 1}: ${first.field === '' ? '' : `${first.field}: `}${first.reason}` : 'unknown';
  throw new HeliosError('all_rejected', `cannot send ${rejectedCount} of ${accepted + rejectedCount} events: ${reason}`);
}
