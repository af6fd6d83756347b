import type { RetentionLimits } from '../event-log.ts';
import type { Segment } from './segment.ts';

export interface RetentionPlan {
  /** The oldest segments, all past a limit and read by everyone. */
  remove: Segment[];
  /** The first segment that is past a limit but not read yet, if that is what stopped it. */
  unread: Segment | undefined;
}

/**
 * Which whole segments go, oldest first and never past one that stays: the log has no holes. The newest segment is never
 * among them, `readBelow` is the offset that every reader has reached.
 */
export function planRetention(
  segments: readonly Segment[],
  { maxAgeMs, maxBytes }: RetentionLimits,
  nowMs: number,
  readBelow: number,
): RetentionPlan {
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const remove: Segment[] = [];
  for (const segment of segments.slice(0, -1)) {
    if (bytes <= maxBytes && segment.maxTimestampMs >= nowMs - maxAgeMs) break;
    if (segment.nextOffset > readBelow) return { remove, unread: segment };
    remove.push(segment);
    bytes -= segment.bytes;
  }
  return { remove, unread: undefined };
}
