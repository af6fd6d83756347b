import type { Config } from '../config/config.ts';
import type { Readiness } from '../console/dependencies.ts';
import { isoTime } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { HeliosError, systemCode } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { formatDurationMs } from '../lib/units.ts';
import { HEARTBEAT_CALLS, HEARTBEAT_LAST, VITALS_LAG, VITALS_SILENCE } from './metrics.ts';
import { VitalsWatch } from './vitals.ts';
import type { Condition, Vitals } from './vitals.ts';

/** The condition is looked at this often at least, so that lag is known to this. */
const LOOK_EVERY_MS = 15_000;

export interface HeartbeatOptions {
  config: Config['heartbeat'];
  version: string;
  readiness: () => Readiness;
  vitals: () => Vitals | Promise<Vitals>;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** By default that of Node.js. */
  fetch?: typeof fetch;
}

function badUrl(reason: string): HeliosError {
  // The address itself is what lets anybody call it.
  return new HeliosError('invalid_config', `cannot use heartbeat.url: ${reason}`, { details: { field: 'heartbeat.url' } });
}

function checkedUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) throw badUrl('it is no http or https URL');
  if (url.username !== '' || url.password !== '')
    throw badUrl('a name and password in it are not sent; use one with a token in its path');
  return url;
}

/** What may be said of a failed call: messages of the client name the address. */
function reasonOf(error: unknown): string {
  if (error instanceof HeliosError) return error.message;
  const cause = (error as { cause?: unknown }).cause;
  return systemCode(cause) || systemCode(error) || (error as Error).name;
}

/** The first of what is wrong, in words; null when all is well. */
function complaintOf({ lagMs, silenceMs }: Condition, ready: Readiness, config: Config['heartbeat']): string | null {
  const [notReady] = ready.reasons;
  if (!ready.ready) return `not ready${notReady ? `: ${notReady.name} ${notReady.reason}` : ''}`;
  for (const [stage, ms] of lagMs)
    if (ms > config.max_lag) return `behind: ${stage} of ${formatDurationMs(Math.round(ms / 1000) * 1000)} ago are not done`;
  if (silenceMs !== null && silenceMs > config.max_silence)
    return `deaf: nothing has come for longer than ${formatDurationMs(config.max_silence)}`;
  return null;
}

/** Looks how HELIOS fares, shows it as metrics, and calls the address that is configured while all is well. */
class Heartbeat implements AsyncDisposable {
  readonly #options: HeartbeatOptions;
  readonly #url: URL | null;
  readonly #watch = new VitalsWatch();
  readonly #closing = new AbortController();
  readonly #lookEveryMs: number;
  readonly #stop: () => void;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  #calledMs = -Infinity;
  /** Why nothing gets through or nothing is sent, as it was said last. */
  #said: string | null = null;

  constructor(options: HeartbeatOptions) {
    const { config, clock } = options;
    this.#options = options;
    this.#url = config.url === undefined ? null : checkedUrl(config.url);
    this.#lookEveryMs = Math.min(LOOK_EVERY_MS, config.interval);
    this.#stop = clock.every(this.#lookEveryMs, () => this.#beat());
    this.#beat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    this.#closing.abort();
    await this.#running;
  }

  #beat(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#look().finally(() => {
      this.#isRunning = false;
    });
  }

  async #look(): Promise<void> {
    const { config, clock, metrics, readiness } = this.#options;
    const condition = await this.#condition();
    const complaint = typeof condition === 'string' ? condition : complaintOf(condition, readiness(), config);
    // A timer may be early by a little, and would else wait for the next look.
    const isDue = clock.monotonicMs() - this.#calledMs >= config.interval - this.#lookEveryMs / 2;
    if (this.#closing.signal.aborted || this.#url === null || !isDue) return;
    this.#calledMs = clock.monotonicMs();
    if (complaint !== null) {
      metrics.add(HEARTBEAT_CALLS, 1, { outcome: 'withheld' });
      this.#say('no heartbeat is sent', complaint);
      return;
    }
    const failure = await this.#call(this.#url, condition as Condition);
    if (this.#closing.signal.aborted) return;
    metrics.add(HEARTBEAT_CALLS, 1, { outcome: failure === null ? 'ok' : 'failed' });
    if (failure === null) metrics.set(HEARTBEAT_LAST, clock.nowMs() / 1000);
    this.#say('the heartbeat does not get through', failure);
  }

  async #condition(): Promise<Condition | string> {
    const { vitals, clock, metrics } = this.#options;
    try {
      const condition = this.#watch.observe(await vitals(), clock.monotonicMs());
      for (const [stage, ms] of condition.lagMs) metrics.set(VITALS_LAG, ms / 1000, { stage });
      metrics.set(VITALS_SILENCE, (condition.silenceMs ?? 0) / 1000);
      return condition;
    } catch (error) {
      return `not known how HELIOS fares: ${(error as Error).message}`;
    }
  }

  /** Null when it was taken. */
  async #call(url: URL, { lagMs, silenceMs }: Condition): Promise<string | null> {
    const { config, clock, version, fetch: ask = fetch } = this.#options;
    const late = new AbortController();
    const stopTimer = clock.after(config.timeout, () => late.abort(new HeliosError('timeout', 'no answer in time')));
    const seconds = (ms: number): number => Math.round(ms / 1000);
    const state = {
      status: 'up',
      version,
      at: isoTime(clock.nowMs()),
      lagSeconds: seconds(Math.max(0, ...lagMs.values())),
      silenceSeconds: seconds(silenceMs ?? 0),
    };
    try {
      const answer = await ask(url, {
        method: config.method.toUpperCase(),
        headers: { 'User-Agent': `helios/${version}`, ...(config.method === 'post' && { 'Content-Type': 'application/json' }) },
        body: config.method === 'post' ? JSON.stringify(state) : null,
        signal: AbortSignal.any([late.signal, this.#closing.signal]),
      });
      await answer.body?.cancel();
      return answer.ok ? null : `it is answered ${answer.status}`;
    } catch (error) {
      return reasonOf(error);
    } finally {
      stopTimer();
    }
  }

  /** Each state once: a heart beats often. */
  #say(message: string, reason: string | null): void {
    const { logger } = this.#options;
    // Times in a reason grow; what comes before the colon tells the states apart.
    const state = reason === null ? null : `${message}: ${reason.split(':', 1)[0]}`;
    if (state === this.#said) return;
    this.#said = state;
    if (reason === null) logger.info('the heartbeat gets through again');
    else logger.warn(message, { reason });
  }
}

/**
 * The dead man's switch: calls `heartbeat.url` every `heartbeat.interval` only while the process is ready, what has come is worked off within
 * `heartbeat.max_lag`, and something has come within `heartbeat.max_silence`; whoever listens there calls people when it stops. Metrics of both are kept also without a
 * URL. Throws `invalid_config` for a URL that cannot be called.
 */
export function createHeartbeat(options: HeartbeatOptions): AsyncDisposable {
  return new Heartbeat(options);
}
