import { personal } from './spans.ts';
import type { Detector } from './spans.ts';

/** Up to four words, those after the first with a capital; every repetition is bounded. */
const NAME = String.raw`\p{L}[\p{L}\p{M}'\u2019.-]{0,40}(?: \p{Lu}[\p{L}\p{M}'\u2019.-]{0,40}){0,3}`;

function literally(text: string): string {
  return Array.from(text)
    .map((letter) => {
      const small = letter.toLowerCase();
      const capital = letter.toUpperCase();
      if (small !== capital && Array.from(small + capital).length === 2) return `[${small}${capital}]`;
      return letter.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
    })
    .join('');
}

/** Finds names by patterns of the configuration: a name itself, or a text with `*` where one stands. Cases are alike. */
export function createNames(patterns: readonly string[]): Detector {
  const expressions = patterns.map((pattern) => {
    const [before = '', after] = pattern.split('*');
    if (after === undefined) return new RegExp(String.raw`(?<![\p{L}\p{N}])${literally(before)}(?![\p{L}\p{N}])`, 'gu');
    const lookahead = after === '' ? '' : `(?=${literally(after)})`;
    return new RegExp(`(?<=${before === '' ? String.raw`(?<![\p{L}\p{N}])` : literally(before)})${NAME}${lookahead}`, 'gu');
  });
  return function* names(text) {
    for (const expression of expressions) {
      for (const match of text.matchAll(expression)) yield personal(match.index, match.index + match[0].length, 'name');
    }
  };
}
