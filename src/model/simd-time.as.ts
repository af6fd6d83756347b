// RFC 3339 times as parseRfc3339 (rfc3339.ts) reads them, sum by sum.

const NAN: f64 = f64.NaN;

/** `YYYY-MM-DDTHH:MM` of the last time, and what it stands for: times of one request are mostly of one minute. */
let lastMinute: v128 = i64x2.splat(0);
let lastMinuteMs: f64 = 0;

// @ts-ignore: decorator
@inline
function digit(at: usize): u32 {
  return <u32>load<u8>(at) - 0x30;
}

/** Two digits as a number; 100 or more when one is none. */
// @ts-ignore: decorator
@inline
function twoDigits(at: usize): u32 {
  const tens = digit(at);
  const ones = digit(at + 1);
  return tens < 10 && ones < 10 ? tens * 10 + ones : 100;
}

/** Days since the epoch of a date in the Gregorian calendar, counted in eras of 400 years from 1 March of year 0. */
function daysOf(year: i32, month: i32, day: i32): i32 {
  const y = month <= 2 ? year - 1 : year;
  const era = (y >= 0 ? y : y - 399) / 400;
  const yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468;
}

function daysInMonth(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

function readMinute(at: usize): bool {
  const century = twoDigits(at);
  const yearOfCentury = twoDigits(at + 2);
  const month = twoDigits(at + 5);
  const day = twoDigits(at + 8);
  const hour = twoDigits(at + 11);
  const minute = twoDigits(at + 14);
  if (century > 99 || yearOfCentury > 99 || month < 1 || month > 12 || hour > 23 || minute > 59) return false;
  const year = <i32>(century * 100 + yearOfCentury);
  if (day < 1 || <i32>day > daysInMonth(year, <i32>month)) return false;
  const separator = load<u8>(at, 10) | 0x20;
  if (load<u8>(at, 4) != 0x2d || load<u8>(at, 7) != 0x2d || load<u8>(at, 13) != 0x3a) return false;
  if (separator != 0x74 && load<u8>(at, 10) != 0x20) return false;
  lastMinute = v128.load(at);
  lastMinuteMs = <f64>daysOf(year, <i32>month, <i32>day) * 86_400_000 + <f64>(hour * 60 + minute) * 60_000;
  return true;
}

/** Milliseconds since the epoch of the time in [at, end), or NaN. */
export function readTime(at: usize, end: usize): f64 {
  if (end - at < 20) return NAN;
  if (v128.any_true(v128.xor(v128.load(at), lastMinute)) && !readMinute(at)) return NAN;
  const second = twoDigits(at + 17);
  if (load<u8>(at, 16) != 0x3a || second > 60) return NAN;
  let p = at + 19;
  let micros: u32 = 0;
  if (load<u8>(p) == 0x2e) {
    const fraction = ++p;
    let unit: u32 = 100_000;
    for (let d = digit(p); d < 10; d = digit(++p)) {
      micros += d * unit;
      unit /= 10;
    }
    if (p == fraction) return NAN;
  }
  let offsetMs: i32 = 0;
  const zone: u32 = load<u8>(p);
  if ((zone | 0x20) == 0x7a) p++;
  else {
    const hour = twoDigits(p + 1);
    const minute = twoDigits(p + 4);
    if ((zone != 0x2b && zone != 0x2d) || load<u8>(p, 3) != 0x3a || hour > 23 || minute > 59) return NAN;
    offsetMs = <i32>(hour * 60 + minute) * 60_000;
    if (zone == 0x2d) offsetMs = -offsetMs;
    p += 6;
  }
  if (p != end) return NAN;
  return lastMinuteMs + <f64>(<i32>(second * 1000) - offsetMs) + <f64>micros / 1000;
}
