const MIN_LENGTH = 16;
/** Of neighbouring characters, at least this share change between digits, small and capital letters; words and dates change less. */
const MIN_CHANGES = 0.2;
const MIN_ENTROPY_BITS = 3;
/** Longer ones are judged by their beginning. */
const MAX_LENGTH = 64;

/** Hexadecimal keys may change as seldom as they like. */
const HEXADECIMAL = /^(?=(?:[a-f]*\d){4})(?=(?:\d*[a-f]){4})[0-9a-f]{20,}$/i;

function classOf(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return 1;
  if (unit >= 0x61 && unit <= 0x7a) return 2;
  return unit >= 0x41 && unit <= 0x5a ? 3 : 0;
}

/** Keys made up for tests change less, and still have no break: sixteen and more digits, small and capital letters in one. */
const ONE_PIECE = /(?=[A-Za-z0-9]{16})(?=[A-Z0-9]{0,32}[a-z])(?=[a-z0-9]{0,32}[A-Z])(?:[A-Za-z]{0,24}\d){3}/;

/** Whether a text looks drawn at random, as keys are: long, of many different characters, digits and letters mixed. */
export function isRandom(text: string, minLength = MIN_LENGTH): boolean {
  if (text.length < minLength) return false;
  const counts = new Map<number, number>();
  const length = Math.min(text.length, MAX_LENGTH);
  let changes = 0;
  let previous = 0;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    const kind = classOf(unit);
    if (kind !== 0 && previous !== 0 && kind !== previous) changes++;
    previous = kind === 0 ? previous : kind;
    counts.set(unit, (counts.get(unit) ?? 0) + 1);
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / length) * Math.log2(count / length);
  if (bits < MIN_ENTROPY_BITS) return false;
  const beginning = text.slice(0, MAX_LENGTH);
  return changes / (length - 1) >= MIN_CHANGES || ONE_PIECE.test(beginning) || HEXADECIMAL.test(beginning);
}
