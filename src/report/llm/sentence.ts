import { partsOf, slotOf } from './slots.ts';
import type { Slot } from './slots.ts';
import { GRAMMAR, NUMBER_WORDS, SERVICE_WORDS, WORDS } from './vocabulary.ts';
import type { Claim } from './claim.ts';

/** Why a claim was dropped; a label of a metric, and so a closed list. */
export const DROP_REASONS = [
  'malformed',
  'length',
  'invisible',
  'digit',
  'number_word',
  'link',
  'mention',
  'markup',
  'language',
  'name',
  'vocabulary',
  'slot',
  'unknown_subject',
  'unknown_evidence',
  'foreign_evidence',
  'feature',
  'direction',
  'value_role',
  'cause_evidence',
  'cause_words',
  'not_first_cause',
  'certainty',
  'negation',
  'status',
  'repeated',
  'surplus',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

export type Token = { word: string } | { slot: Slot };

const MAX_LENGTH = 320;
const MAX_SLOTS = 8;
const WORD = /^[A-Za-z]?[a-z]*$/;

/** By character, the most telling reason first. */
const FORBIDDEN: readonly (readonly [DropReason, RegExp])[] = [
  ['invisible', /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/u],
  ['mention', /[@#]/],
  ['link', /:\/\/|\bwww\.|\b(?:mailto|javascript|xmpp):|[\p{L}\p{N}-]\.[\p{L}]{2}/iu],
  ['digit', /\p{N}/u],
  ['language', /[^\p{ASCII}]/u],
  ['markup', /[^A-Za-z ,;:'.-]|--|^\s*[-.,;:']|\.(?!\s*$)/],
];

/** Typographic signs that stand for plain ones. */
function plainSigns(text: string): string {
  return text.replaceAll(/[\u2018\u2019]/g, "'").replaceAll(/\s*[\u2013\u2014]\s*/g, ', ');
}

function withoutPossessive(word: string): string {
  return word.replace(/'s$|'$/, '');
}

/** Names that telemetry gave: as lower-case text. A word of grammar is none, whatever a service is called. */
export function namesFrom(values: readonly string[]): ReadonlySet<string> {
  const names = values.flatMap((value) => [value, value.split('/').at(-1) ?? '']).map((name) => name.trim().toLowerCase());
  return new Set(names.filter((name) => name !== '' && !GRAMMAR.includes(name)));
}

function hasName(text: string, names: ReadonlySet<string>): boolean {
  const padded = ` ${text.toLowerCase().replaceAll(/[,;:.]/g, ' ')} `;
  for (const name of names) if (padded.includes(` ${name} `) || padded.includes(` ${name}'s `)) return true;
  return false;
}

/** "the order service": what stands before the word is its name, unless it is known to be none. */
function isNamedService(before: Token | undefined, token: Token): boolean {
  if (before === undefined || !('word' in token) || !('word' in before)) return false;
  return /^services?$/.test(token.word) && !SERVICE_WORDS.has(before.word);
}

/** The sentence in words and slots, or why it has something that is neither. */
export function tokensOf(sentence: string, names: ReadonlySet<string>): Token[] | DropReason {
  if (sentence.trim() === '' || sentence.length > MAX_LENGTH) return 'length';
  const tokens: Token[] = [];
  const parts = partsOf(sentence);
  for (const [index, part] of parts.entries()) {
    if ('slot' in part) {
      const slot = slotOf(part.slot);
      if (!slot) return 'slot';
      tokens.push({ slot });
      continue;
    }
    const plain = plainSigns(part.text);
    // A full stop ends the sentence, and so the last part.
    const text = index === parts.length - 1 ? plain.replace(/\.\s*$/, '') : plain;
    const inner = index === 0 ? text : `a${text}`;
    const forbidden = FORBIDDEN.find(([, pattern]) => pattern.test(inner));
    if (forbidden) return forbidden[0];
    if (text.includes('.')) return 'markup';
    if (hasName(text, names)) return 'name';
    for (const raw of text.split(/[ ,;:-]+/)) {
      if (raw === '' || raw === "'s" || raw === "'") continue;
      const word = withoutPossessive(raw);
      const isFirst = tokens.length === 0;
      if (!WORD.test(word) || (!isFirst && /^[A-Z]/.test(word))) return word.includes("'") ? 'vocabulary' : 'name';
      if (NUMBER_WORDS.has(word.toLowerCase())) return 'number_word';
      tokens.push({ word: word.toLowerCase() });
    }
  }
  if (tokens.some((token, i) => isNamedService(tokens[i - 1], token))) return 'name';
  return tokens.filter((token) => 'slot' in token).length > MAX_SLOTS ? 'length' : tokens;
}

/** Whether the word may be said in a claim of this kind; `cited` is what the cited messages say, in lower case. */
export function wordReason(word: string, kind: Claim['kind'], cited: string): DropReason | undefined {
  if (WORDS.grammar.has(word) || WORDS.plain.has(word)) return undefined;
  if (kind === 'action' && (WORDS.orders.has(word) || WORDS.technical.has(word))) return undefined;
  if (WORDS.causal.has(word)) return kind === 'cause' ? undefined : 'cause_words';
  // The messages may have another form of it: exhausted, exhaustion.
  if (WORDS.technical.has(word) && new RegExp(`\\b${word.slice(0, Math.max(5, word.length - 3))}`).test(cited)) return undefined;
  return 'vocabulary';
}
