import type { Command } from 'commander';
import type { ConfigRequest } from '../config/sources.ts';

/** Flags by which commands choose a configuration, as commander names them. */
export interface ConfigFlags {
  config?: string;
  set?: string[];
  [name: string]: unknown;
}

/** Flags that are short names of configuration keys. */
const KEY_FLAGS: readonly (readonly [flag: string, key: string, description: string])[] = [
  ['--port <port>', 'port', 'port of the API; 0 picks a free one (default: 8080)'],
  ['--host <address>', 'host', 'address to listen on (default: 127.0.0.1)'],
  ['--data-dir <directory>', 'data_dir', 'directory of the event log, the store and the reports (default: ./data)'],
  ['--target <roles>', 'target', 'roles of this process, separated by commas (default: all)'],
  ['--clock <clock>', 'clock', 'wall, or events: time advances with the data (default: wall)'],
  ['--insecure', 'insecure', 'allow a non-loopback address without API keys'],
  ['--log-level <level>', 'log_level', 'debug, info, warn or error (default: info)'],
];

export function addConfigFlags(command: Command): Command {
  for (const [flag, , description] of KEY_FLAGS) command.option(flag, description);
  return addSourceFlags(command);
}

/** Where the configuration comes from, for commands that use little of it. */
export function addSourceFlags(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (default: helios.yaml, when there is one)')
    .option(
      '--set <key=value>',
      'any key of docs/configuration.md, such as log.retention_age=7d; may be repeated',
      (text: string, all: string[] | undefined) => [...(all ?? []), text],
    );
}

export function configRequestOf(flags: ConfigFlags): ConfigRequest {
  const values = KEY_FLAGS.map(([, key]) => [key, flags[key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())]]);
  return { file: flags.config, set: flags.set ?? [], flags: Object.fromEntries(values) as Record<string, unknown> };
}
