import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { CONFIG_KEYS, valueOfText } from './keys.ts';
import { nearestName } from '../lib/nearest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of roles that this version does not have yet: known, and without effect. */
export const RESERVED_VARIABLES: readonly string[] = [
  'KAFKA_BROKERS',
  'KAFKA_TOPIC_EVENTS',
  'KAFKA_TOPIC_ANOMALIES',
  'DB_HOST',
  'DB_PORT',
  'DB_NAME',
  'DB_USER',
  'DB_PASSWORD',
  'OPENAI_API_KEY',
  'AWS_REGION',
  'AWS_ACCOUNT_ID',
];

/** Variables that the commands talking to a running HELIOS read (client.ts). */
export const CLIENT_VARIABLES: readonly string[] = ['HELIOS_URL', 'HELIOS_KEY', 'HELIOS_KEY_FILE'];

/** Variables that are no part of the configuration: of the tests, and of the launcher. */
const FOREIGN_PREFIXES = ['HELIOS_TEST_'];

export interface EnvironmentValues {
  /** By dotted path; `variable` is where it came from. */
  values: { path: readonly string[]; value: unknown; variable: string }[];
  warnings: string[];
  problems: string[];
}

/** YAML flow syntax, of which JSON is a part; text that is neither comes back as it is, for validation to refuse. */
export function parseFlow(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Reads every HELIOS_* variable; an empty one counts as not set. Secrets are also read from the file `<variable>_FILE` names. */
export function readEnvironment(env: Environment): EnvironmentValues {
  const result: EnvironmentValues = { values: [], warnings: [], problems: [] };
  const known = new Set(CLIENT_VARIABLES);
  for (const key of CONFIG_KEYS) {
    if (key.environment === null) continue;
    const names = key.secret ? [key.environment, `${key.environment}_FILE`] : [key.environment];
    for (const variable of names) {
      known.add(variable);
      const setting = env[variable];
      if (setting === undefined || setting === '') continue;
      try {
        const text = variable === key.environment ? setting : readFileSync(setting, 'utf8').trimEnd();
        result.values.push({ path: key.path, value: valueOfText(text, key.shape, parseFlow), variable });
      } catch (error) {
        result.problems.push(`${variable}: cannot read the file: ${(error as Error).message}`);
      }
    }
  }
  for (const variable of Object.keys(env)
    .filter((name) => name.startsWith('HELIOS_'))
    .toSorted()) {
    if (known.has(variable) || FOREIGN_PREFIXES.some((prefix) => variable.startsWith(prefix))) continue;
    const nearest = nearestName(variable, [...known]);
    result.warnings.push(
      `unknown environment variable ${variable} is ignored${nearest === null ? '' : `; did you mean ${nearest}?`}`,
    );
  }
  return result;
}
