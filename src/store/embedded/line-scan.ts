import { LEVEL_DEBUG, LEVEL_INFO, LEVELS, levelCode } from '../../model/event.ts';
import type { EventQuery } from '../store.ts';

const NEWLINE = 10;
/** Characters that JSON may spell with an escape shorter than \u; a needle with one of them cannot be sought in bytes. */
const ESCAPABLE = /["\\/\b\f\n\r\t]/;
const ASCII = /^[\x20-\x7e]+$/;
const LEVEL_SPELLINGS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'WARNING', 'ERR', 'ERROR', 'FATAL', 'CRITICAL'];

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

function isSearchable(needle: string): boolean {
  return ASCII.test(needle) && !ESCAPABLE.test(needle);
}

/** A level as it may stand in the line: any spelling of the wanted ones, or any number. */
function levelPattern(levels: readonly number[]): string {
  const names = LEVEL_SPELLINGS.filter((name) => levels.includes(levelCode(name)));
  return String.raw`"level"\s*:\s*(?:\d|"(?:${names.join('|')}|\d\d?)")`;
}

/** What a line must hold to match, as a pattern over its bytes read as Latin-1; null when that cannot be told from bytes. */
function requiredPattern(query: EventQuery): { source: string; flags: string } | null {
  if (query.text !== undefined && query.text !== '' && isSearchable(query.text))
    return { source: literal(query.text), flags: 'gi' };
  const isRare = query.levels.length > 0 && !query.levels.includes(LEVEL_DEBUG) && !query.levels.includes(LEVEL_INFO);
  if (isRare && query.levels.every((level) => LEVELS[level])) return { source: levelPattern(query.levels), flags: 'gi' };
  const needle = [query.endpoint, query.service?.split('/').at(-1)].find((name) => name !== undefined && isSearchable(name));
  return needle === undefined ? null : { source: literal(needle), flags: 'g' };
}

/**
 * Candidate lines of an NDJSON block for a query, found over bytes before anything is parsed. It may pass lines that do
 * not match, never the reverse: a line with a \u escape, which may spell anything, is always a candidate.
 */
export class LineScan {
  readonly #pattern: RegExp | null;

  constructor(query: EventQuery) {
    const required = requiredPattern(query);
    // No ignore-case for the escape: "\U" is not JSON, and the extra candidates do no harm.
    this.#pattern = required && new RegExp(String.raw`${required.source}|\\u`, required.flags);
  }

  /** Calls `visit` with each candidate line, first to last, and a way to learn its index among all lines. */
  forEach(block: Uint8Array, visit: (line: string, index: () => number) => void): void {
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
    const lines = new LineCount(bytes);
    if (!this.#pattern) {
      for (let start = 0; start < bytes.length;) {
        const end = endOfLine(bytes, start);
        visit(bytes.toString('utf8', start, end), () => lines.before(start));
        start = end + 1;
      }
      return;
    }
    const text = bytes.toString('latin1');
    this.#pattern.lastIndex = 0;
    for (let match = this.#pattern.exec(text); match; match = this.#pattern.exec(text)) {
      const start = text.lastIndexOf('\n', match.index) + 1;
      const end = endOfLine(bytes, match.index);
      visit(bytes.toString('utf8', start, end), () => lines.before(start));
      this.#pattern.lastIndex = end;
    }
  }
}

function endOfLine(bytes: Buffer, from: number): number {
  const newline = bytes.indexOf(NEWLINE, from);
  return newline < 0 ? bytes.length : newline;
}

/** Counts lines as far as asked; positions must ascend. */
class LineCount {
  readonly #bytes: Buffer;
  #count = 0;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Number of lines that end before `position`, which starts a line. */
  before(position: number): number {
    for (; this.#position < position; this.#count++) this.#position = endOfLine(this.#bytes, this.#position) + 1;
    return this.#count;
  }
}
