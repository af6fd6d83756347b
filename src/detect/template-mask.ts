/**
 * Turns a message into its template: what varies from one occurrence to the next becomes a placeholder, `<*>` for numbers
 * and ids, and `<ip>`, `<email>`, `<time>`, `<duration>`. Goes word by word; a word without a digit, @, ? or :: is kept,
 * which is most of them. Linear in the length of the text.
 */
export function maskMessage(text: string): string {
  let out = '';
  let wordStart = 0;
  let varies = false;
  let previous = 0;
  for (let i = 0; i <= text.length; i++) {
    const unit = i < text.length ? text.charCodeAt(i) : SPACE;
    if (unit > 127 || SEPARATES[unit] === 0) {
      if (unit <= 127 && (VARIES[unit] === 1 || (unit === COLON && previous === COLON))) varies = true;
      previous = unit;
      continue;
    }
    previous = unit;
    const word = text.slice(wordStart, i);
    const masked = varies ? maskWord(word, MAX_NESTING) : word;
    out = (masked.startsWith('<') ? dropMerged(out, masked) : out) + masked;
    if (i < text.length) out += text[i];
    wordStart = i + 1;
    varies = false;
  }
  return out;
}

/** `out` without what `next` stands for too: a date before its time of day, thousands and list items before a comma. */
function dropMerged(out: string, next: string): string {
  if (next.startsWith('<time>') && out.endsWith('<time> ')) return out.slice(0, -'<time> '.length);
  return next.startsWith('<*>') && out.endsWith('<*>,') ? out.slice(0, -'<*>,'.length) : out;
}

const SPACE = 0x20;
const COLON = 0x3a;
/** `a=b:c` is looked into this deep; without a bound a hostile word would cost its length squared. */
const MAX_NESTING = 3;
const SEPARATES = Uint8Array.from({ length: 128 }, (_, code) =>
  code <= SPACE || /["'`()[\]{}<>,;|]/.test(letter(code)) ? 1 : 0,
);
const VARIES = Uint8Array.from({ length: 128 }, (_, code) => (/[0-9@?]/.test(letter(code)) ? 1 : 0));

function letter(code: number): string {
  return String.fromCharCode(code);
}

const UNIT = '(?:ns|us|\u00b5s|\u03bcs|ms|msecs?|millis|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)';
const DATE = '(?:\\d{4}[-/]\\d\\d[-/]\\d\\d|\\d\\d/(?:\\d\\d|[A-Z][a-z]{2})/\\d{4})';
const TIME_OF_DAY = '\\d\\d?:\\d\\d(?::\\d\\d(?:[.,]\\d+)?)?(?:Z|[+-]\\d\\d:?\\d\\d)?';
const IPV4_TEXT = '(?:\\d{1,3}\\.){3}\\d{1,3}';

/** What a whole word may be, first match wins; what follows an address stays as a number. */
const WHOLE: readonly { pattern: RegExp; placeholder: string }[] = [
  { pattern: new RegExp(`^${IPV4_TEXT}$`), placeholder: '<ip>' },
  { pattern: new RegExp(`^${IPV4_TEXT}:\\d+$`), placeholder: '<ip>:<*>' },
  { pattern: new RegExp(`^${IPV4_TEXT}/\\d{1,2}$`), placeholder: '<ip>/<*>' },
  { pattern: /^[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?$/, placeholder: '<*>' },
  { pattern: /^[+-]?\d+(?:[.,]\d+)*%$/, placeholder: '<*>%' },
  // Before durations: a hexadecimal id may end in the letter of days.
  { pattern: /^(?=.*\d)[0-9a-fA-F]{8,}$/, placeholder: '<*>' },
  { pattern: new RegExp(`^[+-]?(?:\\d+(?:\\.\\d+)?${UNIT})+$`), placeholder: '<duration>' },
  { pattern: new RegExp(`^(?:${DATE}(?:[T_:]${TIME_OF_DAY})?|${TIME_OF_DAY})$`), placeholder: '<time>' },
  { pattern: /^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/, placeholder: '<*>' },
  { pattern: /^0[xX][0-9a-fA-F]+$/, placeholder: '<*>' },
  { pattern: /^\d+(?:\.\d+)?(?:[kKMGTP]i?)?[bB]$/, placeholder: '<*>' },
  { pattern: /^[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}$/, placeholder: '<*>' },
  { pattern: /^[^@/:]+@[^@/:]+\.[A-Za-z]{2,}$/, placeholder: '<email>' },
];
const IPV6 = new RegExp(`^[0-9a-fA-F:]{2,39}(?::${IPV4_TEXT})?(?:%\\w+)?$`);
const TRAILS = '.:!?';
const KEY_AND_VALUE = /^([A-Za-z_][\w.-]*)([:=])(?=.)/;

function maskWord(word: string, nesting: number): string {
  const scheme = word.indexOf('://');
  if (scheme > 0) return word.slice(0, scheme + 3) + maskUrl(word.slice(scheme + 3));
  const query = word.indexOf('?');
  if (query >= 0 && word.indexOf('=', query) > 0) return maskPath(word);
  let end = word.length;
  while (end > 0 && TRAILS.includes(word[end - 1] as string)) end--;
  const core = word.slice(0, end);
  const tail = word.slice(end);
  for (const { pattern, placeholder } of WHOLE) if (pattern.test(core)) return placeholder + tail;
  // Compressed or all eight groups; else it is a list of numbers.
  if (IPV6.test(core) && (core.includes('::') || core.split(':').length === 8)) return `<ip>${tail}`;
  const pair = nesting > 0 ? KEY_AND_VALUE.exec(core) : null;
  if (!pair) return maskParts(core) + tail;
  return maskParts(pair[1] as string) + (pair[2] as string) + maskWord(core.slice(pair[0].length), nesting - 1) + tail;
}

/** `rest` follows "scheme://". Credentials, port, ids in the path and every value of the query vary. */
function maskUrl(rest: string): string {
  const pathStart = rest.search(/[/?#]/);
  const authority = pathStart < 0 ? rest : rest.slice(0, pathStart);
  const at = authority.lastIndexOf('@');
  const host = maskWord(authority.slice(at + 1), 1);
  return (at < 0 ? '' : '<*>@') + host + (pathStart < 0 ? '' : maskPath(rest.slice(pathStart)));
}

function maskPath(path: string): string {
  const query = path.indexOf('?');
  if (query < 0) return maskParts(path);
  const parameters = path.slice(query + 1).split('&');
  const masked = parameters.map((parameter) => {
    const equals = parameter.indexOf('=');
    return equals < 0 ? maskParts(parameter) : `${maskParts(parameter.slice(0, equals))}=<*>`;
  });
  return `${maskParts(path.slice(0, query))}?${masked.join('&')}`;
}

const UUID_INSIDE = /(?<![0-9a-fA-F])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])/g;
const PART = /[0-9A-Za-z\u0080-\uffff]+/g;
/** The random suffix of a Kubernetes pod has no vowels, and may have no digit either. */
const POD_SUFFIX = /(<\*>-)[bcdfghjklmnpqrstvwxz2456789]{5}$/;

/** Masks the runs of letters and digits that look like ids, and keeps what joins them. */
function maskParts(word: string): string {
  return word.replace(UUID_INSIDE, '0').replace(PART, maskPart).replace(POD_SUFFIX, '$1<*>');
}

const DIGIT = /\d/;
const API_VERSION = /^[vV]\d{1,2}$/;
const HEX_ID = /^[0-9a-fA-F]{6,}$/;
const NUMBERED_NAME = /^([^\d]+)\d+$/;
const DURATION_PART = new RegExp(`^\\d+${UNIT}$`);

function maskPart(part: string): string {
  if (!DIGIT.test(part) || API_VERSION.test(part)) return part;
  if (HEX_ID.test(part)) return '<*>';
  if (DURATION_PART.test(part)) return '<duration>';
  const name = NUMBERED_NAME.exec(part)?.[1];
  return name === undefined ? '<*>' : `${name}<*>`;
}
