import type { Cause } from '../../model/incident.ts';
import type { AnomalyFacts } from '../evidence-anomalies.ts';
import type { Fact } from '../evidence.ts';
import type { EvidenceList } from '../evidence.ts';
import type { Facts } from '../facts.ts';
import type { Judgement } from '../verdict.ts';
import { code, escapeText } from './markdown.ts';
import { clockTime, day } from './wording.ts';

/** What every section is written from; `evidence` numbers what they cite, in the order of the sections. */
export interface Writing {
  facts: Facts;
  judgement: Judgement;
  evidence: EvidenceList;
}

/** The time of day in UTC; the date as well when it is not the day of the onset. */
export function at({ facts }: Writing, when: number | string): string {
  const ms = typeof when === 'number' ? when : Date.parse(when);
  return clockTime(ms, day(facts.period.onsetMs));
}

/** The time that a fact's value is, as `at` writes it. */
export function timeOf(writing: Writing, fact: Fact): string {
  return at(writing, String(fact.value));
}

/** Names as code spans, the first `limit` of them. */
export function names(items: string[], limit = 5): string {
  const shown = items.slice(0, limit).map((item) => code(item));
  const rest = items.length - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

/** The anomaly or change that a cause names by id, as the fact to cite for it. */
export function factOfId({ facts }: Pick<Writing, 'facts'>, id: string): Fact | undefined {
  const anomalies: AnomalyFacts[] = facts.services.flatMap((service) => service.anomalies);
  return (
    anomalies.find(({ anomaly }) => anomaly.id === id)?.startedAt ?? facts.changes.find(({ change }) => change.id === id)?.at
  );
}

/** "GET /api/v1/…" as a code span that can be copied; queries are percent-encoded, so nothing in them ends the span. */
export function get(query: string): string {
  return code(`GET ${query}`, 2000);
}

/** A cause's reason as a clause without its full stop, the service's name as a code span. */
export function causeClause({ service, reason }: Cause): string {
  const clause = reason.trim().replace(/\.$/, '');
  if (clause.startsWith(service)) return `${code(service)} ${escapeText(clause.slice(service.length))}`;
  return `${code(service)}: ${escapeText(clause)}`;
}
