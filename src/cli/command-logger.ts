import type { Logger } from '../lib/logger.ts';
import { silentLogger } from '../lib/logger.ts';
import type { CommandContext } from './command-context.ts';
import { visible } from './table.ts';

/** For parts that log: warnings and errors in words, as the command's own are; the rest is left out. */
export function commandLogger(context: CommandContext): Logger {
  const say = (message: string, { reason, error = reason }: Record<string, unknown> = {}): void => {
    const why = error instanceof Error ? error.message : error;
    context.warn(visible(`helios: ${message}${typeof why === 'string' ? `: ${why}` : ''}`));
  };
  return { ...silentLogger, warn: say, error: say };
}
