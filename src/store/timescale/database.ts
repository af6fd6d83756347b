/**
 * By column name; the caller knows the types. int8 and numeric are numbers (int8 past 2^53 a bigint), bytea is a Uint8Array, json is
 * parsed, timestamptz is a Date: where microseconds matter, select `extract(epoch FROM ...)`.
 */
export type Row = Record<string, unknown>;

export interface QueryAnswer {
  rows: Row[];
  /** Rows answered or changed. */
  rowCount: number;
}

/** One connection, while it is lent. */
export interface Session {
  /** One statement. Values go as $1, $2, …; an object becomes json, an array a PostgreSQL array, a Uint8Array bytea. */
  query(sql: string, values?: readonly unknown[]): Promise<QueryAnswer>;
  /** Several statements in one text, without values and answers. */
  execute(sql: string): Promise<void>;
  /** Runs a `COPY ... FROM STDIN` with this input. */
  copy(sql: string, input: readonly Uint8Array[]): Promise<void>;
}

/**
 * A pool of connections. Every error is a HeliosError: `unavailable` (retryable: connection lost, server starting, read-only, lock or
 * statement timeout, serialization), `disk_full`, `conflict` (a fence), `invalid_config` (credentials, version, missing extension);
 * `RowError` for input that the server refuses. Whoever asks the pool while a session is lent to him may wait for himself.
 */
export interface Database extends AsyncDisposable {
  query: Session['query'];
  /** Runs `work` on one connection outside of a transaction; `timeoutMs` instead of the configured statement_timeout, 0 for none. */
  withSession<T>(work: (session: Session) => Promise<T>, timeoutMs?: number): Promise<T>;
  /**
   * Runs `work` in one transaction: all of it is stored, or nothing. Not run again by itself. When the connection is lost during the
   * commit nobody knows whether it is stored: `unavailable`, and the next attempt has to look.
   */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Calls `onNotice` after every commit that notified this channel (pg_notify), and whenever one may have been missed; over a connection of
   * its own, which is opened again when it is lost. Whoever must hear of something also looks from time to time.
   */
  listen(channel: string, onNotice: () => void): AsyncDisposable;
  /** What the server can; read when it was opened and by `inspect`. */
  supports: DatabaseSupports;
  /** Reads `supports` again: migrations may have created the extension. */
  inspect(): Promise<DatabaseSupports>;
}

export interface DatabaseSupports {
  /** Version of the timescaledb extension, or null on a plain PostgreSQL. */
  timescale: string | null;
  /** COPY into compressed chunks (timescaledb.enable_direct_compress_copy). */
  directCompress: boolean;
  /** COPY FROM STDIN at all. */
  copy: boolean;
}
