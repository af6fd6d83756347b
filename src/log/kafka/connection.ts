import fs from 'node:fs';
import net from 'node:net';
import { Admin } from '@platformatic/kafka';
import type { BaseOptions, SASLOptions } from '@platformatic/kafka';
import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { createPrng, type Prng } from '../../lib/prng.ts';
import type { KafkaConfig } from './config.ts';
import { kafkaFailure, type KafkaFailure } from './failure.ts';

export interface KafkaConnectionOptions {
  config: KafkaConfig;
  /** Shown in the broker's logs and quotas. */
  clientId: string;
  logger: Logger;
  clock: Clock;
  metrics: Metrics;
}

/** How to reach the brokers, shared by all that produce to and consume from them; disposing it ends who still waits for a broker. */
export interface KafkaConnection extends AsyncDisposable {
  readonly config: KafkaConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly prng: Prng;
  /** For any client of the library: brokers, TLS, SASL, timeouts, and no retries, for each caller knows better what to do. */
  readonly clientOptions: Readonly<BaseOptions>;
  /** Metadata, topics and groups. */
  readonly admin: Admin;
  /** Aborted when the connection closes. */
  readonly closing: AbortSignal;
  /**
   * Runs `attempt` until it succeeds, pausing longer and longer; rejects at once with `log_unavailable` when trying again cannot
   * help (credentials, rights), and with the signal's reason when that aborts. `action` is the X of "cannot X: Y".
   */
  persist<T>(action: string, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

const CONNECT_MS = 5000;
/** Longer than a member may wait for a rebalance. */
const REQUEST_MS = 30_000;
const BACKOFF = { firstMs: 250, longestMs: 10_000 };

function invalid(field: string, reason: string, cause?: unknown): HeliosError {
  const key = `kafka.${field}`;
  return new HeliosError('invalid_config', `cannot use ${key}: ${reason}`, { cause, details: { field: key } });
}

function readCertificates(file: string): Buffer {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    throw invalid('tls_ca_file', (error as Error).message, error);
  }
}

/** A fresh token for every connection and every time that the broker asks again: they live 15 minutes. */
function iamOptions(config: KafkaConfig): SASLOptions {
  const { aws_region: region } = config;
  if (region === undefined) throw invalid('aws_region', 'aws-msk-iam needs a region');
  const token = async (): Promise<string> => {
    // Loaded by those only who use it: it brings Amazon's credential providers along.
    const { generateAuthToken } = await import('aws-msk-iam-sasl-signer-js');
    return (await generateAuthToken({ region })).token;
  };
  return { mechanism: 'OAUTHBEARER', token };
}

function saslOptions(config: KafkaConfig): SASLOptions | undefined {
  const { sasl, username, password } = config;
  if (sasl === 'none') return undefined;
  if (sasl === 'aws-msk-iam') return iamOptions(config);
  if (username === undefined || password === undefined) throw invalid('sasl', `${sasl} needs kafka.username and kafka.password`);
  const mechanism = ({ plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const)[sasl];
  return { mechanism, username, password };
}

function clientOptionsOf(config: KafkaConfig, clientId: string): BaseOptions {
  if (config.brokers.length === 0) throw invalid('brokers', 'there are none');
  const options: BaseOptions = {
    clientId: clientId.replaceAll(/\s+/g, '-'),
    bootstrapBrokers: config.brokers,
    timeout: CONNECT_MS,
    connectTimeout: CONNECT_MS,
    requestTimeout: REQUEST_MS,
    autocreateTopics: false,
    retries: false,
  };
  const sasl = saslOptions(config);
  if (sasl) options.sasl = sasl;
  // Amazon's brokers are reached by TLS only where IAM is used.
  if (config.tls || config.sasl === 'aws-msk-iam') {
    options.tls = config.tls_ca_file === undefined ? {} : { ca: readCertificates(config.tls_ca_file) };
    // An address is not a server name (RFC 6066, 3).
    options.tlsServerName = config.brokers.every(
      (broker) => net.isIP(broker.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '')) === 0,
    );
  }
  return options;
}

/** Throws `invalid_config`; does not speak to a broker yet. */
export function openKafkaConnection(options: KafkaConnectionOptions): KafkaConnection {
  return new Connection(options);
}

/** Trying again would be told the same. */
function isFinal({ kind }: KafkaFailure): boolean {
  return kind === 'credentials' || kind === 'forbidden';
}

class Connection implements KafkaConnection {
  readonly config: KafkaConfig;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly prng: Prng;
  readonly clientOptions: BaseOptions;
  readonly admin: Admin;
  readonly #closing = new AbortController();

  constructor({ config, clientId, logger, clock, metrics }: KafkaConnectionOptions) {
    this.config = config;
    this.logger = logger;
    this.clock = clock;
    this.metrics = metrics;
    // Only spreads retries over time, so that replicas differ is all that matters.
    this.prng = createPrng(Math.floor(clock.nowMs() * 1000 + process.pid));
    this.clientOptions = clientOptionsOf(config, clientId);
    this.admin = new Admin({ ...this.clientOptions });
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async persist<T>(action: string, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const backoff = new Backoff(BACKOFF, this.prng);
    const ended = signal ? AbortSignal.any([signal, this.closing]) : this.closing;
    for (;;) {
      ended.throwIfAborted();
      try {
        const result = await attempt();
        if (backoff.failures > 0) this.logger.info(`could ${action} in the end`, { tries: backoff.failures + 1 });
        return result;
      } catch (error) {
        if (error instanceof HeliosError) throw error;
        const failure = kafkaFailure(error);
        const sentence = `cannot ${action}: ${failure.reason}`;
        if (isFinal(failure)) throw new HeliosError('log_unavailable', sentence, { cause: error });
        if (backoff.failures === 0) this.logger.warn(`${sentence}; trying again`, { brokers: this.config.brokers });
        else this.logger.debug(sentence, { tries: backoff.failures + 1 });
        await this.clock.sleep(backoff.nextMs(), ended);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new HeliosError('shutting_down', 'cannot wait for the broker: the process is stopping'));
    await this.admin.close();
  }
}
