import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { configSchema } from '../config/config.ts';
import { createGenerator } from '../generate/generator.ts';
import type { Generator } from '../generate/generator.ts';
import type { Label } from '../generate/label.ts';
import { isoTime, systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { createPrng } from '../lib/prng.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { Incident } from '../model/incident.ts';
import type { Report } from '../model/report.ts';
import type { CommandContext } from './command-context.ts';
import { describeAnomaly } from './anomaly-text.ts';
import { EventClient } from './event-client.ts';
import { integerOption } from './option-values.ts';
import { startProgress } from './progress.ts';

const HISTORY_MS = 45 * 60_000;
const EVENTS_PER_SECOND = 150;
const BATCH_EVENTS = 2000;
const LIVE_STEP_MS = 250;
/** Healthy live traffic before the deployment, and how long the demo then waits for a report. */
const QUIET_MS = 6_000;
const PATIENCE_MS = 90_000;
/** A deployment that a person would want to hear about at once; which service and how bad is drawn from the seed. */
const ERROR_RATE = { low: 0.15, high: 0.5 };

interface DemoFlags {
  seed?: number;
}

interface Story {
  generator: Generator;
  fault: Label;
}

/** A fleet with a bad deployment `QUIET_MS` after `liveMs`, everything about it drawn from the seed. */
function writeStory(seed: number, liveMs: number): Story {
  const errorRate = ERROR_RATE.low + createPrng(seed).next() * (ERROR_RATE.high - ERROR_RATE.low);
  const generator = createGenerator({
    seed,
    startMs: liveMs - HISTORY_MS,
    durationMs: HISTORY_MS + 24 * 3_600_000,
    rate: EVENTS_PER_SECOND,
    benignGapMs: Infinity,
    faults: [{ kind: 'bad_deployment', startMs: liveMs + QUIET_MS, durationMs: 20 * 60_000, effect: { errorRate } }],
  });
  const fault = generator.labels.find((label) => !label.benign);
  if (!fault) throw new HeliosError('internal', 'cannot tell the story: the generator planned no fault');
  return { generator, fault };
}

/** What the running process has said so far, and a way to wait for it. */
class Findings {
  anomaly: Anomaly | undefined;
  report: Report | undefined;
  readonly #onAnomaly: (anomaly: Anomaly) => void;
  #wake = (): void => {};

  constructor(onAnomaly: (anomaly: Anomaly) => void) {
    this.#onAnomaly = onAnomaly;
  }

  take(event: { anomaly?: Anomaly; incident?: Incident; report?: Report }): void {
    if (event.anomaly?.state === 'firing' && !this.anomaly) {
      this.anomaly = event.anomaly;
      this.#onAnomaly(event.anomaly);
    }
    if (event.report && this.anomaly) this.report ??= event.report;
    this.#wake();
  }

  /** Resolves at the first report, or when the signal ends the wait. */
  async waitForReport(signal: AbortSignal): Promise<void> {
    while (!this.report && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}

async function feedHistory(client: EventClient, generator: Generator, liveMs: number, context: CommandContext): Promise<void> {
  const progress = startProgress({
    label: 'Feeding history',
    total: HISTORY_MS,
    quiet: false,
    stream: process.stderr,
    clock: systemClock,
    format: minutes,
  });
  const next = generator.cursor(generator.startMs);
  let sent = 0;
  const stepMs = (BATCH_EVENTS / EVENTS_PER_SECOND) * 1000;
  try {
    for (let toMs = generator.startMs + stepMs; toMs < liveMs + stepMs; toMs += stepMs) {
      const chunk = next(Math.min(toMs, liveMs));
      if (chunk.count > 0) await client.post(chunk.bytes, chunk.count);
      sent += chunk.count;
      progress.update(Math.min(HISTORY_MS, toMs - generator.startMs));
      context.signal.throwIfAborted();
    }
  } finally {
    progress.stop();
  }
  context.print(
    `Fed ${sent.toLocaleString('en')} events: ${minutes(HISTORY_MS)} of history of ${generator.services.length} services.`,
  );
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} min`;
}

/** Posts what happens, when it happens, until the signal. */
async function feedLive(client: EventClient, generator: Generator, fromMs: number, signal: AbortSignal): Promise<void> {
  const next = generator.cursor(fromMs);
  while (!signal.aborted) {
    const chunk = next(systemClock.nowMs());
    if (chunk.count > 0) await client.post(chunk.bytes, chunk.count);
    await systemClock.sleep(LIVE_STEP_MS);
  }
}

function nextCommands(url: string): string {
  return `Next, with your own data:
  bin/helios serve
  curl ${url.replace(/:\d+$/, ':8080')}/api/v1/events -d '{"timestamp":"'$(date -u +%FT%TZ)'","service":"shop","level":"ERROR","message":"hello"}'
  bin/helios replay events.ndjson`;
}

/** Starts HELIOS on an empty directory, tells the story, and waits until HELIOS has stopped, however the story ends. */
async function runDemo(flags: DemoFlags, context: CommandContext, dataDir: string): Promise<void> {
  const { print } = context;
  const { startProcess } = await import('../roles/process.ts');
  const seed = flags.seed ?? systemClock.nowMs() % 100_000;
  const serving = new AbortController();
  const feeding = new AbortController();
  // A listener, not AbortSignal.any: a signal that nobody listens to ends the process at once and leaves the directory behind.
  context.signal.addEventListener('abort', () => feeding.abort(context.signal.reason), { once: true });
  let faultMs = 0;
  const findings = new Findings((anomaly) => print(describeAnomaly(anomaly, systemClock.nowMs() - faultMs)));
  const { url, stopped } = await startProcess({
    config: configSchema.parse({ port: 0, data_dir: dataDir, log_level: 'error' }),
    version: context.version,
    signal: serving.signal,
    onEvent: (event) => findings.take(event),
  });
  print(`HELIOS listens on ${url} (seed ${seed}; another --seed tells another story).`);
  // The last second of history is posted late enough to be in the past.
  const liveMs = Math.floor(systemClock.nowMs() / 1000) * 1000 + 5_000;
  const story = writeStory(seed, liveMs);
  faultMs = Date.parse(story.fault.start);
  try {
    await tellStory({ story, liveMs, url, stopped, findings, feeding }, context);
  } finally {
    serving.abort();
    await stopped;
  }
}

interface Stage {
  story: Story;
  liveMs: number;
  url: string;
  stopped: Promise<void>;
  findings: Findings;
  feeding: AbortController;
}

/** Feeds history, then live traffic until the report is there and, at a terminal, until the signal. */
async function tellStory({ story, liveMs, url, stopped, findings, feeding }: Stage, context: CommandContext): Promise<void> {
  const { print } = context;
  const { generator, fault } = story;
  const faultMs = Date.parse(fault.start);
  await using client = new EventClient({ url, key: '', clock: systemClock });
  const historyEndMs = Math.min(liveMs, systemClock.nowMs());
  await feedHistory(client, generator, historyEndMs, context);
  const live = feedLive(client, generator, historyEndMs, feeding.signal);
  print(
    `Live traffic at about ${EVENTS_PER_SECOND} events/s. At ${isoTime(faultMs).slice(11, 19)} UTC a bad version of one service is deployed …`,
  );
  const patience = AbortSignal.any([
    feeding.signal,
    AbortSignal.timeout(Math.max(0, faultMs - systemClock.nowMs()) + PATIENCE_MS),
  ]);
  await Promise.race([findings.waitForReport(patience), live]);
  if (findings.report) print(`\n${findings.report.markdown}\n${nextCommands(url)}`);
  if (findings.report && process.stdout.isTTY && !context.signal.aborted) {
    print(`\nStill running: ${url}/api/v1/incidents and ${url}/api/v1/stream. Ctrl-C ends it.`);
    await Promise.race([stopped, live]);
  }
  feeding.abort();
  await live;
  if (!findings.report) {
    context.signal.throwIfAborted();
    throw new HeliosError(
      'internal',
      `cannot show a report: the deployment of ${fault.service} was not detected within ${PATIENCE_MS / 1000} s`,
    );
  }
}

export function registerDemo(program: Command, context: CommandContext): void {
  program
    .command('demo')
    .description('show HELIOS at work on generated traffic: a bad deployment, its detection, its report')
    .option('--seed <n>', 'which service breaks and how badly; another one each time unless given', integerOption)
    .action(async (flags: DemoFlags) => {
      const dataDir = mkdtempSync(path.join(os.tmpdir(), 'helios-demo-'));
      try {
        await runDemo(flags, context, dataDir);
      } finally {
        rmSync(dataDir, { recursive: true, force: true });
      }
    });
}
