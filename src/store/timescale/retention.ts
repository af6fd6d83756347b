import type { Database } from './database.ts';

/** What is dropped by its time alone; everything else is its writer's. */
const TABLES = ['events', 'metrics', 'anomalies'] as const;
type Table = (typeof TABLES)[number];
/** Deleted in one transaction: well under a second, so that no lock is held for long. */
const SLICE_ROWS = 20_000;
/** Advisory lock of whoever deletes: "retain" in a bigint. */
const LOCK = 0x72657461696e;

export interface RetentionResult {
  /** Of hypertables, whose chunks go whole. */
  droppedChunks: number;
  /** Of ordinary tables. */
  deletedRows: number;
}

async function hypertables(database: Database): Promise<ReadonlySet<string>> {
  if (database.supports.timescale === null) return new Set();
  const { rows } = await database.query(
    'SELECT hypertable_name AS name FROM timescaledb_information.hypertables WHERE hypertable_schema = current_schema()',
  );
  return new Set(rows.map(({ name }) => String(name)));
}

async function dropChunks(database: Database, table: Table, beforeMs: number): Promise<number> {
  const { rows } = await database.query(
    `SELECT drop_chunks('${table}', older_than => to_timestamp($1::double precision / 1000))`,
    [beforeMs],
  );
  return rows.length;
}

/** Deletes one slice; null when another process is at it. */
function deleteSlice(database: Database, table: Table, beforeMs: number, rows: number): Promise<number | null> {
  return database.transaction(async (session) => {
    const lock = await session.query('SELECT pg_try_advisory_xact_lock($1) AS mine', [LOCK]);
    if (lock.rows[0]?.['mine'] !== true) return null;
    const { rowCount } = await session.query(
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${table} WHERE time < to_timestamp($1::double precision / 1000) LIMIT $2))`,
      [beforeMs, rows],
    );
    return rowCount;
  });
}

/**
 * Drops events, metric points and rows of anomalies older than `beforeMs` (milliseconds since the epoch): whole chunks where the tables
 * are hypertables, whose server does the same by its retention policy; else row by row in slices, until nothing is left, another process
 * is at it, or the signal aborts.
 */
export async function retain(
  database: Database,
  beforeMs: number,
  { signal, sliceRows = SLICE_ROWS }: { signal?: AbortSignal; sliceRows?: number } = {},
): Promise<RetentionResult> {
  const result: RetentionResult = { droppedChunks: 0, deletedRows: 0 };
  const chunked = await hypertables(database);
  for (const table of TABLES) {
    if (chunked.has(table)) {
      result.droppedChunks += await dropChunks(database, table, beforeMs);
      continue;
    }
    for (;;) {
      if (signal?.aborted) return result;
      const deleted = await deleteSlice(database, table, beforeMs, sliceRows);
      if (deleted === null) return result;
      result.deletedRows += deleted;
      if (deleted < sliceRows) break;
    }
  }
  return result;
}
