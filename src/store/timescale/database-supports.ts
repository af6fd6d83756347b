import { HeliosError } from '../../lib/errors.ts';
import type { DatabaseSupports, Session } from './database.ts';

const OLDEST_POSTGRES = 14;
const OLDEST_TIMESCALE = '2.13.0';
/** Since this one COPY compresses also where continuous aggregates have to hear of the rows (timescaledb pull request 8909). */
const DIRECT_COMPRESS_SINCE = '2.24.0';

/** Negative when version `a` is older than `b`; what follows three numbers does not count. */
export function compareVersions(a: string, b: string): number {
  const parts = (text: string): number[] => text.split(/[.-]/, 3).map((part) => Number.parseInt(part, 10) || 0);
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Throws `invalid_config` when this timescaledb is too old. */
export function checkTimescale(version: string): void {
  if (compareVersions(version, OLDEST_TIMESCALE) >= 0) return;
  throw new HeliosError(
    'invalid_config',
    `cannot use this database: its timescaledb extension is ${version}, HELIOS needs ${OLDEST_TIMESCALE} or newer`,
    { details: { field: 'database.host' } },
  );
}

const SUPPORTS = `SELECT current_setting('server_version_num')::integer AS number, current_setting('server_version') AS server,
  (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale,
  current_setting('timescaledb.enable_direct_compress_copy', true) IS NOT NULL AS direct_compress`;

/** What the server can. Throws `invalid_config` when it, or its timescaledb, is too old. */
export async function readSupports(session: Pick<Session, 'query'>): Promise<Omit<DatabaseSupports, 'copy'>> {
  const { rows } = await session.query(SUPPORTS);
  const { number, server, timescale, direct_compress } = rows[0] as {
    number: number;
    server: string;
    timescale: string | null;
    direct_compress: boolean;
  };
  if (number < OLDEST_POSTGRES * 10_000) {
    throw new HeliosError(
      'invalid_config',
      `cannot use this database: the server is PostgreSQL ${server}, HELIOS needs ${OLDEST_POSTGRES} or newer`,
      { details: { field: 'database.host' } },
    );
  }
  if (timescale !== null) checkTimescale(timescale);
  return {
    timescale,
    directCompress: timescale !== null && direct_compress && compareVersions(timescale, DIRECT_COMPRESS_SINCE) >= 0,
  };
}
