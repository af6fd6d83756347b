import { createHash } from 'node:crypto';
import type { DatabaseConfig } from './config.ts';
import type { Session } from './database.ts';
import type { Engine } from './migration-files.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Views over events, each materialised from the one before. */
const AGGREGATES = [
  { suffix: '1m', bucketMs: MINUTE_MS },
  { suffix: '5m', bucketMs: 5 * MINUTE_MS },
  { suffix: '1h', bucketMs: HOUR_MS },
] as const;
const KINDS = ['event_metrics', 'event_latency'] as const;

/** A background job of TimescaleDB: the procedure, what it works on, and its settings in milliseconds by their names in the job. */
interface Policy {
  procedure: 'policy_retention' | 'policy_compression' | 'policy_refresh_continuous_aggregate';
  relation: string;
  settings: Readonly<Record<string, number>>;
  /** Statements that take it away and put it there; $1, $2, … are the settings as intervals. */
  remove: string;
  /** Null: there is to be none. */
  add: string | null;
}

function retentionOf(relation: string, afterMs: number): Policy {
  return {
    procedure: 'policy_retention',
    relation,
    settings: afterMs === Infinity ? {} : { drop_after: afterMs },
    remove: `SELECT remove_retention_policy('${relation}', if_exists => true)`,
    add: afterMs === Infinity ? null : `SELECT add_retention_policy('${relation}', $1::interval)`,
  };
}

function compressionOf(relation: string, afterMs: number): Policy {
  return {
    procedure: 'policy_compression',
    relation,
    settings: { compress_after: afterMs },
    remove: `SELECT remove_compression_policy('${relation}', if_exists => true)`,
    add: `SELECT add_compression_policy('${relation}', $1::interval)`,
  };
}

/**
 * How far back refreshing looks for rows that came late: a day, but never where retention has been, whose rows would vanish from the
 * aggregate too. The server wants at least two buckets between start and end.
 */
function refreshOf(relation: string, bucketMs: number, retentionMs: number): Policy {
  const startMs = Math.max(4 * bucketMs, Math.min(DAY_MS, retentionMs / 2));
  return {
    procedure: 'policy_refresh_continuous_aggregate',
    relation,
    settings: { start_offset: startMs, end_offset: bucketMs },
    remove: `SELECT remove_continuous_aggregate_policy('${relation}', if_exists => true)`,
    add: `SELECT add_continuous_aggregate_policy('${relation}', $1::interval, $2::interval, schedule_interval => INTERVAL '${Math.min(bucketMs, 15 * MINUTE_MS)} ms')`,
  };
}

/** Every job that the configuration asks for. */
export function policiesOf({ event_retention, compress_after }: DatabaseConfig): Policy[] {
  const aggregates = KINDS.flatMap((kind) =>
    AGGREGATES.flatMap(({ suffix, bucketMs }) => {
      const relation = `${kind}_${suffix}`;
      const refresh = refreshOf(relation, bucketMs, event_retention);
      // Behind what is still refreshed: changing compressed rows costs.
      const compressMs = (refresh.settings['start_offset'] as number) + Math.max(compress_after, HOUR_MS);
      return [refresh, compressionOf(relation, compressMs), retentionOf(relation, event_retention)];
    }),
  );
  return [
    compressionOf('events', compress_after),
    retentionOf('events', event_retention),
    compressionOf('metrics', compress_after),
    retentionOf('metrics', event_retention),
    retentionOf('anomalies', event_retention),
    ...aggregates,
  ];
}

/** Jobs with the view that they work on: a continuous aggregate's are kept under the table behind it. */
const JOBS = `SELECT j.proc_name, coalesce(a.view_name, j.hypertable_name) AS relation, j.config
  FROM timescaledb_information.jobs j
  LEFT JOIN timescaledb_information.continuous_aggregates a
    ON (a.materialization_hypertable_schema, a.materialization_hypertable_name) = (j.hypertable_schema, j.hypertable_name)
    OR (a.view_schema, a.view_name) = (j.hypertable_schema, j.hypertable_name)
  WHERE j.proc_name LIKE 'policy\\_%'`;
const EPOCH = `SELECT name, extract(epoch FROM value::interval) * 1000 AS ms FROM jsonb_each_text($1::jsonb) AS setting (name, value)
  WHERE name = ANY ($2)`;

function intervalText(ms: number): string {
  return `${ms} milliseconds`;
}

async function isThere(session: Session, policy: Policy, jobs: readonly Record<string, unknown>[]): Promise<boolean> {
  const job = jobs.find(({ proc_name, relation }) => proc_name === policy.procedure && relation === policy.relation);
  if (!job || policy.add === null) return false;
  const names = Object.keys(policy.settings);
  const { rows } = await session.query(EPOCH, [job['config'], names]);
  return rows.length === names.length && rows.every(({ name, ms }) => policy.settings[String(name)] === ms);
}

async function applyJobs(session: Session, config: DatabaseConfig): Promise<void> {
  const { rows: jobs } = await session.query(JOBS);
  for (const policy of policiesOf(config)) {
    // One that stays as it is keeps its schedule.
    if (await isThere(session, policy, jobs)) continue;
    await session.query(policy.remove);
    if (policy.add !== null) await session.query(policy.add, Object.values(policy.settings).map(intervalText));
  }
}

async function applyChunkIntervals(session: Session, chunkMs: number): Promise<void> {
  const wanted: Readonly<Record<string, number>> = { events: chunkMs, metrics: chunkMs, anomalies: 7 * chunkMs };
  const { rows } = await session.query(
    `SELECT hypertable_name AS name, extract(epoch FROM time_interval) * 1000 AS ms FROM timescaledb_information.dimensions
      WHERE hypertable_schema = current_schema() AND dimension_number = 1`,
  );
  for (const [name, ms] of Object.entries(wanted)) {
    if (rows.some((row) => row['name'] === name && row['ms'] === ms)) continue;
    await session.query('SELECT set_chunk_time_interval($1::regclass, $2::interval)', [name, intervalText(ms)]);
  }
}

const INDEX_PREFIX = 'events_metadata_';

/** Names come from the key's hash: a key may be anything, a name at most 63 bytes. */
function indexName(key: string): string {
  return INDEX_PREFIX + createHash('sha256').update(key).digest('hex').slice(0, 16);
}

function quoteLiteral(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Expression indexes on the configured keys of metadata, and no others of ours. While one is built, writers wait and try again. */
async function applyMetadataIndexes(session: Session, keys: readonly string[]): Promise<void> {
  const { rows } = await session.query(
    `SELECT indexname AS name FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 'events' AND starts_with(indexname, $1)`,
    [INDEX_PREFIX],
  );
  const there = new Set(rows.map(({ name }) => String(name)));
  for (const name of there) {
    if (!keys.some((key) => indexName(key) === name)) await session.execute(`DROP INDEX IF EXISTS ${name}`);
  }
  for (const key of keys) {
    const name = indexName(key);
    if (!there.has(name)) await session.execute(`CREATE INDEX ${name} ON events ((metadata ->> ${quoteLiteral(key)}))`);
  }
}

/** Applies what the configuration says of chunks, compression, retention and indexes; done at every start. */
export async function applyPolicies(session: Session, engine: Engine, config: DatabaseConfig): Promise<void> {
  if (engine === 'timescale') {
    await applyChunkIntervals(session, config.chunk_interval);
    await applyJobs(session, config);
  }
  await applyMetadataIndexes(session, config.metadata_indexes);
}
