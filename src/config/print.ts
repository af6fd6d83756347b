import { stringify } from 'yaml';
import { formatDurationMs, formatSizeBytes } from '../lib/units.ts';
import { CONFIG_KEYS, type ConfigKey } from './keys.ts';
import type { LoadedConfig } from './sources.ts';

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

function itemsWithoutSecrets(items: unknown, list: ConfigKey): unknown {
  const secrets = CONFIG_KEYS.filter((key) => key.secret && key.key.startsWith(`${list.key}[].`)).map(
    (key) => key.path.at(-1) as string,
  );
  return (items as Record<string, unknown>[]).map((item) => ({
    ...item,
    ...Object.fromEntries(secrets.filter((name) => item[name] !== undefined).map((name) => [name, '***'])),
  }));
}

function spell(value: unknown, key: ConfigKey): string {
  if (key.secret) return Array.isArray(value) ? flow(itemsWithoutSecrets(value, key)) : '"***"';
  if (key.unit === 'duration') return formatDurationMs(value as number);
  if (key.unit === 'size') return formatSizeBytes(value as number);
  return flow(value);
}

/**
 * The effective configuration as YAML that HELIOS would read back: every key with its origin as a comment, durations and sizes
 * spelled as in the file, secrets as ***.
 */
export function printConfig({ config, origins }: Pick<LoadedConfig, 'config' | 'origins'>): string {
  const lines: string[] = [];
  let section: readonly string[] = [];
  for (const key of CONFIG_KEYS.filter((candidate) => candidate.environment !== null)) {
    const inside = key.path.slice(0, -1);
    const common = inside.findIndex((name, depth) => section[depth] !== name);
    const opened = common === -1 ? [] : inside.slice(common);
    for (const [i, name] of opened.entries()) lines.push(`${'  '.repeat(common + i)}${name}:`);
    section = inside;
    const value = key.path.reduce<unknown>((tree, name) => (tree as Record<string, unknown>)[name], config);
    const name = `${'  '.repeat(inside.length)}${key.path.at(-1)}`;
    if (value === undefined) lines.push(`# ${name}: not set`);
    else lines.push(`${name}: ${spell(value, key)} # ${origins.get(key.key) ?? 'default'}`);
  }
  return `${lines.join('\n')}\n`;
}
