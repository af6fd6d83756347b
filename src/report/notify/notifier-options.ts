import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Redaction } from './message-text.ts';

/** What every notifier is made of, beside its own part of the configuration. */
export interface NotifierOptions {
  redactor: Redaction;
  clock: Clock;
  logger: Logger;
  /** One request and its answer; a send of several requests may take longer, unless its signal ends it. */
  timeoutMs: number;
}
