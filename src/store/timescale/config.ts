import { z } from 'zod';
import { duration } from '../../lib/config-types.ts';

export const databaseConfigSchema = z.strictObject({
  url: z
    .string()
    .optional()
    .meta({ description: 'postgres://user:password@host:port/name; instead of the single keys', secret: true }),
  host: z
    .string()
    .optional()
    .meta({ description: 'Host of TimescaleDB or PostgreSQL; without one and without url the store is embedded' }),
  port: z.int().min(1).max(65_535).default(5432).meta({ description: 'Port' }),
  name: z.string().default('helios').meta({ description: 'Database' }),
  user: z.string().default('helios').meta({ description: 'User' }),
  password: z.string().optional().meta({ description: 'Password', secret: true }),
  tls: z
    .enum(['off', 'require', 'verify'])
    .default('off')
    .meta({ description: 'TLS to the database: not at all, without or with verification' }),
  tls_ca_file: z.string().optional().meta({ description: 'PEM certificates to trust' }),
  connections: z.int().min(2).max(200).default(8).meta({ description: 'Connections of this process at most' }),
  connect_timeout: duration('10s').meta({ description: 'A connection that takes longer counts as failed' }),
  statement_timeout: duration('60s').meta({ description: 'A statement that takes longer is cancelled and tried again' }),
  lock_timeout: duration('10s').meta({ description: 'A lock waited for longer ends the statement' }),
  migrate: z.boolean().default(true).meta({ description: 'Brings the schema up to date at start; otherwise: helios migrate' }),
  batch_rows: z.int().min(1).default(50_000).meta({ description: 'Events of one partition that are committed together at most' }),
  batch_interval: duration('500ms').meta({ description: 'How often they are committed' }),
  chunk_interval: duration('1d').meta({ description: 'Time that one chunk of a hypertable covers' }),
  compress_after: duration('2h').meta({ description: 'Chunks older than this are moved to the columnstore' }),
  event_retention: duration('30d').meta({ description: 'Events and metric points older than this are dropped' }),
  direct_compress: z.boolean().default(true).meta({ description: 'Compresses rows as they are copied, where the server can' }),
  metadata_indexes: z.array(z.string().min(1)).default([]).meta({ description: 'Keys of metadata that get an index' }),
});
export type DatabaseConfig = z.output<typeof databaseConfigSchema>;
