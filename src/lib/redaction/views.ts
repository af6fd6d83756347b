/** A text as a reader would decode it, and where each of its code units stands in the original. */
export interface View {
  text: string;
  /** Position in the original by position here, one more than there are code units; null: the same. */
  starts: Uint32Array | null;
}

/** Deeper than any log line is nested: each round takes one level of escaping away. */
const MAX_ROUNDS = 8;
const ENTITY = /&(quot|amp|lt|gt|apos|#\d{2,3}|#x[0-9a-f]{2,3});/iy;
const ANSI = new RegExp(String.raw`\u001b\[[0-9;?]{0,20}[A-Za-z]`, 'y');
const ENTITIES: Readonly<Record<string, number>> = { quot: 0x22, amp: 0x26, lt: 0x3c, gt: 0x3e, apos: 0x27 };
/** Of JSON, and of Markdown, which escapes any sign of ASCII. */
const SIGNS = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';
const ESCAPES = pairsOf(`${SIGNS}nrt`, `${SIGNS}\n\r\t`);

/** Code units of one text by those of the other at the same place. */
function pairsOf(from: string, to: string): Map<number, number> {
  return new Map(Array.from(from, (letter, i) => [letter.charCodeAt(0), to.charCodeAt(i)]));
}

/** Letters of other scripts that are drawn like Latin ones (Unicode Technical Standard 39), and marks drawn like ASCII. */
const LOOKALIKES = new Map(
  [
    ['\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0455\u0458\u0501\u043a\u043c\u0442\u0432\u043d', 'aeopcxyisjdkmtbh'],
    ['\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0405', 'ABEKMHOPCTXIS'],
    ['\u03bf\u03b1\u03c1\u03b9\u03ba\u03bd\u00a0\u3000\u2018\u2019\u201c\u201d', 'oapikv  \'\'""'],
  ].flatMap(([from = '', to = '']) => [...pairsOf(from, to)]),
);

/** Characters that are not drawn: zero-width, direction marks, variation selectors, controls. */
function isInvisible(unit: number): boolean {
  if (unit < 0x20) return unit !== 0x09 && unit !== 0x0a && unit !== 0x0d;
  if (unit < 0xad) return unit >= 0x7f && unit < 0xa0;
  return (
    unit === 0xad ||
    unit === 0x34f ||
    unit === 0x61c ||
    unit === 0x180e ||
    (unit >= 0x200b && unit <= 0x200f) ||
    (unit >= 0x202a && unit <= 0x202e) ||
    (unit >= 0x2060 && unit <= 0x206f) ||
    (unit >= 0xfe00 && unit <= 0xfe0f) ||
    unit === 0xfeff
  );
}

function visible(unit: number): number {
  if (unit < 0xa0) return unit;
  if (unit >= 0xff01 && unit <= 0xff5e) return unit - 0xfee0;
  return LOOKALIKES.get(unit) ?? unit;
}

function hexAt(text: string, at: number, length: number): number {
  let value = 0;
  for (let i = at; i < at + length; i++) {
    const digit = Number.parseInt(text[i] ?? '', 16);
    if (Number.isNaN(digit)) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The code unit that an escape at `at` stands for, -1 for none, -2 for nothing at all, and its length. */
function escapeAt(text: string, at: number): readonly [unit: number, length: number] {
  const unit = text.charCodeAt(at);
  if (unit === 0x5c) {
    const next = text.charCodeAt(at + 1);
    if (next === 0x75) return [hexAt(text, at + 2, 4), 6];
    if (next === 0x78) return [hexAt(text, at + 2, 2), 4];
    return [ESCAPES.get(next) ?? -1, 2];
  }
  if (unit === 0x25) {
    const byte = hexAt(text, at + 1, 2);
    return [byte < 0x80 ? byte : -1, 3];
  }
  if (unit === 0x1b) {
    ANSI.lastIndex = at;
    return ANSI.test(text) ? [-2, ANSI.lastIndex - at] : [-1, 1];
  }
  if (unit !== 0x26) return [-1, 1];
  ENTITY.lastIndex = at;
  const name = ENTITY.exec(text)?.[1]?.toLowerCase();
  if (name === undefined) return [-1, 1];
  const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  return [ENTITIES[name] ?? code, name.length + 2];
}

/** The view with one level of escapes taken away, or null when there is none. */
function decodeOnce({ text, starts }: View): View | null {
  const units = new Uint16Array(text.length);
  const positions = new Uint32Array(text.length + 1);
  let length = 0;
  let isSame = true;
  for (let i = 0; i < text.length;) {
    const [escaped, width] = escapeAt(text, i);
    const original = text.charCodeAt(i);
    const unit = escaped === -1 ? visible(original) : escaped;
    positions[length] = starts?.[i] ?? i;
    if (escaped === -1 ? !isInvisible(original) : escaped >= 0) units[length++] = unit;
    if (escaped !== -1 || unit !== original || isInvisible(original)) isSame = false;
    i += escaped === -1 ? 1 : width;
  }
  if (isSame) return null;
  positions[length] = starts?.[text.length] ?? text.length;
  const bytes = Buffer.from(units.buffer, 0, length * 2);
  return { text: bytes.toString('utf16le'), starts: positions.subarray(0, length + 1) };
}

/**
 * The text as it is, and with escapes of JSON, Markdown, URLs and HTML, colour codes and invisible characters taken away level by level, so
 * that what is split by them is seen whole. Linear in the length of the text.
 */
export function viewsOf(text: string): View[] {
  const views: View[] = [{ text, starts: null }];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = decodeOnce(views.at(-1) as View);
    if (next === null) break;
    views.push(next);
  }
  return views;
}
