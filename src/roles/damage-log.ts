import type { Logger } from '../lib/logger.ts';
import type { Damage } from '../log/event-log.ts';

/** Places remembered, so that what many queries come across is said once. */
const MAX_REMEMBERED = 10_000;

/** Names each damaged stretch of the log once: readers come across some that the start, which reads no block, cannot know. */
export function createDamageLog(logger: Logger): (damage: Damage) => void {
  const named = new Set<string>();
  return (damage) => {
    const place = `${damage.file}:${damage.fromByte}`;
    if (named.has(place) || named.size >= MAX_REMEMBERED) return;
    named.add(place);
    logger.error('a stretch of the log is damaged; the rest is served', { ...damage });
  };
}
