/** Severity codes as stored in columns; 0 is never used. Errors are ERROR and CRITICAL. */
export const LEVELS = ['', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL'] as const;
export type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'CRITICAL';
export const LEVEL_DEBUG = 1;
export const LEVEL_INFO = 2;
export const LEVEL_WARN = 3;
export const LEVEL_ERROR = 4;
export const LEVEL_CRITICAL = 5;

/**
 * What an event is: posted to the native door, a log record, a span that is a request, or a span inside one (a call that
 * the service makes, or work of its own), which is kept but not counted as an event of the service. Codes as stored in columns.
 */
export const KINDS = ['event', 'log', 'span', 'inner_span'] as const;
export type Kind = (typeof KINDS)[number];
export const KIND_EVENT = 0;
export const KIND_LOG = 1;
export const KIND_SPAN = 2;
export const KIND_INNER_SPAN = 3;

/** One event as the API returns it. */
export interface Event {
  timestamp: string;
  service: string;
  level: Level;
  message: string;
  metadata: Record<string, unknown>;
  /** Absent for native events. */
  kind?: Kind;
  trace_id?: string;
  span_id?: string;
  parent_span_id?: string;
}

/** Limits of one event, in bytes unless named otherwise. */
export const MAX_SERVICE_BYTES = 128;
export const MAX_MESSAGE_BYTES = 64 * 1024;
export const MAX_METADATA_BYTES = 64 * 1024;
export const MAX_METADATA_DEPTH = 16;
export const MAX_LATENCY_MS = 1e9;
/** How many events one sampled event may stand for: the least sampling probability of OpenTelemetry is 2^-56. */
export const MAX_WEIGHT = 2 ** 56;
/** As posted: room for a message and metadata at their limits with every character escaped. */
export const MAX_EVENT_BYTES = 1024 * 1024;
/** `{"timestamp":"2025-10-08T10:30:45Z","service":"s","level":1,"message":""}`: nothing shorter is an event. */
export const MIN_EVENT_BYTES = 73;

const LEVEL_NAMES: Record<string, number> = {
  TRACE: LEVEL_DEBUG,
  DEBUG: LEVEL_DEBUG,
  INFO: LEVEL_INFO,
  WARN: LEVEL_WARN,
  WARNING: LEVEL_WARN,
  ERR: LEVEL_ERROR,
  ERROR: LEVEL_ERROR,
  FATAL: LEVEL_CRITICAL,
  CRITICAL: LEVEL_CRITICAL,
};

/** Names of severities, in upper case. */
export const LEVEL_SPELLINGS: readonly string[] = Object.keys(LEVEL_NAMES);

/**
 * Level code of a severity name (any case) or an OTLP severity number 1..24, or 0 when unknown.
 * OTLP: 1-8 trace and debug, 9-12 info, 13-16 warn, 17-20 error, 21-24 fatal
 * (OpenTelemetry logs data model, "SeverityNumber").
 */
export function levelCode(value: unknown): number {
  if (typeof value === 'string') {
    const name = value.toUpperCase();
    if (Object.hasOwn(LEVEL_NAMES, name)) return LEVEL_NAMES[name] as number;
    return /^([1-9]|1\d|2[0-4])$/.test(value) ? levelCode(Number(value)) : 0;
  }
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 24) return 0;
  if (value <= 8) return LEVEL_DEBUG;
  if (value <= 12) return LEVEL_INFO;
  if (value <= 16) return LEVEL_WARN;
  return value <= 20 ? LEVEL_ERROR : LEVEL_CRITICAL;
}

export function isErrorLevel(code: number): boolean {
  return code >= LEVEL_ERROR;
}
