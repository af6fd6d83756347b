import type { Narrative, NarrativeClaim, Report, ReportSections } from '../../model/report.ts';
import type { EvidencePack } from '../pack.ts';
import { code } from '../template/markdown.ts';

const HORIZONS = { immediate: 'Immediate', short_term: 'Short-term', long_term: 'Long-term' } as const;
type Horizon = keyof typeof HORIZONS;
const LISTS = { immediate: 'immediate', short_term: 'shortTerm', long_term: 'longTerm' } as const;

/** Text directly behind a heading; the document as it is when it has no such heading. */
function insertBehind(markdown: string, heading: string, text: string): string {
  if (text === '') return markdown;
  const mark = `\n${heading}\n\n`;
  const at = markdown.indexOf(mark);
  if (at < 0) return markdown;
  const end = at + mark.length;
  return `${markdown.slice(0, end)}${text}\n\n${markdown.slice(end)}`;
}

function numbered(actions: readonly string[]): string {
  return actions.map((action, i) => `${i + 1}. ${action}`).join('\n');
}

/** What stands between a heading and the next one, replaced. */
function replaceBehind(markdown: string, heading: string, text: string): string {
  const mark = `\n${heading}\n\n`;
  const at = markdown.indexOf(mark);
  if (at < 0) return markdown;
  const from = at + mark.length;
  const next = markdown.indexOf('\n#', from);
  return `${markdown.slice(0, from)}${text}${next < 0 ? '\n' : `\n${markdown.slice(next)}`}`;
}

function paragraph(claims: readonly NarrativeClaim[], kinds: readonly NarrativeClaim['kind'][]): string {
  return kinds.flatMap((kind) => claims.filter((claim) => claim.kind === kind).map(({ text }) => text)).join(' ');
}

function above(text: string, section: string): string {
  return text === '' ? section : `${text}\n\n${section}`;
}

function actionsOf(claims: readonly NarrativeClaim[], horizon: Horizon): string[] {
  return claims.filter((claim) => claim.kind === 'action' && claim.horizon === horizon).map(({ text }) => text);
}

function sectionsWith(
  sections: ReportSections,
  claims: readonly NarrativeClaim[],
  summary: string,
  cause: string,
): ReportSections {
  const { recommendedActions: lists } = sections;
  return {
    summary: above(summary, sections.summary),
    impactAssessment: sections.impactAssessment,
    rootCauseAnalysis: above(cause, sections.rootCauseAnalysis),
    recommendedActions: {
      immediate: [...actionsOf(claims, 'immediate'), ...lists.immediate],
      shortTerm: [...actionsOf(claims, 'short_term'), ...lists.shortTerm],
      longTerm: [...actionsOf(claims, 'long_term'), ...lists.longTerm],
    },
  };
}

/** The facts report with the sentences of checked claims above the facts of each section. The verdict stays what code found. */
export function writeNarrative(facts: Report, pack: EvidencePack, said: Omit<Narrative, 'roles'>): Report {
  const { claims, model } = said;
  const cited = new Set(claims.flatMap(({ evidence }) => evidence));
  const roles = Object.fromEntries(pack.items.filter(({ id }) => cited.has(id)).map(({ id, role }) => [id, role]));
  const sentences = paragraph(claims, ['impact', 'context']);
  const source = `*Sentences by ${code(model, 80)}; HELIOS filled in every value and held each sentence against its evidence.*`;
  const summary = sentences === '' ? source : `${sentences}\n\n${source}`;
  const cause = paragraph(claims, ['cause']);
  const sections = sectionsWith(facts.sections, claims, summary, cause);
  let markdown = insertBehind(facts.markdown, '## Summary', summary);
  markdown = insertBehind(markdown, '## Root Cause Analysis', cause);
  for (const horizon of Object.keys(HORIZONS) as Horizon[]) {
    if (actionsOf(claims, horizon).length === 0) continue;
    markdown = replaceBehind(markdown, `### ${HORIZONS[horizon]}`, numbered(sections.recommendedActions[LISTS[horizon]]));
  }
  return { ...facts, phase: 'narrative', sections, markdown, narrative: { ...said, roles } };
}
