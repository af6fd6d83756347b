/** By column name; the caller knows the types. */
export type Row = Record<string, unknown>;

/** One connection, while it is lent. */
export interface Session {
  query(sql: string, values?: readonly unknown[]): Promise<{ rows: Row[]; rowCount: number }>;
  /** Runs a `COPY ... FROM STDIN` with this input. */
  copy(sql: string, input: readonly Uint8Array[]): Promise<void>;
}

/**
 * A pool of connections. Every error is a HeliosError: `unavailable` (retryable: connection lost, server starting, read-only, lock or
 * statement timeout, serialization), `disk_full`, `conflict` (a fence), `invalid_config` (credentials, version, missing extension);
 * `RowError` for input that the server refuses.
 */
export interface Database extends AsyncDisposable {
  query: Session['query'];
  /** Runs `work` on one connection outside of a transaction. */
  withSession<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** Runs `work` in one transaction: all of it is stored, or nothing. Not run again by itself. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** What the server can; read when it was opened. */
  supports: DatabaseSupports;
}

export interface DatabaseSupports {
  /** Version of the timescaledb extension, or null on a plain PostgreSQL. */
  timescale: string | null;
  /** COPY into compressed chunks (timescaledb.enable_direct_compress_copy). */
  directCompress: boolean;
  /** COPY FROM STDIN at all: the build for tests in WebAssembly cannot. */
  copy: boolean;
}
