import type { Command } from 'commander';
import { loadConfig } from '../config/sources.ts';
import type { MigrationOutcome } from '../roles/migrate.ts';
import type { CommandContext } from './command-context.ts';
import { commandLogger } from './command-logger.ts';
import { addSourceFlags, configRequestOf, type ConfigFlags } from './config-flags.ts';
import { examples } from './help-examples.ts';

interface Flags extends ConfigFlags {
  check?: boolean;
}

function outcomeText({ taken, steps, timescale }: MigrationOutcome): string {
  const place = timescale === null ? 'on PostgreSQL without TimescaleDB: ordinary tables' : `on TimescaleDB ${timescale}`;
  const done = taken.length === 0 ? 'nothing was to be done: ' : '';
  return [...taken.map((name) => `applied ${name}`), `${done}the schema is at step ${steps}, the newest, ${place}`].join('\n');
}

export function registerMigrate(program: Command, context: CommandContext): void {
  addSourceFlags(program.command('migrate').description('bring the schema of the database up to date'))
    .option('--check', 'change nothing; exit with 1 and what is missing')
    .addHelpText('after', examples('helios migrate --config helios.yaml', 'DB_HOST=db.internal helios migrate --check'))
    .action(async (flags: Flags) => {
      const { config, warnings } = loadConfig({ ...configRequestOf(flags), needs: 'database' });
      for (const warning of warnings) context.warn(`helios: warning: ${warning}`);
      // Only here: the clients of databases take a while to load.
      const { migrateStore } = await import('../roles/migrate.ts');
      const { signal } = context;
      context.print(
        outcomeText(await migrateStore({ config, checkOnly: flags.check === true, logger: commandLogger(context), signal })),
      );
    });
}
