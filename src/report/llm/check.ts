import type { NarrativeClaim, Report } from '../../model/report.ts';
import type { PackItem } from '../pack-items.ts';
import type { EvidencePack } from '../pack.ts';
import { code } from '../template/markdown.ts';
import type { Claim } from './claim.ts';
import type { CheckContext } from './check-context.ts';
import { checkCause, checkDirection, checkStatus, checkValueRoles } from './claim-rules.ts';
import { namesFrom, tokensOf, wordReason } from './sentence.ts';
import type { DropReason, Token } from './sentence.ts';
import { partsOf, shownBy, slotOf, slotText } from './slots.ts';

export type Dropped = Partial<Record<DropReason, number>>;

/** How many sentences of a kind a reader is asked to read. */
const MAX_KEPT: Record<Claim['kind'], number> = { impact: 3, cause: 2, context: 2, action: 5 };

/** The pack and the report that it was built from: an item that the report does not list cannot be cited. */
export function checkContext(report: Pick<Report, 'evidence' | 'verdict'>, pack: EvidencePack): CheckContext {
  const named = pack.items.filter(
    ({ type, role }) => type === 'endpoint' || type === 'version' || role === 'endpoint' || role === 'version',
  );
  const services = [...pack.services, ...pack.items.map(({ service }) => service), ...pack.causes.map(({ service }) => service)];
  const values = named.flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
  return {
    pack,
    items: new Map(pack.items.map((item) => [item.id, item])),
    evidence: new Map(report.evidence.map((item) => [item.id, item])),
    verdict: report.verdict,
    names: namesFrom([...services, ...values, pack.incident.id]),
  };
}

/** A moment of the incident as a whole: of no service more than of another. */
function isIncidentWide({ type, role }: PackItem): boolean {
  return type === 'incident' && role === 'moment';
}

function citedItems(context: CheckContext, ids: readonly string[]): PackItem[] | undefined {
  const items = ids.map((id) => (context.evidence.has(id) ? context.items.get(id) : undefined));
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** Evidence is the subject's own; only context may put another service beside it, and then names it. */
function evidenceReason(claim: Claim, items: PackItem[], tokens: Token[]): DropReason | undefined {
  const own = items.filter(({ service }) => service === claim.subject);
  const foreign = items.filter((item) => item.service !== claim.subject && !isIncidentWide(item));
  if (own.length === 0) return 'foreign_evidence';
  if (foreign.length === 0) return undefined;
  const named = new Set(
    tokens
      .flatMap((token) => ('slot' in token && token.slot.field === 'service' ? [token.slot.id] : []))
      .map((id) => items.find((item) => item.id === id)?.service),
  );
  return claim.kind === 'context' && foreign.every(({ service }) => named.has(service)) ? undefined : 'foreign_evidence';
}

function rulesReason(context: CheckContext, claim: Claim, items: PackItem[], tokens: Token[]): DropReason | undefined {
  const cited = items
    .map(({ text, value }) => text ?? (typeof value === 'string' ? value : ''))
    .join(' ')
    .toLowerCase();
  for (const token of tokens) {
    const reason = 'word' in token ? wordReason(token.word, claim.kind, cited) : undefined;
    if (reason) return reason;
  }
  const judged = { claim, items, tokens, words: tokens.flatMap((token) => ('word' in token ? [token.word] : [])) };
  return (
    evidenceReason(claim, items, tokens) ??
    checkCause(context, judged) ??
    checkDirection(context, judged) ??
    checkStatus(context, judged) ??
    checkValueRoles(context, judged)
  );
}

/** The sentence with its slots filled and its evidence behind it; undefined when a slot has nothing to show. */
function textOf(context: CheckContext, claim: Claim, ids: readonly string[]): string | undefined {
  const shown: string[] = [];
  for (const part of partsOf(claim.sentence.trim())) {
    if ('text' in part) {
      shown.push(part.text.replaceAll(/\s+/g, ' '));
      continue;
    }
    const slot = slotOf(part.slot);
    const text = slot && slotText(context, slot, claim.subject);
    if (text === undefined) return undefined;
    shown.push(text);
  }
  const sentence = shown.join('').trim().replace(/\.$/, '');
  const name = code(claim.subject);
  const whole = sentence.includes(name) ? sentence : `${name}: ${sentence}`;
  return `${whole.charAt(0).toUpperCase()}${whole.slice(1)} (${ids.join(', ')}).`;
}

/** The claim with its text, or why it is dropped. */
export function checkClaim(context: CheckContext, given: Claim): NarrativeClaim | DropReason {
  const claim = given.kind === 'action' ? { ...given, horizon: given.horizon ?? 'short_term' } : { ...given, horizon: null };
  const tokens = tokensOf(claim.sentence, context.names);
  if (typeof tokens === 'string') return tokens;
  if (!context.pack.services.includes(claim.subject)) return 'unknown_subject';
  const shown = tokens.flatMap((token) => ('slot' in token ? (token.slot.id ?? []) : []));
  const ids = [...new Set([...claim.evidence, ...shown])];
  const items = citedItems(context, ids);
  if (!items || items.length === 0) return 'unknown_evidence';
  const reason = rulesReason(context, claim, items, tokens);
  if (reason) return reason;
  const twins = tokens.flatMap((token) => ('slot' in token ? shownBy(context, token.slot) : []));
  const evidence = [...new Set([...ids, ...twins])].toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  const text = textOf(context, claim, evidence);
  return text === undefined || !citedItems(context, evidence) ? 'slot' : { ...claim, evidence, text };
}

/** Checks every claim, and leaves out what was said already or is more than anyone reads. Counts what is dropped, by reason. */
export function checkClaims(context: CheckContext, claims: readonly Claim[]): { kept: NarrativeClaim[]; dropped: Dropped } {
  const kept: NarrativeClaim[] = [];
  const dropped: Dropped = {};
  for (const given of claims) {
    const checked = checkClaim(context, given);
    const reason = typeof checked === 'string' ? checked : surplusReason(kept, checked);
    if (reason) dropped[reason] = (dropped[reason] ?? 0) + 1;
    else kept.push(checked as NarrativeClaim);
  }
  return { kept, dropped };
}

function surplusReason(kept: readonly NarrativeClaim[], claim: NarrativeClaim): DropReason | undefined {
  if (kept.some(({ text }) => text === claim.text)) return 'repeated';
  return kept.filter(({ kind }) => kind === claim.kind).length >= MAX_KEPT[claim.kind] ? 'surplus' : undefined;
}
