import { SUB_WINDOW_MS } from '../../model/rollup.ts';
import type { ChangeFacts } from '../evidence-changes.ts';
import { code, escapeText } from './markdown.ts';
import { duration } from './wording.ts';
import { timeOf } from './writing.ts';
import type { Writing } from './writing.ts';

export const TYPE_WORDS: Record<ChangeFacts['change']['type'], string> = {
  deployment: 'deployment',
  rollback: 'rollback',
  configuration: 'configuration change',
  infrastructure: 'infrastructure change',
  other: 'change',
};

/** "deployment of `cart` v2 (was v1)"; names and versions as code spans. */
export function changeName({ change }: Pick<ChangeFacts, 'change'>): string {
  const { type, service, version, previousVersion } = change;
  const to = version === null ? '' : ` ${type === 'rollback' ? 'to ' : ''}${code(version, 60)}`;
  const from = previousVersion === null ? '' : ` (was ${code(previousVersion, 60)})`;
  return `${TYPE_WORDS[type]} of ${code(service)}${to}${from}`;
}

/** "3 min before the onset"; the onset is known to the sub-window, so one inside it is neither before nor after. */
export function changeLead({ leadMs }: ChangeFacts): string {
  return leadWords(leadMs);
}

export function leadWords(leadMs: number): string {
  if (leadMs <= 0 && leadMs > -SUB_WINDOW_MS) return `in the same ${duration(SUB_WINDOW_MS)} as the onset`;
  return `${duration(leadMs)} ${leadMs > 0 ? 'before' : 'after'} the onset`;
}

/** One line of a list of changes, with its evidence. */
export function changeLine(writing: Writing, facts: ChangeFacts): string {
  const { description } = facts.change;
  const said = description === '' ? '' : `: ${escapeText(description, 160)}`;
  const refs = writing.evidence.ref(facts.at, facts.version, facts.description);
  return `${timeOf(writing, facts.at)} ${changeName(facts)}, ${changeLead(facts)}${said}${refs}`;
}
