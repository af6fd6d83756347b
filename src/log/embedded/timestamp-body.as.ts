// The body of a column of UTC times of one precision; timestamp-column.ts reads it back.

const SECONDS_END: usize = 19;
const MAX_FRACTION_DIGITS: usize = 6;
/** Ticks and their differences stay below this, so that a reader's doubles are exact. */
const MAX_TICKS: i64 = 1 << 52;

const DAYS_BEFORE_MONTH = memory.data<u16>([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]);

/** The date that was parsed last, and its midnight in seconds; -1 when it does not exist. */
const DATE = memory.data(16);
let midnight: i64 = -1;

/** Whether ten bytes of two loads are the date in DATE; keeps it. */
function midnightAt(at: usize): i64 {
  if (load<u64>(at) === load<u64>(DATE) && load<u16>(at, 8) === load<u16>(DATE, 8)) return midnight;
  store<u64>(DATE, load<u64>(at));
  store<u16>(DATE, load<u16>(at, 8), 8);
  midnight = parseDate(at);
  return midnight;
}

/** 0 to 99, or 100 and more when these are not two digits. */
@inline
function twoDigits(at: usize): u32 {
  const tens = <u32>load<u8>(at) - 48;
  const ones = <u32>load<u8>(at, 1) - 48;
  return tens < 10 && ones < 10 ? 10 * tens + ones : 100;
}

/** Midnight of "YYYY-MM-DD" from 1970 on in seconds since the epoch, -1 when there is no such day. */
function parseDate(at: usize): i64 {
  const century = twoDigits(at);
  const decade = twoDigits(at + 2);
  const month = twoDigits(at + 5);
  const day = twoDigits(at + 8);
  if (century > 99 || decade > 99 || month < 1 || month > 12 || day < 1) return -1;
  if (load<u8>(at, 4) !== 45 || load<u8>(at, 7) !== 45) return -1;
  const year = 100 * century + decade;
  if (year < 1970) return -1;
  const leap: u32 = u32(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
  const before = load<u16>(DAYS_BEFORE_MONTH + 2 * (month - 1));
  const length = load<u16>(DAYS_BEFORE_MONTH + 2 * month) - before + (month === 2 ? leap : 0);
  if (day > length) return -1;
  const past = year - 1;
  const leaps = past / 4 - past / 100 + past / 400 - 477;
  const days = 365 * (year - 1970) + leaps + before + (month > 2 ? leap : 0) + day - 1;
  return <i64>days * 86400;
}

/** Ticks of 10^-digits s of "YYYY-MM-DDTHH:MM:SS.fffZ" in exactly that form, else -1. */
function parse(at: usize, digits: usize): i64 {
  const hours = twoDigits(at + 11);
  const minutes = twoDigits(at + 14);
  const seconds = twoDigits(at + 17);
  if (hours > 23 || minutes > 59 || seconds > 59) return -1;
  if (load<u8>(at, 10) !== 0x54 || load<u8>(at, 13) !== 0x3a || load<u8>(at, 16) !== 0x3a) return -1;
  const start = midnightAt(at);
  if (start < 0) return -1;
  let ticks = start + hours * 3600 + minutes * 60 + seconds;
  let end = at + SECONDS_END;
  if (digits > 0) {
    if (load<u8>(end++) !== 0x2e) return -1;
    for (const last = end + digits; end < last; end++) {
      const digit = <u32>load<u8>(end) - 48;
      if (digit > 9) return -1;
      ticks = ticks * 10 + digit;
    }
  }
  return load<u8>(end) === 0x5a && ticks < MAX_TICKS ? ticks : -1;
}

/** Writes the number of fraction digits and delta-coded ticks; 0 when a value would not come back byte for byte. */
export function writeTimestamps(first: usize, count: u32, out: usize): usize {
  const length = load<usize>(first, 4) - load<usize>(first);
  if (length < SECONDS_END + 1 || length === SECONDS_END + 2) return 0;
  const digits: usize = length === SECONDS_END + 1 ? 0 : length - SECONDS_END - 2;
  if (digits > MAX_FRACTION_DIGITS) return 0;
  store<u8>(out++, digits);
  let previous: i64 = 0;
  for (const end = first + 8 * count; first < end; first += 8) {
    const start = load<usize>(first);
    const ticks = load<usize>(first, 4) - start === length ? parse(start, digits) : -1;
    if (ticks < 0) return 0;
    const delta = ticks - previous;
    previous = ticks;
    let rest = <u64>(delta < 0 ? -2 * delta - 1 : 2 * delta);
    while (rest > 127) {
      store<u8>(out++, <u8>rest | 128);
      rest >>= 7;
    }
    store<u8>(out++, <u8>rest);
  }
  return out;
}
