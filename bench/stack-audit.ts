import pg from 'pg';

export interface StoredEvents {
  rows: number;
  distinct: number;
}

export interface StoredVerdicts {
  anomalies: Map<string, unknown>;
  incidents: Map<string, unknown>;
  reports: Map<string, number>;
}

/** Asks the database itself, past HELIOS. */
export class StackAudit implements AsyncDisposable {
  readonly #client: pg.Pool;

  constructor(url: string) {
    this.#client = new pg.Pool({ connectionString: url, max: 1 });
    // A server that is killed while the connection idles; the next query opens another.
    this.#client.on('error', () => {});
  }

  async query<R extends object>(sql: string): Promise<R[]> {
    const { rows } = await this.#client.query<R>(sql);
    return rows;
  }

  /** Events by their span, which is unique in what is sent. */
  async events(): Promise<StoredEvents> {
    const [row] = await this.query<{ rows: string; ids: string }>(
      'SELECT count(*) AS rows, count(DISTINCT span_id) AS ids FROM events',
    );
    return { rows: Number(row?.rows), distinct: Number(row?.ids) };
  }

  /** The sum of the rollups' events as the API would count them is checked through the API; this is what was derived. */
  async verdicts(): Promise<StoredVerdicts> {
    const documents = await this.query<{ kind: string; key: string; version: number; body: unknown }>(
      "SELECT kind, key, version, body FROM documents WHERE is_newest AND kind IN ('anomaly', 'incident', 'report') ORDER BY kind, key",
    );
    const of = (kind: string) => documents.filter((document) => document.kind === kind);
    return {
      anomalies: new Map(of('anomaly').map(({ key, body }) => [key, body])),
      incidents: new Map(of('incident').map(({ key, body }) => [key, body])),
      reports: new Map(of('report').map(({ key, version }) => [key, version])),
    };
  }

  /** Records that are read and not settled yet, of the groups of the store, the detectors and the reporters. */
  async pendingAlerts(): Promise<number> {
    const [row] = await this.query<{ count: string }>('SELECT count(*) AS count FROM pending_alerts WHERE settled_at IS NULL');
    return Number(row?.count);
  }

  /** Partitions that one group has read further than another that reads the same. */
  async behind(): Promise<number> {
    const rows = await this.query(
      `SELECT 1 FROM partition_progress WHERE consumer_group IN ('storage-writers', 'detectors')
       GROUP BY topic, log_partition HAVING count(*) > 1 AND min(next_offset) < max(next_offset)`,
    );
    return rows.length;
  }

  /** Reports that are due or will be within a second. */
  async dueReports(): Promise<number> {
    const [row] = await this.query<{ count: string }>(
      "SELECT count(*) AS count FROM report_jobs WHERE due_at < now() + interval '1 s'",
    );
    return Number(row?.count);
  }

  async progress(): Promise<string> {
    const rows = await this.query<{ text: string }>(
      `SELECT consumer_group || ' ' || topic || ' ' || log_partition || ' ' || next_offset AS text FROM partition_progress ORDER BY 1`,
    );
    return rows.map(({ text }) => text).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

/** Ids that only one of two has, or whose documents differ in something other than when they were made. */
export function differences(expected: ReadonlyMap<string, unknown>, found: ReadonlyMap<string, unknown>): string[] {
  const ids = new Set([...expected.keys(), ...found.keys()]);
  return [...ids].filter((id) => canonical(expected.get(id)) !== canonical(found.get(id))).toSorted();
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) =>
      inner !== null && typeof inner === 'object' && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    ) ?? 'absent'
  );
}
