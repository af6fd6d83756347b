import type { Config } from './config.ts';

/** Which engine a command works on alone; it does not ask for the other. */
export type Engine = 'kafka' | 'database';

interface Problem {
  /** The key at fault. */
  path: readonly [string, ...string[]];
  reason: string;
}

type Check = (config: Config) => Problem | undefined;

function hasKafka({ kafka }: Config): boolean {
  return kafka.brokers.length > 0;
}

function hasDatabase({ database }: Config): boolean {
  return database.host !== undefined || database.url !== undefined;
}

const BOTH_ENGINES: readonly Check[] = [
  (config) => {
    if (!hasKafka(config) || hasDatabase(config)) return undefined;
    return { path: ['kafka', 'brokers'], reason: 'with Kafka the store is a database: set database.host or database.url too' };
  },
  (config) => {
    if (!hasDatabase(config) || hasKafka(config)) return undefined;
    const path = config.database.url === undefined ? (['database', 'host'] as const) : (['database', 'url'] as const);
    return { path, reason: 'with a database the log is Kafka: set kafka.brokers too' };
  },
  (config) => {
    if (hasKafka(config) || (config.target.length === 1 && config.target[0] === 'all')) return undefined;
    const reason = 'embedded storage runs all roles in one process: take all, or set kafka.brokers and database.host';
    return { path: ['target'], reason };
  },
];

const KAFKA: readonly Check[] = [
  ({ kafka: { sasl, username, password } }) => {
    if (sasl === 'none' || sasl === 'aws-msk-iam' || (username !== undefined && password !== undefined)) return undefined;
    return { path: ['kafka', 'sasl'], reason: `${sasl} needs kafka.username and kafka.password` };
  },
  ({ kafka: { sasl, aws_region: region, tls } }) => {
    if (sasl !== 'aws-msk-iam' || (region !== undefined && tls)) return undefined;
    return { path: ['kafka', 'sasl'], reason: 'aws-msk-iam needs kafka.aws_region, and kafka.tls to be true' };
  },
];

const NEEDED: Record<Engine, Check> = {
  kafka: (config) => {
    return hasKafka(config) ? undefined : { path: ['kafka', 'brokers'], reason: 'Kafka is not configured: set kafka.brokers' };
  },
  database: (config) => {
    const reason = 'no database is configured: set database.host or database.url';
    return hasDatabase(config) ? undefined : { path: ['database', 'host'], reason };
  },
};

/** What single keys cannot tell: which of them go together. With `needs` only what concerns that engine, which then has to be there. */
export function engineProblems(config: Config, needs?: Engine): Problem[] {
  const checks = [...(needs === undefined ? BOTH_ENGINES : [NEEDED[needs]]), ...(needs === 'database' ? [] : KAFKA)];
  return checks.flatMap((check) => check(config) ?? []);
}
