import { pino } from 'pino';
import type { Logger } from '../lib/logger.ts';

/** JSON lines on standard error, one a message; secrets in common fields are masked. */
export function createLogger(level: 'debug' | 'info' | 'warn' | 'error'): Logger {
  const destination = pino.destination({ fd: 2, sync: true });
  const log = pino({ level, base: null, redact: ['key', 'password', 'authorization', 'secret'] }, destination);
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
  };
}
