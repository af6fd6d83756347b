import type { Severity } from '../../model/anomaly.ts';
import type { QuietHoursConfig } from './config.ts';
import { isBelow } from './routes.ts';
import { minuteOfDay, occurrenceAt } from './weekly-window.ts';

/** Until when nothing of that severity is sent to the receiver, milliseconds since the epoch; undefined: it is sent. */
export function quietUntilMs(
  quietHours: readonly QuietHoursConfig[],
  { receiver, severity, nowMs }: { receiver: string; severity: Severity; nowMs: number },
): number | undefined {
  const ends = quietHours
    .filter(({ receivers, below }) => (receivers.length === 0 || receivers.includes(receiver)) && isBelow(severity, below))
    .map(
      ({ days, from, to, zone }) =>
        occurrenceAt({ days, minute: minuteOfDay(from), zone, end: { minute: minuteOfDay(to) } }, nowMs)?.toMs,
    )
    .filter((ms) => ms !== undefined);
  return ends.length > 0 ? Math.max(...ends) : undefined;
}
