import { localTime, zonedMs } from '../../lib/zoned-time.ts';

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A time that comes again every week, on the clocks of a zone. */
export interface WeeklyWindow {
  /** On which it begins; none: on every day. */
  days: readonly Weekday[];
  /** Minute of the day at which it begins. */
  minute: number;
  zone: string;
  /**
   * When it ends: after so many milliseconds, however clocks are set meanwhile, or when clocks show that minute next (the same minute: a day later).
   */
  end: { afterMs: number } | { minute: number };
}

export interface Period {
  fromMs: number;
  toMs: number;
}

const DAY_MS = 86_400_000;
/** Windows may lie up to so far back and still last: the longest duration that configuration takes, and a day of slack for zones. */
export const LONGEST_WINDOW_DAYS = 7;

/** Minute of the day of "07:30", 24 hours; NaN when malformed. */
export function minuteOfDay(text: string): number {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(text) ? Number(text.slice(0, 2)) * 60 + Number(text.slice(3)) : NaN;
}

/**
 * The occurrence that begins on a day of the zone's calendar. A beginning that clocks show twice is the first of the two, an end the second; what clocks
 * are put forward past is the moment at which they are.
 */
function occurrenceOn(window: WeeklyWindow, day: { year: number; month: number; day: number }): Period {
  const { zone, minute, end } = window;
  const fromMs = zonedMs(zone, { ...day, minute }, 'first');
  if ('afterMs' in end) return { fromMs, toMs: fromMs + end.afterMs };
  const days = end.minute > minute ? 0 : 1;
  return { fromMs, toMs: zonedMs(zone, { ...day, day: day.day + days, minute: end.minute }, 'last') };
}

/** The occurrence that `ms` lies in, of several the one that ends last; undefined outside. */
export function occurrenceAt(window: WeeklyWindow, ms: number): Period | undefined {
  const { weekday, ...today } = localTime(window.zone, ms);
  const back = 'afterMs' in window.end ? Math.min(LONGEST_WINDOW_DAYS, Math.ceil(window.end.afterMs / DAY_MS)) + 1 : 2;
  let found: Period | undefined;
  for (let ago = back; ago >= 0; ago--) {
    const begins = WEEKDAYS[(((weekday - ago) % 7) + 7) % 7] as Weekday;
    if (window.days.length > 0 && !window.days.includes(begins)) continue;
    const period = occurrenceOn(window, { ...today, day: today.day - ago });
    if (period.fromMs <= ms && ms < period.toMs && (found === undefined || period.toMs > found.toMs)) found = period;
  }
  return found;
}
