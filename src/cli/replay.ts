import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { loadClientConfig } from '../config/client.ts';
import { parseTime, systemClock } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Rejection } from '../model/scanner.ts';
import { KEY_FLAG, URL_FLAG } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { EventBodyBuilder } from './event-body.ts';
import type { EventBody } from './event-body.ts';
import { EventClient } from './event-client.ts';
import { openEventFile } from './event-file.ts';
import { examples } from './help-examples.ts';
import { positiveIntegerOption, positiveNumberOption } from './option-values.ts';
import { startProgress } from './progress.ts';

const SHOWN_REASONS = 5;

export interface ReplayOptions {
  files: readonly string[];
  url: string;
  key: string;
  batchEvents: number;
  /** Event time over wall time; Infinity is as fast as the server takes it. */
  speed: number;
  quiet: boolean;
  clock: Clock;
  stderr: NodeJS.WritableStream & { isTTY?: boolean };
}

export interface ReplaySummary {
  accepted: number;
  rejected: number;
  files: number;
  /** The first reasons, each with the number of the event in its file, from 1. */
  reasons: string[];
  elapsedMs: number;
}

/** Posts files of events in order, one body in flight. Throws `unavailable` when the server is gone, `invalid_argument` for files. */
export async function replayFiles(options: ReplayOptions): Promise<ReplaySummary> {
  const { clock } = options;
  const startedMs = clock.monotonicMs();
  const summary: ReplaySummary = { accepted: 0, rejected: 0, files: 0, reasons: [], elapsedMs: 0 };
  const onRetry = (reason: string, delayMs: number): void => {
    if (!options.quiet) options.stderr.write(`waiting ${(delayMs / 1000).toFixed(1)} s: ${reason}\n`);
  };
  await using client = new EventClient({ url: options.url, key: options.key, clock, onRetry });
  const pace = createPace(options.speed, clock);
  for (const path of options.files) {
    await replayFile(path, options, client, pace, summary);
    summary.files++;
  }
  summary.elapsedMs = clock.monotonicMs() - startedMs;
  return summary;
}

async function replayFile(
  path: string,
  options: ReplayOptions,
  client: EventClient,
  pace: (body: EventBody) => Promise<void>,
  summary: ReplaySummary,
): Promise<void> {
  await using file = await openEventFile(path);
  const progress = startProgress({
    label: `replaying ${path}`,
    total: file.sizeBytes,
    format: (bytes) => `${(bytes / 1e6).toFixed(1)} MB`,
    ...options,
    stream: options.stderr,
  });
  const builder = new EventBodyBuilder(options.batchEvents);
  let index = 0;
  let eventsBefore = 0;
  const post = async (body: EventBody): Promise<void> => {
    await pace(body);
    const answer = await client.post(body.bytes, body.count, idempotencyKey(path, index++, body.bytes));
    summary.accepted += answer.accepted;
    summary.rejected += answer.rejectedCount;
    for (const rejection of answer.rejected.slice(0, SHOWN_REASONS - summary.reasons.length)) {
      summary.reasons.push(describe(path, eventsBefore, rejection));
    }
    eventsBefore += body.count;
    progress.update(file.readBytes, `${summary.accepted} events accepted`);
  };
  try {
    for await (const event of file.events()) {
      const body = builder.add(event);
      if (body) await post(body);
    }
    const last = builder.flush();
    if (last) await post(last);
  } finally {
    progress.stop();
  }
}

/** The same part of the same file has the same key, so that a retry, or a replay that is begun again, counts once. */
function idempotencyKey(path: string, index: number, bytes: Buffer): string {
  const digest = createHash('sha256')
    .update(`${resolve(path)}\n${index}\n`)
    .update(bytes)
    .digest('hex');
  return `replay-${digest.slice(0, 40)}`;
}

/** Waits until the first event of a body is due, as far after the start of the replay as `speed` asks. */
function createPace(speed: number, clock: Clock): (body: EventBody) => Promise<void> {
  let originEventMs = NaN;
  const originMs = clock.monotonicMs();
  return async ({ bytes }) => {
    if (speed === Infinity) return;
    const found = /"timestamp"\s*:\s*"([^"]+)"/.exec(bytes.toString('latin1', 0, 2048));
    const eventMs = found ? parseTime(found[1] as string) : NaN;
    if (Number.isNaN(eventMs)) return;
    if (Number.isNaN(originEventMs)) originEventMs = eventMs;
    const waitMs = originMs + (eventMs - originEventMs) / speed - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs);
  };
}

function describe(path: string, eventsBefore: number, { index, field, reason }: Rejection): string {
  return `${path}, event ${eventsBefore + index + 1}: ${field === '' ? '' : `${field}: `}${reason}`;
}

function speedOption(text: string): number {
  return text === 'max' ? Infinity : positiveNumberOption(text);
}

export function registerReplay(program: Command, { print }: CommandContext): void {
  program
    .command('replay')
    .description('post files of events (NDJSON or a JSON array, plain, gzip or zstd) to a running HELIOS')
    .argument('<file...>', 'files, posted in this order')
    .option(...URL_FLAG)
    .option(...KEY_FLAG)
    .addOption(
      new Option('--speed <factor>', 'how much faster than it happened: 1 is as it happened, max as fast as the server takes it')
        .argParser(speedOption)
        .default(Infinity, 'max'),
    )
    .option('--batch <events>', 'events in one request', positiveIntegerOption, 1000)
    .option('--json', 'print one JSON line at the end and nothing else')
    .addHelpText(
      'after',
      examples(
        'helios replay events.ndjson',
        'helios replay monday.ndjson.gz tuesday.json --speed 60 --url http://127.0.0.1:9000',
      ),
    )
    .action(async (files: string[], flags: { url?: string; key?: string; speed: number; batch: number; json?: true }) => {
      const client = loadClientConfig(flags);
      const quiet = flags.json === true;
      const pace = { batchEvents: flags.batch, speed: flags.speed, quiet };
      printSummary(await replayFiles({ files, ...client, ...pace, clock: systemClock, stderr: process.stderr }), quiet, print);
    });
}

function printSummary(
  { accepted, rejected, files, reasons, elapsedMs }: ReplaySummary,
  json: boolean,
  print: (line: string) => void,
): void {
  if (json) {
    print(JSON.stringify({ accepted, rejected, files }));
  } else {
    const perSecond = Math.round(accepted / Math.max(0.001, elapsedMs / 1000));
    print(
      `accepted ${accepted}, rejected ${rejected} in ${(elapsedMs / 1000).toFixed(1)} s (${perSecond} events/s) from ${files} ${files === 1 ? 'file' : 'files'}`,
    );
    for (const reason of reasons) print(`  ${reason}`);
  }
  if (accepted === 0 && rejected > 0) {
    throw new HeliosError(
      'all_rejected',
      `cannot replay: every event was rejected, the first because of ${reasons[0] ?? 'its form'}`,
    );
  }
}
