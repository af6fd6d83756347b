const PATTERN = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Milliseconds of midnight UTC, or NaN when there is no such day. */
export function dayMs(year: number, month: number, day: number): number {
  if (month < 1 || month > 12 || day < 1 || day > (DAYS_IN_MONTH[month - 1] as number)) return NaN;
  if (month === 2 && day === 29 && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))) return NaN;
  const date = new Date(0);
  return date.setUTCFullYear(year, month - 1, day);
}

/**
 * Milliseconds since the epoch of an RFC 3339 date-time, its fraction cut to microseconds, or NaN.
 * Any offset; a space or lower-case letters are taken too (RFC 3339, section 5.6); a leap second counts as the second after.
 */
export function parseRfc3339(text: string): number {
  const match = PATTERN.exec(text);
  if (!match) return NaN;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] = match;
  const h = Number(hour);
  const m = Number(minute);
  const s = Number(second);
  if (h > 23 || m > 59 || s > 60 || Number(offsetHour ?? 0) > 23 || Number(offsetMinute ?? 0) > 59) return NaN;
  const offsetMs = (Number(offsetHour ?? 0) * 60 + Number(offsetMinute ?? 0)) * 60_000 * (sign === '-' ? -1 : 1);
  const micros = fraction === undefined ? 0 : Number(fraction.slice(0, 6).padEnd(6, '0'));
  return dayMs(Number(year), Number(month), Number(day)) + (h * 3_600_000 + m * 60_000 + s * 1000 - offsetMs) + micros / 1000;
}

/** ISO 8601 in UTC with milliseconds, or microseconds when there are any. */
export function formatRfc3339(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.round((ms - whole) * 1000);
  if (micros === 0) return new Date(whole).toISOString();
  if (micros === 1000) return new Date(whole + 1).toISOString();
  return `${new Date(whole).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
}
