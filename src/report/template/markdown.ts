/**
 * Telemetry text is data: nothing in it may become a link, a heading, HTML, a mention or a table cell of the report.
 * CommonMark 0.31 and the GitHub extensions (autolinks, mentions, issue references, tables).
 */

// Zero-width and bidirectional marks, lone surrogates: nothing to a reader, and what hides a word from whoever looks for it.
const UNSEEN = /[\p{Cf}\p{Cs}]+/gu;
// C0 and C1 controls, line and paragraph separators.
const BREAKS = /[\p{Cc}\u2028\u2029]+/gu;
const BREAK = '\u200b';
/** Times the limit of a line: what is taken out of it is seldom more. */
const LOOKED_AT = 16;

/** What words end at. A slash ends one only in a path: secrets and addresses hold slashes too. */
const LAST_WORD = /[^\s"'`<>(){}[\]|,;&?=]*$/;
const DIGITS = /(?<!\w)[+(]?\d[\d\s().,-]*$/;

/** So much of the first `end` characters of a line as leaves nothing in half: half a secret or an address is one that nobody recognizes. */
function wholeWords(line: string, end: number): string {
  let cut = line.slice(0, end);
  if (/^[\s().,-]?\d/.test(line.slice(end))) cut = cut.replace(DIGITS, '');
  // Half a number would be another one.
  cut = cut.replace(/\d[\d.,]*$/, '');
  if (LAST_WORD.exec(line.slice(cut.length, cut.length + 1))?.[0] === '') return cut;
  const word = LAST_WORD.exec(cut)?.[0] ?? '';
  const before = cut.slice(0, cut.length - word.length);
  if (word.startsWith('/')) return before + word.slice(0, word.lastIndexOf('/') + 1);
  if (before.trim() !== '') return before;
  // One word is all there is: a long name.
  return before + (/^.*[-_.:/@]/.exec(word)?.[0] ?? word);
}

/** One line without invisible characters, at most `limit` UTF-16 units long, cut with "…" where a word ends. */
export function plainLine(text: string, limit = 200): string {
  // A line may be a megabyte long: only so much of it is looked at.
  const head = text.slice(0, LOOKED_AT * limit);
  const line = head.replaceAll(UNSEEN, '').replaceAll(BREAKS, ' ').replaceAll(/\s+/g, ' ').trim();
  if (line.length <= limit && head === text) return line;
  const cut = wholeWords(line, limit - 1);
  return `${cut.isWellFormed() ? cut : cut.slice(0, -1)}…`;
}

/** Text inside a sentence: shown as it is, with every character that Markdown would act on escaped. */
export function escapeText(text: string, limit = 500): string {
  const escaped = plainLine(text, limit)
    .replaceAll(/[\\`*[\]<>|~&]/g, '\\$&')
    // Between letters or digits an underscore is no emphasis (CommonMark 0.31, section 6.2), and names are full of them.
    .replaceAll(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    // Autolinks, mentions and issue references are found after escapes are resolved: only a break stops them.
    .replaceAll(/[@#]/g, `\\$&${BREAK}`)
    .replaceAll('://', `:${BREAK}//`)
    .replaceAll(/\bwww(?=\.)/gi, `$&${BREAK}`)
    .replaceAll(/\b(mailto|xmpp):/gi, `$&${BREAK}`);
  return escaped.replace(/^[-+=]/, '\\$&').replace(/^(\d+)([.)])/, '$1\\$2');
}

/** A name or message as a code span; backticks become apostrophes, as nothing can escape them in there. */
export function code(text: string, limit = 200): string {
  const line = plainLine(text, limit).replaceAll('`', "'");
  return line === '' ? '(empty)' : `\`${line}\``;
}

/** As `code`, for a table cell: a pipe would end it even inside a code span, and escaping differs between renderers. */
export function codeCell(text: string, limit = 500): string {
  return code(text.replaceAll('|', '¦'), limit);
}
