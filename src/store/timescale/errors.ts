import type { ErrorCode } from '../../lib/errors.ts';
import { HeliosError, systemCode } from '../../lib/errors.ts';

/** Input that the server refuses wherever and whenever it is sent: one of the rows is at fault, and the others are not. */
export class RowError extends HeliosError {
  /** SQLSTATE, such as "22P05". */
  readonly sqlState: string;

  constructor(message: string, sqlState: string, cause: unknown) {
    super('invalid_argument', message, { cause });
    this.name = 'RowError';
    this.sqlState = sqlState;
  }
}

/** How a failure is to be taken: its code, and the configuration key at fault. */
interface Meaning {
  code: ErrorCode;
  field?: string;
}

const UNAVAILABLE: Meaning = { code: 'unavailable' };

/** PostgreSQL documentation, appendix A; a class of two characters stands for all of its codes that are not listed. */
const STATES: Readonly<Record<string, Meaning>> = {
  // Connection exceptions, and a server that starts, stops or fails over.
  '08': UNAVAILABLE,
  '57P': UNAVAILABLE,
  '57014': UNAVAILABLE,
  '58': UNAVAILABLE,
  '25006': UNAVAILABLE,
  '25P03': UNAVAILABLE,
  '53': UNAVAILABLE,
  '40': UNAVAILABLE,
  '55P03': UNAVAILABLE,
  '55006': UNAVAILABLE,
  '53100': { code: 'disk_full' },
  '28P01': { code: 'invalid_config', field: 'database.password' },
  '28': { code: 'invalid_config', field: 'database.user' },
  '3D': { code: 'invalid_config', field: 'database.name' },
  '42501': { code: 'invalid_config', field: 'database.user' },
  XX001: { code: 'corrupt_data' },
  XX002: { code: 'corrupt_data' },
};

/** Of Node.js: what a certificate or its absence is at fault for; no waiting helps. */
const TLS_REASON = /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|CERT_|ERR_TLS_|ERR_SSL_)/;

/** Of the client, which gives its own failures no code. */
const CLIENT_MEANINGS: readonly (readonly [RegExp, Meaning])[] = [
  [/does not support SSL/i, { code: 'invalid_config', field: 'database.tls' }],
  [/password must be a string|client password/i, { code: 'invalid_config', field: 'database.password' }],
  [/terminated|timeout|not queryable|ended|closed|cannot use a pool/i, UNAVAILABLE],
];

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]+$/.test(code);
}

/** Classes 22 and 23: data exceptions and integrity constraints; and values over a limit of size or nesting. */
function isRowState(state: string): boolean {
  return state.startsWith('22') || state.startsWith('23') || state === '54000' || state === '54001';
}

function meaningOf(error: Error): Meaning {
  const code = systemCode(error);
  if (isSqlState(code)) {
    return STATES[code] ?? STATES[code.slice(0, 3)] ?? STATES[code.slice(0, 2)] ?? { code: 'internal' };
  }
  if (TLS_REASON.test(code)) return { code: 'invalid_config', field: 'database.tls_ca_file' };
  if (code === 'ENOSPC') return { code: 'disk_full' };
  if (/^E[A-Z]+$/.test(code) || code.startsWith('EAI_')) return UNAVAILABLE;
  return CLIENT_MEANINGS.find(([pattern]) => pattern.test(error.message))?.[1] ?? { code: 'internal' };
}

/** What a server or connection failed with, in one line. */
function reasonOf(error: Error): string {
  // A host of several addresses fails with all of their failures and no message.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(String).join('; ');
  const { detail, hint } = error as { detail?: string; hint?: string };
  const state = isSqlState(systemCode(error)) ? ` (${systemCode(error)})` : '';
  return `${error.message}${detail === undefined ? '' : `: ${detail}`}${hint === undefined ? '' : `; ${hint}`}${state}`.replaceAll(
    '\n',
    ' ',
  );
}

/** An error of the database as the rest of the program knows it; `action` completes "cannot …". */
export function databaseError(action: string, thrown: unknown): HeliosError {
  if (thrown instanceof HeliosError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const message = `cannot ${action}: ${reasonOf(error)}`;
  const state = systemCode(error);
  if (isSqlState(state) && isRowState(state)) return new RowError(message, state, error);
  const { code, field } = meaningOf(error);
  return new HeliosError(code, message, { cause: error, ...(field === undefined ? {} : { details: { field } }) });
}

/** Whether the connection that failed so is of no more use: it is gone, or its server is a standby now. */
export function isConnectionLost(thrown: unknown): boolean {
  const error = thrown instanceof HeliosError && thrown.cause !== undefined ? thrown.cause : thrown;
  const state = systemCode(error);
  if (!isSqlState(state)) return true;
  return state.startsWith('08') || state.startsWith('57P') || state === '25006' || state === '25P03' || state.startsWith('XX');
}
