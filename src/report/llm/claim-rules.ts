import { isFeature } from '../../model/rollup.ts';
import type { PackItem } from '../pack-items.ts';
import type { CheckContext } from './check-context.ts';
import type { Claim } from './claim.ts';
import type { DropReason, Token } from './sentence.ts';
import { familiesOf, WORDS } from './vocabulary.ts';
import type { Family } from './vocabulary.ts';

/** A claim whose words and ids are known to be good. */
export interface Judged {
  claim: Claim;
  items: PackItem[];
  tokens: Token[];
  words: string[];
}

function has(words: readonly string[], list: ReadonlySet<string>): boolean {
  return words.some((word) => list.has(word));
}

/** Causes are said of the first-ranked service alone, on evidence of cause, and not more surely than the verdict is. */
export function checkCause({ pack, verdict }: CheckContext, { claim, items, words }: Judged): DropReason | undefined {
  if (verdict === 'INCONCLUSIVE' && has(words, WORDS.strongHedges)) return 'certainty';
  if (claim.kind !== 'cause') return undefined;
  const first = pack.causes.toSorted((a, b) => a.rank - b.rank)[0];
  if (!first || first.service !== claim.subject) return 'not_first_cause';
  const carries = ({ id, role, service }: PackItem): boolean =>
    first.reason.includes(id) || (service === first.service && (role === 'cause' || role === 'change' || role === 'version'));
  if (!items.some(carries)) return 'cause_evidence';
  return verdict !== 'CONFIRMED' && has(words, WORDS.certainCauses) && !has(words, WORDS.hedges) ? 'certainty' : undefined;
}

function familyOf({ feature, type, role }: PackItem): Family[] {
  if (type === 'template' || role === 'template') return ['errors'];
  if (type === 'endpoint') return ['errors', 'traffic'];
  switch (feature) {
    case 'error_rate':
      return ['errors'];
    case 'avg_latency':
    case 'p95_latency':
    case 'p99_latency':
    case 'latency_stddev':
      return ['latency'];
    case 'event_count':
    case 'event_velocity':
    case 'unique_endpoints':
      return ['traffic'];
    default:
      // Of a received metric series nothing is known but its name, and a moment is of whatever moved at it.
      return feature !== null && !isFeature(feature) ? [] : ['errors', 'latency', 'traffic'];
  }
}

/** Where it is said to have moved, and where the value lies from the one that was expected: both, when they differ. */
function directionsOf({ items }: CheckContext, { direction, value, pair, role }: PackItem): ('up' | 'down')[] {
  if (direction === undefined) return [];
  const expected = role === 'observed' && pair !== undefined ? items.get(pair)?.value : undefined;
  if (typeof value !== 'number' || typeof expected !== 'number') return [direction];
  return [direction, value > expected ? 'up' : 'down'];
}

/** The feature is measured by the cited evidence, it moved as the claim says, and the words say no other thing and no other way. */
export function checkDirection(context: CheckContext, { claim, items, words }: Judged): DropReason | undefined {
  const own = items.filter(
    (item) => item.service === claim.subject && (claim.feature === null || item.feature === claim.feature),
  );
  if (claim.feature !== null && own.every(({ feature }) => feature === null)) return 'feature';
  const isAction = claim.kind === 'action';
  const families = new Set(items.flatMap(familyOf));
  if (!isAction && words.some((word) => familiesOf(word).length > 0 && !familiesOf(word).some((family) => families.has(family))))
    return 'feature';
  const moves = words.filter((word) => !(isAction && WORDS.orderedMoves.has(word)));
  const [up, down] = [has(moves, WORDS.up), has(moves, WORDS.down)];
  if ((up || down) && claim.direction === null) return 'direction';
  if (claim.direction === null) return undefined;
  const seen = new Set(own.flatMap((item) => directionsOf(context, item)));
  const agrees = seen.size === 1 && seen.has(claim.direction);
  return !agrees || (claim.direction === 'up' ? down : up) ? 'direction' : undefined;
}

/** Denials cannot be checked, and whether the incident goes on is known. What a person is asked to do may speak of the future. */
export function checkStatus({ pack }: CheckContext, { claim, words }: Judged): DropReason | undefined {
  const moves = has(words, WORDS.up) || has(words, WORDS.down);
  if (has(words, WORDS.negations) && (claim.kind !== 'action' || moves)) return 'negation';
  if (claim.kind === 'action') return undefined;
  const isOver = pack.incident.status === 'resolved';
  return has(words, isOver ? WORDS.ongoing : WORDS.over) ? 'status' : undefined;
}

const LINKING = new Set([
  'is',
  'was',
  'are',
  'were',
  'be',
  'been',
  'being',
  'would',
  'as',
  'had',
  'has',
  'the',
  'a',
  'an',
  'of',
  'around',
  'about',
]);

/** The nearest word in a direction that says something; undefined when a slot or the end comes first. */
function neighbour(tokens: Token[], from: number, step: 1 | -1): string | undefined {
  for (let i = from + step; i >= 0 && i < tokens.length; i += step) {
    const token = tokens[i] as Token;
    if ('slot' in token) return undefined;
    if (!LINKING.has(token.word)) return token.word;
  }
  return undefined;
}

const COMPARED = new Set(['instead', 'against', 'than', 'compared', 'with', 'above', 'below', 'exceeded', 'exceeds']);
const ARRIVED = new Set(['to', 'reached', 'reaches', 'at', 'measured', 'observed']);

/** What was expected is not called observed, nor the other way round. */
export function checkValueRoles({ items }: CheckContext, { claim, tokens }: Judged): DropReason | undefined {
  if (claim.kind === 'action') return undefined;
  for (const [i, token] of tokens.entries()) {
    if (!('slot' in token) || token.slot.id === null) continue;
    const { field, id } = token.slot;
    const role = field === 'expected' || field === 'observed' ? field : field === 'value' ? items.get(id)?.role : undefined;
    const [before, after] = [neighbour(tokens, i, -1), neighbour(tokens, i, 1)];
    if (role === 'observed' && (isIn(before, WORDS.expectation) || isIn(after, WORDS.expectation) || isIn(before, COMPARED)))
      return 'value_role';
    if (role === 'expected' && isIn(before, ARRIVED)) return 'value_role';
  }
  return undefined;
}

function isIn(word: string | undefined, list: ReadonlySet<string>): boolean {
  return word !== undefined && list.has(word);
}
