const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** A moment as a clock on the wall of some zone shows it. */
export interface LocalTime {
  year: number;
  /** 1..12. */
  month: number;
  /** 1..31; days outside its month are those of the ones beside it. */
  day: number;
  /** Of the day, 0..1439. */
  minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    const numeric = {
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    } as const;
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      hourCycle: 'h23',
      era: 'short',
      ...numeric,
    });
    formats.set(zone, format);
  }
  return format;
}

/** Whether the runtime's time zone database (IANA) knows the name. */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** Local time minus UTC at `ms`, milliseconds, whole seconds. */
export function zoneOffsetMs(zone: string, ms: number): number {
  const secondMs = Math.floor(ms / 1000) * 1000;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(secondMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - secondMs;
}

/** What a clock in `zone` shows at `ms`, and the weekday, 0 for Sunday. */
export function localTime(zone: string, ms: number): LocalTime & { weekday: number } {
  const shifted = new Date(ms + zoneOffsetMs(zone, ms));
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    minute: shifted.getUTCHours() * 60 + shifted.getUTCMinutes(),
    weekday: shifted.getUTCDay(),
  };
}

/** When the offset changes between `fromMs` and `toMs`, to the millisecond. */
function transitionMs(zone: string, fromMs: number, toMs: number): number {
  const after = zoneOffsetMs(zone, toMs);
  let [low, high] = [fromMs, toMs];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (zoneOffsetMs(zone, middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * The moment at which clocks in `zone` show `local`, milliseconds since the epoch. Where clocks were put back and show it twice, the `first` or the `last`;
 * where they were put forward past it, the moment at which they were.
 */
export function zonedMs(zone: string, { year, month, day, minute }: LocalTime, which: 'first' | 'last'): number {
  const wanted = Date.UTC(year, month - 1, day) + minute * MINUTE_MS;
  // No zone is more than a day off, nor changes its offset twice within two days.
  const before = zoneOffsetMs(zone, wanted - DAY_MS);
  const after = zoneOffsetMs(zone, wanted + DAY_MS);
  const shown = [before, after].map((offset) => wanted - offset).filter((ms) => ms + zoneOffsetMs(zone, ms) === wanted);
  if (shown.length === 0) return transitionMs(zone, wanted - after, wanted - before);
  return which === 'first' ? Math.min(...shown) : Math.max(...shown);
}
