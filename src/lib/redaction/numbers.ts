import { personal } from './spans.ts';
import type { Span } from './spans.ts';

/** +49 30 1234567, +1 (555) 123-4567, +15551234567 (ITU-T E.164). */
const INTERNATIONAL = /(?<![\w.+])\+[1-9]\d{0,14}(?:[ .\-/()]{1,3}\d{1,12}){0,6}(?!\w)/g;
/** (555) 123-4567, 555-123-4567. */
const NATIONAL = /(?<![\w.+-])(?:\([2-9]\d{2}\) ?|[2-9]\d{2}-)\d{3}-\d{4}(?![\w-])/g;

/** Telephone numbers that are written as such; digits alone are ids and counts far more often. */
export function* phones(text: string): Iterable<Span> {
  for (const { 0: found, index } of text.matchAll(INTERNATIONAL)) {
    const digits = found.replaceAll(/\D/g, '').length;
    const isWritten = /[ ().\-/]/.test(found.slice(1));
    if (digits > 15 || digits < (isWritten ? 9 : 10)) continue;
    yield personal(index, index + found.length, 'phone');
  }
  for (const { 0: found, index } of text.matchAll(NATIONAL)) yield personal(index, index + found.length, 'phone');
}

const DIGIT_GROUPS = /(?<![\w.+-])\d+(?:[ -]\d+)*(?![\w-]|\.\d)/g;
/** Lengths of the groups that numbers of cards are written in. */
const GROUPINGS = [
  [4, 4, 4, 4],
  [4, 4, 4, 4, 3],
  [4, 6, 5],
  [4, 6, 4],
];
/** First digits and lengths of the networks that issue cards. */
const NETWORKS =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6(?:011|5\d\d|4[4-9]\d)\d{12}|35\d{14}|62\d{14,17})$/;
const ID_BEFORE = /(?:trace|span|request|req|correlation|parent)[_.-]?(?:span[_.-]?)?id["']?[ ]?[=:][ ]?["']?$/i;

/** The check digit of ISO/IEC 7812-1, annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 0x30;
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

function isCard(digits: string): boolean {
  return NETWORKS.test(digits) && passesLuhn(digits);
}

/** How many of the groups from `first` on are the number of a card. */
function groupsOfCard(groups: readonly string[], first: number): number {
  const lone = groups[first] as string;
  if (lone.length >= 13 && lone.length <= 19 && isCard(lone)) return 1;
  for (const lengths of GROUPINGS) {
    const fits = lengths.every((length, i) => groups[first + i]?.length === length);
    if (fits && isCard(groups.slice(first, first + lengths.length).join(''))) return lengths.length;
  }
  return 0;
}

/** Numbers of payment cards, in one or in groups. */
export function* cards(text: string): Iterable<Span> {
  for (const { 0: found, index } of text.matchAll(DIGIT_GROUPS)) {
    if (found.length < 13 || ID_BEFORE.test(text.slice(Math.max(0, index - 24), index))) continue;
    const groups = found.split(/[ -]/);
    let start = index;
    for (let i = 0; i < groups.length;) {
      const count = groupsOfCard(groups, i);
      const length = groups.slice(i, i + Math.max(1, count)).join(' ').length;
      if (count > 0) yield personal(start, start + length, 'card');
      start += length + 1;
      i += Math.max(1, count);
    }
  }
}
