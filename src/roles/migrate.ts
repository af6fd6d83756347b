import type { Config } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { checkSchema, migrateDatabase, readApplied } from '../store/timescale/migrator.ts';
import { openDatabase } from '../store/timescale/pg-database.ts';

/** The server drops what is old by its own clock: where time is that of the data, only the program does (production/retention.ts). */
export function schemaConfig({ clock, database }: Config): Config['database'] {
  return clock === 'wall' ? database : { ...database, event_retention: Infinity };
}

export interface MigrationOptions {
  config: Config;
  /** Changes nothing: rejects with `invalid_config` and what is missing. */
  checkOnly: boolean;
  logger: Logger;
  /** Ends waiting for the server. */
  signal: AbortSignal;
}

export interface MigrationOutcome {
  /** Names of the steps taken now. */
  taken: string[];
  /** How many there are. */
  steps: number;
  /** Version of the timescaledb extension, or null on a plain PostgreSQL. */
  timescale: string | null;
}

/** Brings the schema of the configured database up to date, waiting up to a minute for its server. */
export async function migrateStore({ config, checkOnly, logger, signal }: MigrationOptions): Promise<MigrationOutcome> {
  await using database = await openDatabase({
    config: config.database,
    logger,
    clock: systemClock,
    metrics: silentMetrics,
    applicationName: 'helios migrate',
    signal,
  });
  if (checkOnly) await checkSchema(database);
  const taken = checkOnly ? [] : await migrateDatabase(database, { config: schemaConfig(config), logger });
  return { taken, steps: (await readApplied(database)).length, timescale: database.supports.timescale };
}
