import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isTimeZone, localTime, zonedMs, zoneOffsetMs } from './zoned-time.ts';

const MINUTE_MS = 60_000;
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Pacific/Apia',
  'Pacific/Chatham',
  'America/Havana',
];
const zones = fc.constantFrom(...ZONES);
const times = fc.integer({ min: Date.UTC(2005, 0) / 1000, max: Date.UTC(2040, 0) / 1000 }).map((seconds) => seconds * 1000);

/** "2025-03-30 03:00" as the runtime itself formats it. */
function shown(zone: string, ms: number): string {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, ...parts }).format(ms);
}

test('local time is what Intl shows', () => {
  fc.assert(
    fc.property(zones, times, (zone, ms) => {
      const { year, month, day, minute, weekday } = localTime(zone, ms);
      const two = (value: number): string => String(value).padStart(2, '0');
      const text = `${year}-${two(month)}-${two(day)} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
      assert.equal(text, shown(zone, ms));
      const names = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
      assert.equal(names[weekday], new Intl.DateTimeFormat('en-US', { timeZone: zone, weekday: 'short' }).format(ms));
    }),
  );
});

test('a moment that clocks show is found again from what they show, the first and the last of two', () => {
  fc.assert(
    fc.property(zones, times, (zone, anyMs) => {
      const ms = Math.floor(anyMs / MINUTE_MS) * MINUTE_MS;
      const local = localTime(zone, ms);
      const [first, last] = [zonedMs(zone, local, 'first'), zonedMs(zone, local, 'last')];
      assert.ok(ms === first || ms === last, `${zone} ${shown(zone, ms)}`);
      for (const found of [first, last]) assert.equal(shown(zone, found), shown(zone, ms));
      assert.equal(first < last, zoneOffsetMs(zone, first) > zoneOffsetMs(zone, last));
    }),
  );
});

test('what clocks are put forward past is the moment at which they are', () => {
  const gap = (zone: string, year: number, month: number, day: number, minute: number): string =>
    new Date(zonedMs(zone, { year, month, day, minute }, 'first')).toISOString();
  assert.equal(gap('Europe/Berlin', 2025, 3, 30, 150), '2025-03-30T01:00:00.000Z');
  assert.equal(gap('America/New_York', 2025, 3, 9, 150), '2025-03-09T07:00:00.000Z');
  assert.equal(gap('Australia/Lord_Howe', 2025, 10, 5, 135), '2025-10-04T15:30:00.000Z');
  assert.equal(gap('America/Havana', 2025, 3, 9, 0), '2025-03-09T05:00:00.000Z');
  assert.equal(gap('Pacific/Apia', 2011, 12, 30, 720), '2011-12-30T10:00:00.000Z', 'a day that was left out');
});

test('what clocks show twice has two moments', () => {
  const local = { year: 2025, month: 10, day: 26, minute: 150 };
  assert.equal(new Date(zonedMs('Europe/Berlin', local, 'first')).toISOString(), '2025-10-26T00:30:00.000Z');
  assert.equal(new Date(zonedMs('Europe/Berlin', local, 'last')).toISOString(), '2025-10-26T01:30:00.000Z');
});

test('zones are those of the time zone database', () => {
  for (const zone of ZONES) assert.ok(isTimeZone(zone));
  for (const zone of ['', 'Berlin', 'Europe/Berlim', 'Mars/Olympus']) assert.ok(!isTimeZone(zone));
});
