import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Option, type Command } from 'commander';
import { DEFAULT_URL, loadClientConfig } from '../config/client.ts';
import type { FaultName } from '../generate/fault-kinds.ts';
import { FAULT_NAMES, isFaultName } from '../generate/fault-kinds.ts';
import type { EventChunk, Generator } from '../generate/generator.ts';
import { createGenerator } from '../generate/generator.ts';
import { PLAN_SET, planSetOptions } from '../generate/plan-set.ts';
import { isoTime, systemClock } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { HeliosError, systemCode } from '../lib/errors.ts';
import { nearestName } from '../lib/nearest.ts';
import { KEY_FLAG } from './api-client.ts';
import type { CommandContext } from './command-context.ts';
import { EventClient } from './event-client.ts';
import { examples } from './help-examples.ts';
import { durationOption, integerOption, positiveIntegerOption, positiveNumberOption, timeOption } from './option-values.ts';
import type { Progress } from './progress.ts';
import { startProgress } from './progress.ts';

const BATCH_EVENTS = 1000;
const LIVE_STEP_MS = 1000;
const HOUR_MS = 3_600_000;

export interface GenerateFlags {
  seed: number;
  duration: number;
  history?: number;
  rate: number;
  services: number;
  start?: number;
  faults?: number | FaultName[];
  gap?: number;
  warmUp?: number;
  benignGap?: number;
  planSet?: true;
  out?: string;
  labels?: string;
  url?: string;
  key?: string;
  live?: true;
  json?: true;
}

export interface GenerateSummary {
  events: number;
  rejected: number;
  start: string;
  end: string;
  seed: number;
  faults: number;
  labels: string | null;
}

export interface GenerateContext {
  clock: Clock;
  stderr: NodeJS.WritableStream & { isTTY?: boolean };
}

/**
 * The stream that the flags ask for. `history` comes before `start` and has no faults. Without a start a live stream begins
 * now, and any other ends with the last full hour, so that what it says is recent enough to be taken.
 */
export function generatorOf(flags: GenerateFlags, nowMs: number): Generator {
  const historyMs = flags.history ?? 0;
  if (flags.planSet && (flags.faults !== undefined || flags.live || historyMs > 0)) {
    throw refused('--plan-set says which faults there are, and goes with neither --faults, --history nor --live');
  }
  const durationMs = flags.planSet ? PLAN_SET.durationMs : flags.duration;
  const recentMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS - durationMs;
  const startMs = (flags.start ?? (flags.live ? nowMs : recentMs)) - historyMs;
  const { seed, rate, services } = flags;
  if (flags.planSet) return createGenerator(planSetOptions({ seed, rate, services, startMs }));
  const quietMs = flags.warmUp ?? Math.min(30 * 60_000, flags.duration / 4);
  return createGenerator({
    seed,
    startMs,
    durationMs: historyMs + durationMs,
    warmUpMs: historyMs + quietMs,
    rate,
    services,
    ...(flags.faults === undefined ? {} : { faults: flags.faults }),
    ...(flags.gap === undefined ? {} : { faultGapMs: flags.gap }),
    ...(flags.benignGap === undefined ? {} : { benignGapMs: flags.benignGap }),
  });
}

/** Writes or posts the stream, and the truth beside it. */
export async function generate(flags: GenerateFlags, context: GenerateContext): Promise<GenerateSummary> {
  if (flags.live && flags.out !== undefined) throw refused('--live posts to --url, not to a file');
  if (flags.out === undefined && flags.url === undefined && !flags.live) throw refused('--out or --url is missing');
  const generator = generatorOf(flags, context.clock.nowMs());
  const labelsPath = flags.labels ?? (flags.out === undefined ? undefined : `${flags.out.replace(/\.gz$/, '')}.labels.json`);
  if (labelsPath !== undefined) await writeLabels(labelsPath, generator);
  const progress = startProgress({
    label: 'generating',
    total: generator.endMs - generator.startMs,
    format: (ms) => `${(ms / HOUR_MS).toFixed(2)} h`,
    quiet: flags.json === true,
    stream: context.stderr,
    clock: context.clock,
  });
  try {
    const { events, rejected } =
      flags.out === undefined ? await post(generator, flags, context, progress) : await write(generator, flags.out, progress);
    const [start, end] = [isoTime(generator.startMs), isoTime(generator.endMs)];
    const faults = generator.labels.filter(({ benign }) => !benign).length;
    return { events, rejected, start, end, seed: flags.seed, faults, labels: labelsPath ?? null };
  } finally {
    progress.stop();
  }
}

async function writeLabels(path: string, generator: Generator): Promise<void> {
  const lines = generator.labels.map((label) => `  ${JSON.stringify(label)}`);
  await writeFile(path, lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`).catch((error: unknown) => {
    throw unwritable(path, error);
  });
}

async function write(generator: Generator, path: string, progress: Progress): Promise<{ events: number; rejected: number }> {
  let events = 0;
  function* bytes(): Iterable<Buffer> {
    for (const chunk of generator.events(BATCH_EVENTS)) {
      events += chunk.count;
      progress.update(chunk.toMs - generator.startMs, `${events} events`);
      yield chunk.bytes;
    }
  }
  const source = Readable.from(bytes(), { objectMode: false, highWaterMark: 1 << 20 });
  const file = createWriteStream(path);
  const written = path.endsWith('.gz') ? pipeline(source, createGzip({ level: 6 }), file) : pipeline(source, file);
  await written.catch((error: unknown) => {
    throw unwritable(path, error);
  });
  return { events, rejected: 0 };
}

async function post(
  generator: Generator,
  flags: GenerateFlags,
  { clock, stderr }: GenerateContext,
  progress: Progress,
): Promise<{ events: number; rejected: number }> {
  const onRetry = (reason: string, delayMs: number): void => {
    if (!flags.json) stderr.write(`waiting ${(delayMs / 1000).toFixed(1)} s: ${reason}\n`);
  };
  await using client = new EventClient({ ...loadClientConfig(flags), clock, onRetry });
  let events = 0;
  let rejected = 0;
  const send = async (chunk: EventChunk): Promise<void> => {
    if (chunk.count > 0) {
      const answer = await client.post(chunk.bytes, chunk.count, idempotencyKey(chunk.bytes));
      events += answer.accepted;
      rejected += answer.rejectedCount;
    }
    progress.update(chunk.toMs - generator.startMs, `${events} events`);
  };
  if (flags.live) await postLive(generator, flags.rate, clock, send);
  else for (const chunk of generator.events(BATCH_EVENTS)) await send(chunk);
  return { events, rejected };
}

/** What is past goes at once in larger steps, the rest as its time comes, a second at a time. */
async function postLive(
  generator: Generator,
  rate: number,
  clock: Clock,
  send: (chunk: EventChunk) => Promise<void>,
): Promise<void> {
  const advance = generator.cursor(generator.startMs);
  for (let atMs = generator.startMs; atMs < generator.endMs;) {
    const behindMs = Math.floor((clock.nowMs() - atMs) / LIVE_STEP_MS) * LIVE_STEP_MS;
    const stepMs = Math.max(LIVE_STEP_MS, Math.min(behindMs, (5 * BATCH_EVENTS * 1000) / rate));
    const toMs = Math.min(atMs + stepMs, generator.endMs);
    const waitMs = toMs - clock.nowMs();
    if (waitMs > 0) await clock.sleep(waitMs);
    await send(advance(toMs));
    atMs = toMs;
  }
}

function idempotencyKey(bytes: Buffer): string {
  return `generate-${createHash('sha256').update(bytes).digest('hex').slice(0, 40)}`;
}

const WRITE_REASONS: Record<string, string> = {
  ENOENT: 'its directory does not exist',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOSPC: 'the disk is full',
};

function unwritable(path: string, error: unknown): HeliosError {
  const reason = WRITE_REASONS[systemCode(error)] ?? (error as Error).message;
  return new HeliosError('invalid_argument', `cannot write ${path}: ${reason}`, { cause: error });
}

function refused(reason: string): HeliosError {
  return new HeliosError('invalid_argument', `cannot generate: ${reason}`);
}

/** "3", or kinds separated by commas. */
export function faultsOption(text: string): number | FaultName[] {
  if (/^\d+$/.test(text)) return Number(text);
  return text.split(',').map((name) => {
    const kind = name.trim();
    if (isFaultName(kind)) return kind;
    const meant = nearestName(kind, FAULT_NAMES);
    throw refused(
      `"${kind}" is not a fault${meant === null ? `; there are ${FAULT_NAMES.join(', ')}` : `; did you mean "${meant}"?`}`,
    );
  });
}

export function registerGenerate(program: Command, { print }: CommandContext): void {
  program
    .command('generate')
    .description('generate the events of a made-up fleet, with faults whose truth is known')
    .option('--seed <n>', 'the same seed, start and options give the same events', integerOption, 1)
    .addOption(new Option('--duration <time>', 'length of the stream').argParser(durationOption).default(2 * HOUR_MS, '2h'))
    .option('--history <time>', 'time without faults put in front (default: none)', durationOption)
    .option('--rate <events/s>', 'mean events per second', positiveNumberOption, 200)
    .option('--services <n>', 'number of services', positiveIntegerOption, 10)
    .option(
      '--start <time>',
      'first moment after the history (default: now with --live, else such that the stream ends with the last full hour)',
      timeOption,
    )
    .option('--faults <n|kinds>', `how many, or which: ${FAULT_NAMES.join(', ')} (default: at random, see --gap)`, faultsOption)
    .option('--gap <time>', 'mean time from one fault to the next, when --faults is not given (default: 90m)', durationOption)
    .option('--benign-gap <time>', 'mean time from one harmless thing to the next (default: 2h)', durationOption)
    .option('--plan-set', 'seven days with 5 % of the time anomalous, for training: instead of --duration and --faults')
    .option(
      '--warm-up <time>',
      'time without faults at the beginning (default: 30m, at most a quarter of the duration)',
      durationOption,
    )
    .option('--out <file>', 'write NDJSON here, compressed if it ends with .gz, and the truth to FILE.labels.json')
    .option('--labels <file>', 'write the truth here instead; with --url it is written only with this')
    .option('--url <url>', `post to this running HELIOS; with --live HELIOS_URL or ${DEFAULT_URL} unless given`)
    .option(...KEY_FLAG)
    .option('--live', 'post each event when its time has come')
    .option('--json', 'print one JSON line at the end and nothing else')
    .addHelpText(
      'after',
      examples(
        'helios generate --out day.ndjson.gz --duration 24h --rate 20 --seed 7',
        'helios generate --live --history 45m --duration 20m --warm-up 1m --faults bad_deployment',
      ),
    )
    .action(async (flags: GenerateFlags) => {
      printSummary(await generate(flags, { clock: systemClock, stderr: process.stderr }), flags, print);
    });
}

function printSummary(summary: GenerateSummary, flags: GenerateFlags, print: (line: string) => void): void {
  const { events, rejected, start, end, faults, labels } = summary;
  const truth = labels === null ? '' : `, truth in ${labels}`;
  const line = `${events} events from ${start} to ${end}, ${faults} faults, seed ${summary.seed}, rejected ${rejected}${truth}`;
  print(flags.json ? JSON.stringify(summary) : line);
  if (events === 0 && rejected > 0) throw new HeliosError('all_rejected', 'cannot generate: the server rejected every event');
}
