import pg from 'pg';
import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Prng } from '../../lib/prng.ts';

export interface PgListenerOptions {
  connection: pg.ClientConfig;
  channel: string;
  /** Also called when a connection has come about: what happened before it was not heard of. */
  onNotice: () => void;
  clock: Clock;
  logger: Logger;
  prng: Prng;
}

const BACKOFF = { firstMs: 250, longestMs: 10_000 };
/** A server that is gone without a word is noticed by the system, some time after this silence. */
const KEEP_ALIVE_MS = 10_000;

/** Listens to a channel until it is disposed of, over connection after connection. */
export function openPgListener(options: PgListenerOptions): AsyncDisposable {
  const stopping = new AbortController();
  const running = run(options, stopping.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}

async function run(options: PgListenerOptions, signal: AbortSignal): Promise<void> {
  const { clock, logger, prng, channel } = options;
  const backoff = new Backoff(BACKOFF, prng);
  while (!signal.aborted) {
    try {
      await listenOnce(options, signal, () => backoff.reset());
    } catch (error) {
      logger.debug('cannot listen to the database: trying again', { channel, reason: (error as Error).message });
    }
    if (!signal.aborted) await clock.sleep(backoff.nextMs(), signal).catch(() => undefined);
  }
}

/** Resolves when the connection has ended; rejects when there was none. */
async function listenOnce(
  { connection, channel, onNotice }: PgListenerOptions,
  signal: AbortSignal,
  onOpen: () => void,
): Promise<void> {
  const client = new pg.Client({ ...connection, keepAliveInitialDelayMillis: KEEP_ALIVE_MS });
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  client.once('end', end);
  client.on('error', () => end());
  signal.addEventListener('abort', () => end(), { once: true });
  try {
    await Promise.race([client.connect(), ended]);
    client.on('notification', onNotice);
    if (!signal.aborted) await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    onOpen();
    onNotice();
    await ended;
  } finally {
    await client.end().catch(() => undefined);
  }
}
