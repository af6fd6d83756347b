import type { VerdictReason } from '../verdict.ts';
import { leadWords } from './changes.ts';
import { code } from './markdown.ts';
import { duration } from './wording.ts';
import type { Writing } from './writing.ts';

function reasonWords({ code: kind, ms = 0 }: VerdictReason, lead: string): string {
  const name = code(lead);
  switch (kind) {
    case 'change_before':
      return `${name} changed ${leadWords(ms)}`;
    case 'recovered_after_rollback':
      return `it recovered ${duration(ms)} after a rollback of ${name}`;
    case 'first_to_deviate':
      return `${name} deviated ${duration(ms)} before any other service`;
    case 'new_template':
      return `${name} logs an error message that is new or much more frequent`;
    case 'warming_up':
      return `the baseline of ${name} is still being learned`;
    case 'no_cause':
      return 'no service stands out as the origin';
    default:
      return 'no change, error message or order of events points at a cause';
  }
}

/** "LIKELY: `cart` changed 3 min before the onset (E4); …", with the first `limit` reasons. */
export function verdictLine({ judgement, facts, evidence }: Writing, limit = Infinity): string {
  const reasons = judgement.reasons.slice(0, limit);
  const said = reasons.map((reason) => `${reasonWords(reason, facts.lead)}${evidence.ref(...reason.facts)}`);
  return `${judgement.verdict}: ${said.join('; ')}.`;
}

/** What the verdict means, said once. */
export const VERDICT_MEANING: Record<Writing['judgement']['verdict'], string> = {
  CONFIRMED: 'place, time and size agree. That is strong coincidence, not proof.',
  LIKELY: 'something points there. Check it before you act on it.',
  INCONCLUSIVE: 'the data does not tell causes apart. Treat the ranking as a reading order.',
};
