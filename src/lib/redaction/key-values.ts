import { meaningOf, NAME_PART, wordsOf } from './key-names.ts';
import type { KeyMeaning } from './key-names.ts';
import { isRandom } from './randomness.ts';
import { personal, secret } from './spans.ts';
import type { Detector, Span } from './spans.ts';

/** Of a name, to each side of the part that was found. */
const MAX_NAME_SIDE = 64;
/** Between a name and its value: `"name": `, `name => `, `name]=`. `::` is no such thing. */
const SEPARATOR =
  /["'`]?\]?[ \t]{0,8}(?::=|=>|->|==?|:(?!:|\/\/))[ \t]{0,8}(?:string\(\d{1,7}\) |Some\()?|["'][ ,]{1,2}["']?value["']?[ ]?[=:][ ]?/iy;
const FLAG_SEPARATOR = /[ \t]{1,8}(?=[^\s-])/y;
const XML_SEPARATOR = /[ \t]{0,4}>/y;
/** "the password is …", "using api key …": only what looks random counts there. */
const PROSE =
  /(?:[ \t]{1,4}(?:is|was|of|with|value|named|used|set to)|[ \t]{0,4}[("'`[]|:)?[ \t(["'`]{1,6}(?=([\w+/=.~!@#$%^&*-]{16,1024}))/y;
/** "the password is hunter2", "wrong password hunter2": letters and digits in one word. */
const PASSWORD_PROSE =
  /[ ](?:(?:is|was|to)[ ])?["'`]?(?=((?=[^\s\d]{0,64}\d)(?=[^\sA-Za-z]{0,64}[A-Za-z])[\w!@#$%^&*.-]{6,256}))/iy;
const NAMES_OF_METHODS = /^(?:sha-?\d+|md5|base64|utf-?8|argon2\w*|pbkdf2|v\d[\d.]*|\d+[a-z]+|[a-z]+-[a-z-]*\d?)[.,;]?$/i;
/** Words that say something about a secret instead of being one. */
const STATES =
  /^(?:null|none|nil|undefined|nan|true|false|yes|no|on|off|empty|missing|absent|invalid|incorrect|wrong|bad|mismatch|mismatched|expired|expiring|required|needed|denied|failed|failure|fail|ok|okay|success|succeeded|valid|changed|reset|set|unset|not|must|is|was|are|has|cannot|could|should|will|expected|unexpected|unknown|unauthorized|forbidden|rejected|revoked|refreshed|rotated|redacted|masked|hidden|removed|secret|filtered|string|str|text|number|integer|int|boolean|bool|object|bytes|array|buffer|any|error|for|from|the|a|an|in|at|by|to|and|or|x{3,}|\*+|\.{2,}|-+)$/i;
const SCHEMES = /^(?:bearer|basic|digest|negotiate)$/i;
/** Stands for a value that is elsewhere, or was taken out before. */
const STAND_IN =
  /^(?:\[secret:[a-z-]+\]|[<[{(](?:redacted|masked|hidden|filtered|removed|secret|[a-z_ -]*)[>\]})]|\$\{[^}]*\}|\$[A-Z_]\w*|\{\{[^}]*\}\}|%[sdv@]|\{\d*\}|[<[{(]{1,4})$/i;
const PAIR_NEXT = /[,;&][\s"'}\])]|[,;&]["']?[\w.-]{1,40}["']?[ ]?[=:]|[,;&]$/;
const PHONE = /["'`]?(\+?[\d(][\d ()./-]{4,22}\d)(?![\w])/y;

/** Values that may turn out to be none are looked at again for names: without a bound that would cost the length squared. */
const MAX_WEAK_VALUE = 64;
const MAX_CLOSERS = 32;

interface Value {
  start: number;
  end: number;
}

function isNameUnit(unit: number): boolean {
  return (
    (unit >= 0x30 && unit <= 0x39) ||
    (unit >= 0x41 && unit <= 0x5a) ||
    (unit >= 0x61 && unit <= 0x7a) ||
    unit === 0x5f ||
    unit === 0x2d ||
    unit === 0x2e
  );
}

interface Name {
  start: number;
  end: number;
  text: string;
}

/** The whole name around a part of it. */
function nameAround(text: string, from: number, to: number): Name {
  let start = from;
  let end = to;
  while (start > 0 && from - start < MAX_NAME_SIDE && isNameUnit(text.charCodeAt(start - 1))) start--;
  while (end < text.length && end - to < MAX_NAME_SIDE && isNameUnit(text.charCodeAt(end))) end++;
  while (end > to && /[.-]/.test(text[end - 1] as string)) end--;
  // "api key" and "access token" are two words.
  const words = /(?:api|access|secret|private|account|auth|signing|encryption|client|bearer|refresh)[ ]$/i.exec(
    text.slice(Math.max(0, start - 12), start),
  );
  if (words) start -= words[0].length;
  return { start, end, text: text.slice(start, end) };
}

/** Up to the quote that ends it, or the end of the line when it was cut short. */
function quotedValue(text: string, quote: number): Value {
  const mark = text[quote];
  let end = quote + 1;
  for (; end < text.length && text[end] !== mark && text[end] !== '\n'; end++) if (text[end] === '\\') end++;
  return { start: quote + 1, end: Math.min(end, text.length) };
}

/** 1: white space, `<` and `>` end a value; 2: a quote does unless it is inside of a word. */
const ENDS = Uint8Array.from({ length: 128 }, (_, unit) => {
  const letter = String.fromCharCode(unit);
  if (/["'`]/.test(letter)) return 2;
  return /[\s<>]/.test(letter) ? 1 : 0;
});

function endOfRun(text: string, from: number, limit: number): number {
  let end = from;
  for (; end < limit; end++) {
    const ends = ENDS[text.charCodeAt(end)] ?? 0;
    if (ends === 1 || (ends === 2 && !/[A-Za-z0-9]/.test(text[end + 1] ?? ''))) break;
  }
  return end;
}

/** What ends a sentence or closes a bracket that the value has not opened is none of it. */
function isCloser(run: string, at: number): boolean {
  const opener = { ')': '(', ']': '[', '}': '{' }[run[at] as string];
  return opener === undefined ? ',;.:!?|'.includes(run[at] as string) : !run.slice(0, at).includes(opener);
}

/** Up to white space, a quote that ends a text, or the next pair. */
function bareValue(text: string, from: number): Value {
  const run = text.slice(from, endOfRun(text, from, text.length));
  const pair = run.search(PAIR_NEXT);
  let length = pair > 0 ? pair : run.length;
  const shortest = Math.max(0, length - MAX_CLOSERS);
  while (length > shortest && isCloser(run, length - 1)) length--;
  return { start: from, end: from + length };
}

/** Credentials and cookies of a header are several words: up to the end of the line or of the text around it. */
function headerValue(text: string, from: number): Value {
  const end = /["'`\n\r}]|$/g;
  end.lastIndex = from;
  const line = text.slice(from, end.exec(text)?.index ?? text.length);
  return { start: from, end: from + line.trimEnd().length };
}

function authorizationValue(text: string, from: number): Value {
  const scheme = /(?:aws4-hmac-sha256|digest|oauth)[ \t]/iy;
  scheme.lastIndex = from;
  if (scheme.test(text)) return headerValue(text, from);
  const word = /[A-Za-z][\w-]{1,31}[ \t]{1,4}(?=\S)/y;
  word.lastIndex = from;
  if (!word.test(text)) return bareValue(text, from);
  const first = text.slice(from, word.lastIndex).trim();
  return STATES.test(first) ? { start: from, end: from } : bareValue(text, word.lastIndex);
}

/** Where the value of a name begins, or -1. */
function valueStart(text: string, name: Name): number {
  const before = text[name.start - 1] ?? '';
  const patterns = [before === '<' ? XML_SEPARATOR : SEPARATOR, ...(name.text.startsWith('--') ? [FLAG_SEPARATOR] : [])];
  for (const pattern of patterns) {
    pattern.lastIndex = name.end;
    if (pattern.test(text)) return pattern.lastIndex;
  }
  return -1;
}

function valueAt(text: string, at: number, { kind, strength }: KeyMeaning): Value {
  const first = text[at] ?? '';
  if (/["'`]/.test(first)) return quotedValue(text, at);
  if (kind === 'cookie') return headerValue(text, at);
  if (kind === 'authorization') return authorizationValue(text, at);
  if (first === '(' || /^\[\s?["']/.test(text.slice(at, at + 3))) {
    const close = text.indexOf(first === '(' ? ')' : ']', at);
    return { start: at + 1, end: close < 0 ? text.length : close };
  }
  if (strength === 'weak' && !isRandom(text.slice(at, endOfRun(text, at, Math.min(text.length, at + MAX_WEAK_VALUE)))))
    return { start: at, end: at };
  return bareValue(text, at);
}

function isSecretValue(value: string, { strength, numbers }: KeyMeaning): boolean {
  if (value === '' || STATES.test(value) || SCHEMES.test(value) || STAND_IN.test(value)) return false;
  if (strength === 'weak') return isRandom(value);
  return numbers || !/^\d{1,5}$/.test(value);
}

/** A host ("mail@example.pw"), a path ("/v1/token:refresh"), a parser ("unexpected token: }"), what stands for a secret that was removed. */
function isOtherThing(text: string, name: Name): boolean {
  const before = text.slice(Math.max(0, name.start - 16), name.start);
  if (before.endsWith('@')) return true;
  if (before.endsWith('/')) return text[name.end] === ':';
  if (before.endsWith('[') && /^secret:[a-z-]{1,32}\]/.test(text.slice(name.start, name.start + 48))) return true;
  return /(?:unexpected|unrecogni[sz]ed|illegal|invalid syntax|near)[ ]$/i.test(before) && /token/i.test(name.text);
}

/** A secret in a sentence about it. */
function proseSpan(text: string, name: Name, { kind, strength }: KeyMeaning): Span | undefined {
  if (strength !== 'strong' || name.text.length < 5) return undefined;
  PROSE.lastIndex = name.end;
  const random = PROSE.exec(text)?.[1];
  if (random !== undefined && isRandom(random)) return secret(PROSE.lastIndex, PROSE.lastIndex + random.length, kind);
  PASSWORD_PROSE.lastIndex = name.end;
  const word = kind === 'password' ? PASSWORD_PROSE.exec(text)?.[1] : undefined;
  if (word === undefined || NAMES_OF_METHODS.test(word)) return undefined;
  return secret(PASSWORD_PROSE.lastIndex, PASSWORD_PROSE.lastIndex + word.length, kind);
}

function spanOf(text: string, name: Name, meaning: KeyMeaning): Span | undefined {
  const at = valueStart(text, name);
  if (meaning.strength === 'phone') {
    PHONE.lastIndex = at;
    const number = at < 0 ? undefined : PHONE.exec(text)?.[1];
    return number === undefined ? undefined : personal(PHONE.lastIndex - number.length, PHONE.lastIndex, 'phone');
  }
  if (at >= 0) {
    const value = valueAt(text, at, meaning);
    if (value.end > value.start && isSecretValue(text.slice(value.start, value.end), meaning)) {
      return secret(value.start, value.end, meaning.kind);
    }
    return undefined;
  }
  return proseSpan(text, name, meaning);
}

/**
 * Finds values that stand beside a name that says what they are: `password=…`, `"token": "…"`, `<secret>…`, `--api-key …`.
 * `ownKeys` are more such names.
 */
export function createKeyValues(ownKeys: readonly string[]): Detector {
  const own = ownKeys.map((name) => ` ${wordsOf(name).join(' ')}`);
  const literal = ownKeys.map((name) => name.replaceAll('.', String.raw`\.`));
  const pattern = new RegExp([...literal, NAME_PART.source].join('|'), 'gi');
  const meaningOfName = (name: string): KeyMeaning | undefined => {
    const words = own.length > 0 ? ` ${wordsOf(name).join(' ')}` : '';
    return own.some((one) => words.endsWith(one)) ? { kind: 'secret', strength: 'strong', numbers: true } : meaningOf(name);
  };
  return function* keyValues(text) {
    const parts = new RegExp(pattern);
    for (let part = parts.exec(text); part !== null; part = parts.exec(text)) {
      const name = nameAround(text, part.index, parts.lastIndex);
      parts.lastIndex = Math.max(name.end, parts.lastIndex);
      const meaning = meaningOfName(name.text);
      if (meaning === undefined || isOtherThing(text, name)) continue;
      const span = spanOf(text, name, meaning);
      if (span === undefined) continue;
      yield span;
      parts.lastIndex = Math.max(parts.lastIndex, span.end);
    }
  };
}
