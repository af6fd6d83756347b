import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { HeliosError } from '../../lib/errors.ts';
import type { DatabaseConfig } from './config.ts';

/** Where a database is and as whom; what the client is given. */
export interface DatabaseAddress {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | undefined;
  ssl: false | ConnectionOptions;
}

/** `sslmode` of a URL, as libpq knows it. What libpq tries without insisting is not offered: it protects against nothing. */
const TLS_OF_SSLMODE: Readonly<Record<string, DatabaseConfig['tls']>> = {
  disable: 'off',
  require: 'require',
  'verify-ca': 'verify',
  'verify-full': 'verify',
};

function refusedUrl(reason: string): HeliosError {
  // The text itself may hold a password.
  return new HeliosError('invalid_config', `cannot use database.url: ${reason}`, { details: { field: 'database.url' } });
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol))
    throw refusedUrl('it is not of the form postgres://user:password@host:port/name');
  for (const key of url.searchParams.keys()) {
    if (key !== 'sslmode') throw refusedUrl(`the parameter "${key}" is not known; known is sslmode`);
  }
  return url;
}

function tlsMode(url: URL | undefined, config: DatabaseConfig): DatabaseConfig['tls'] {
  const sslmode = url?.searchParams.get('sslmode');
  if (sslmode === undefined || sslmode === null) return config.tls;
  const mode = TLS_OF_SSLMODE[sslmode];
  if (mode === undefined) throw refusedUrl(`sslmode is one of ${Object.keys(TLS_OF_SSLMODE).join(', ')}, not "${sslmode}"`);
  return mode;
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new HeliosError('invalid_config', `cannot read database.tls_ca_file: ${(error as Error).message}`, {
      cause: error,
      details: { field: 'database.tls_ca_file' },
    });
  }
}

function tlsOptions(mode: DatabaseConfig['tls'], host: string, caFile: string | undefined): false | ConnectionOptions {
  if (mode === 'off') return false;
  const ca = caFile === undefined ? {} : { ca: readAuthorities(caFile) };
  // An address is no name that may be asked for (RFC 6066, section 3).
  const servername = /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  return { rejectUnauthorized: mode === 'verify', ...ca, ...servername };
}

/** The address by `database.url`, or else by the single keys; what the URL leaves out comes from them. Throws `invalid_config`. */
export function databaseAddress(config: DatabaseConfig): DatabaseAddress {
  const url = config.url === undefined ? undefined : parseUrl(config.url);
  const host = url ? decodeURIComponent(url.hostname).replace(/^\[|\]$/g, '') : config.host;
  if (host === undefined || host === '') {
    const field = url ? 'database.url' : 'database.host';
    throw new HeliosError('invalid_config', `cannot connect to a database: ${field} names no host`, { details: { field } });
  }
  const part = (text: string | undefined, otherwise: string): string => (text ? decodeURIComponent(text) : otherwise);
  return {
    host,
    port: url?.port ? Number(url.port) : config.port,
    database: part(url?.pathname.slice(1), config.name),
    user: part(url?.username, config.user),
    password: url?.password ? decodeURIComponent(url.password) : config.password,
    ssl: tlsOptions(tlsMode(url, config), host, config.tls_ca_file),
  };
}
