import type { Report, ReportSections } from '../../model/report.ts';
import { EvidenceList } from '../evidence.ts';
import type { Facts } from '../facts.ts';
import { judge } from '../verdict.ts';
import { actionsFor } from './actions.ts';
import type { Action } from './actions.ts';
import { evidenceTable } from './evidence-table.ts';
import { impactSection } from './impact.ts';
import { code, escapeText } from './markdown.ts';
import { rootCauseSection } from './root-cause.ts';
import { summarySection } from './summary.ts';
import { timelineOf, timelineSection } from './timeline.ts';
import type { Writing } from './writing.ts';

const NOTHING = 'Nothing that follows from this evidence.';

function numbered(actions: string[]): string {
  return actions.length === 0 ? NOTHING : actions.map((action, i) => `${i + 1}. ${action}`).join('\n');
}

function titleOf({ incident, lead }: Facts): string {
  return incident.title === '' ? code(lead) : escapeText(incident.title, 160);
}

function documentOf(title: string, head: string, sections: ReportSections, timeline: string, evidence: string): string {
  const { immediate, shortTerm, longTerm } = sections.recommendedActions;
  const parts = [
    `# Incident: ${title}`,
    head,
    '## Summary',
    sections.summary,
    '## Impact Assessment',
    sections.impactAssessment,
    '## Root Cause Analysis',
    sections.rootCauseAnalysis,
    '## Recommended Actions',
    '### Immediate',
    numbered(immediate),
    '### Short-term',
    numbered(shortTerm),
    '### Long-term',
    numbered(longTerm),
    '## Timeline',
    timeline,
    '## Evidence',
    evidence,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Facts in, report out: verdict, the plan's sections, timeline, numbered evidence, and all of it as Markdown. Pure. */
export function renderReport(facts: Facts, { version, createdAt }: { version: number; createdAt: string }): Report {
  const judgement = judge(facts);
  const writing: Writing = { facts, judgement, evidence: new EvidenceList() };
  const actions = actionsFor(writing);
  const write = (list: Action[]): string[] => list.map((action) => action());
  // Sections are written in the order in which they are read: evidence is numbered on first use.
  const summary = summarySection(writing, actions.immediate[0]);
  const impactAssessment = impactSection(writing);
  const rootCauseAnalysis = rootCauseSection(writing);
  const recommendedActions = {
    immediate: write(actions.immediate),
    shortTerm: write(actions.shortTerm),
    longTerm: write(actions.longTerm),
  };
  const sections = { summary, impactAssessment, rootCauseAnalysis, recommendedActions };
  const timeline = timelineOf(writing);
  const { incident } = facts;
  const head = `Incident ${code(incident.id)}, ${incident.status}. Report version ${version}, written ${createdAt}. All times are UTC.`;
  const evidence = writing.evidence.items;
  const markdown = documentOf(titleOf(facts), head, sections, timelineSection(writing, timeline), evidenceTable(evidence));
  return {
    incidentId: incident.id,
    version,
    phase: 'facts',
    verdict: judgement.verdict,
    createdAt,
    sections,
    timeline,
    evidence,
    costUsd: 0,
    markdown,
  };
}
