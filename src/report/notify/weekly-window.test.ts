import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { minuteOfDay, occurrenceAt, WEEKDAYS } from './weekly-window.ts';
import type { WeeklyWindow } from './weekly-window.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/Havana',
  'Pacific/Apia',
];

/** Weekday and minute of the day as Intl shows them. */
function shown(zone: string, ms: number): { weekday: number; minute: number } {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
      .formatToParts(ms)
      .map(({ type, value }) => [type, value]),
  );
  const weekday = WEEKDAYS.findIndex((name) => name === parts['weekday']?.toLowerCase());
  return { weekday, minute: Number(parts['hour']) * 60 + Number(parts['minute']) };
}

/** Whether clocks say that it is time, whichever hour of two they show. */
function showsInside({ days, minute, zone, end }: WeeklyWindow & { end: { minute: number } }, ms: number): boolean {
  const now = shown(zone, ms);
  const begins = (weekday: number): boolean =>
    days.length === 0 || days.includes(WEEKDAYS[(weekday + 7) % 7] as (typeof WEEKDAYS)[number]);
  if (end.minute > minute) return begins(now.weekday) && now.minute >= minute && now.minute < end.minute;
  return (begins(now.weekday) && now.minute >= minute) || (begins(now.weekday - 1) && now.minute < end.minute);
}

const days = fc.subarray([...WEEKDAYS]);
const minutes = fc.integer({ min: 0, max: 1439 });
const times = fc
  .integer({ min: Date.UTC(2008, 0) / MINUTE_MS, max: Date.UTC(2032, 0) / MINUTE_MS })
  .map((minute) => minute * MINUTE_MS);
/** Minutes in days on which clocks of one of the zones are set. */
const changes = fc
  .tuple(
    fc.constantFrom(
      '2025-03-30',
      '2025-10-26',
      '2025-03-09',
      '2025-11-02',
      '2025-04-05',
      '2025-10-04',
      '2011-12-30',
      '2024-03-10',
    ),
    fc.integer({ min: -1440, max: 2880 }),
  )
  .map(([date, minute]) => Date.parse(date) + minute * MINUTE_MS);

test('hours by the clock hold exactly while clocks of the zone show them; where clocks are put back, from the first to the last', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), days, minutes, minutes, fc.oneof(times, changes), (zone, on, minute, to, ms) => {
      const window = { days: on, minute, zone, end: { minute: to } };
      const isInside = occurrenceAt(window, ms) !== undefined;
      const isShown = showsInside(window, ms);
      if (isShown) return isInside;
      // Between the first and the last time that an hour is shown, it has not ended.
      const near = [30, 60].flatMap((away) => [ms - away * MINUTE_MS, ms + away * MINUTE_MS]);
      return (
        !isInside || near.some((other) => shown(zone, other).minute === shown(zone, ms).minute || showsInside(window, other))
      );
    }),
    { numRuns: 3000 },
  );
});

/** By how much clocks that showed one time show another, also where a whole day is left out. */
function stepMinutes(from: ReturnType<typeof shown>, to: ReturnType<typeof shown>): number {
  const week = 7 * 1440;
  return ((to.weekday - from.weekday) * 1440 + to.minute - from.minute + week) % week;
}

test('a window of a duration lasts exactly so long, from a moment that clocks show as its beginning', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      days,
      minutes,
      fc.integer({ min: 1, max: 7 * 1440 }),
      fc.oneof(times, changes),
      (zone, on, minute, length, ms) => {
        const period = occurrenceAt({ days: on, minute, zone, end: { afterMs: length * MINUTE_MS } }, ms);
        if (!period) return;
        assert.ok(period.fromMs <= ms && ms < period.toMs);
        assert.equal(period.toMs - period.fromMs, length * MINUTE_MS);
        const begins = shown(zone, period.fromMs);
        // Later only where clocks are put forward past it.
        if (begins.minute !== minute) assert.notEqual(stepMinutes(shown(zone, period.fromMs - MINUTE_MS), begins), 1);
        else assert.ok(on.length === 0 || on.includes(WEEKDAYS[begins.weekday] as (typeof WEEKDAYS)[number]));
      },
    ),
    { numRuns: 2000 },
  );
});

test('a weekly window comes once in every week, whatever clocks do', () => {
  const firstSunday = Date.UTC(2025, 0, 5);
  for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Havana']) {
    for (const minute of [0, 120, 150]) {
      const window: WeeklyWindow = { days: ['sun'], minute, zone, end: { afterMs: 30 * MINUTE_MS } };
      const starts = new Set<number>();
      for (let week = 0; week < 52; week++) {
        const sunday = firstSunday + week * 7 * DAY_MS;
        for (let ms = sunday - DAY_MS; ms < sunday + 2 * DAY_MS; ms += 29 * MINUTE_MS) {
          const period = occurrenceAt(window, ms);
          if (period) starts.add(period.fromMs);
        }
      }
      assert.equal(starts.size, 52, `${zone} ${minute}`);
    }
  }
});

test('nights run over midnight into the next day, and a window of a day to the same time is a day', () => {
  const night: WeeklyWindow = { days: ['fri'], minute: 22 * 60, zone: 'Europe/Berlin', end: { minute: 7 * 60 } };
  const at = (text: string): boolean => occurrenceAt(night, Date.parse(text)) !== undefined;
  assert.ok(!at('2025-10-24T21:59:59+02:00'));
  assert.ok(at('2025-10-24T22:00:00+02:00'));
  assert.ok(at('2025-10-25T06:59:59+02:00'));
  assert.ok(!at('2025-10-25T07:00:00+02:00'));
  assert.ok(!at('2025-10-25T22:00:00+02:00'), 'it begins on Fridays');
  const whole: WeeklyWindow = { ...night, end: { minute: 22 * 60 } };
  assert.ok(occurrenceAt(whole, Date.parse('2025-10-25T21:59:00+02:00')));
});

test('times of day are 00:00 to 23:59', () => {
  assert.equal(minuteOfDay('00:00'), 0);
  assert.equal(minuteOfDay('23:59'), 1439);
  for (const text of ['24:00', '7:30', '07:60', '0730', '']) assert.ok(Number.isNaN(minuteOfDay(text)), text);
});
