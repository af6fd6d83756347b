import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ConfigKey } from './keys.ts';
import { CONFIG_KEYS, valueOfText } from './keys.ts';
import { nearestName } from '../lib/nearest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of parts that this version does not have yet: known, and without effect. */
export const RESERVED_VARIABLES: readonly string[] = ['AWS_ACCOUNT_ID'];

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

/** What a variable that is set says about its key; reading the file of one with _FILE at its end may throw. */
function valueOf(variable: string, setting: string, { shape, secret }: ConfigKey): unknown {
  const text = secret && variable.endsWith('_FILE') ? readFileSync(setting, 'utf8').trimEnd() : setting;
  return valueOfText(text, shape, parseFlow);
}

/**
 * Reads every HELIOS_* variable and the other names that keys have, which HELIOS_* wins over; an empty one counts as not set. Secrets are
 * also read from the file `<variable>_FILE` names.
 */
export function readEnvironment(env: Environment): EnvironmentValues {
  const result: EnvironmentValues = { values: [], warnings: [], problems: [] };
  const known = new Set(CLIENT_VARIABLES);
  for (const key of CONFIG_KEYS) {
    if (key.environment === null) continue;
    for (const variable of [...key.aliases, key.environment].flatMap((name) => (key.secret ? [name, `${name}_FILE`] : [name]))) {
      known.add(variable);
      const setting = env[variable];
      if (setting === undefined || setting === '') continue;
      try {
        result.values.push({ path: key.path, value: valueOf(variable, setting, key), variable });
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
