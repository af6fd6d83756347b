import type { Command } from 'commander';
import { configurationReference } from '../config/docs.ts';
import { CONFIG_KEYS } from '../config/keys.ts';
import { printConfig } from '../config/print.ts';
import { loadConfig } from '../config/sources.ts';
import type { CommandContext } from './command-context.ts';
import { addConfigFlags, configRequestOf, type ConfigFlags } from './config-flags.ts';
import { examples } from './help-examples.ts';

export function registerConfig(program: Command, context: CommandContext): void {
  const config = program
    .command('config')
    .description('check, print and explain the configuration')
    .addHelpText('after', examples('helios config check --config helios.yaml', 'helios config print --set log.retention_age=7d'));
  addConfigFlags(config.command('check').description('say what is wrong with the configuration, or that nothing is')).action(
    (flags: ConfigFlags) => {
      const { warnings, origins } = loadConfig(configRequestOf(flags));
      for (const warning of warnings) context.warn(`helios: warning: ${warning}`);
      const count = CONFIG_KEYS.filter((key) => origins.has(key.key)).length;
      context.print(`the configuration is valid: ${count} of ${CONFIG_KEYS.length} keys set, the others have their defaults`);
    },
  );
  addConfigFlags(config.command('print').description('print the effective values and where each came from')).action(
    (flags: ConfigFlags) => {
      const loaded = loadConfig(configRequestOf(flags));
      for (const warning of loaded.warnings) context.warn(`helios: warning: ${warning}`);
      context.print(printConfig(loaded).trimEnd());
    },
  );
  config
    .command('docs')
    .description('print the reference of all keys as Markdown')
    .action(() => context.print(configurationReference().trimEnd()));
}
