import { parseEntityId } from '../../model/entity.ts';
import { LEVEL_DEBUG, LEVEL_INFO, levelCode } from '../../model/event.ts';
import type { EventQuery } from '../store.ts';

const NEWLINE = 10;
/** Printable ASCII but quote and backslash: spelled as it is in JSON, or with a \u escape, or a slash with a backslash. */
const SEARCHABLE = /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/;
const LEVEL_SPELLINGS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'WARNING', 'ERR', 'ERROR', 'FATAL', 'CRITICAL'];

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('/', String.raw`\\?\/`);
}

function isSearchable(needle: string | undefined): needle is string {
  return needle !== undefined && SEARCHABLE.test(needle);
}

/** A level as it may stand in the line: any spelling of the wanted ones, or any number. */
function levelPattern(levels: readonly number[]): string {
  const names = LEVEL_SPELLINGS.filter((name) => levels.includes(levelCode(name)));
  return String.raw`"level"\s*:\s*(?:\d|"(?:${names.join('|')}|\d\d?)")`;
}

/** What a line must hold to match, as a pattern over its bytes read as Latin-1; null when that cannot be told from bytes. */
function requiredPattern({ text, levels, endpoint, service }: EventQuery): { source: string; flags: string } | null {
  if (isSearchable(text)) return { source: literal(text), flags: 'gi' };
  const byLevel = levels.length > 0 ? { source: levelPattern(levels), flags: 'gi' } : null;
  if (byLevel && !levels.includes(LEVEL_DEBUG) && !levels.includes(LEVEL_INFO)) return byLevel;
  if (isSearchable(endpoint)) return { source: literal(endpoint), flags: 'g' };
  const name = service === undefined ? undefined : parseEntityId(service).service;
  return isSearchable(name) ? { source: literal(name), flags: 'g' } : byLevel;
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
