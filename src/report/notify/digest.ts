import type { Evidence, Report } from '../../model/report.ts';
import type { Incident } from '../../model/incident.ts';
import { clockTime, day, duration, featureWords } from '../template/wording.ts';
import { bold, cutRich, joined, rich } from './message-text.ts';
import type { MessageText, RichText } from './message-text.ts';
import type { Message } from './notifier.ts';

/** What a message says, safe to show in any medium once that medium's own characters are escaped. */
export interface Digest {
  /** Untouched, for buttons and keys; "" when it is no id of ours. */
  incidentId: string;
  phase: 'Open' | 'Acknowledged' | 'Resolved';
  /** "Open, high: payment: error_rate". No markers. */
  headline: RichText;
  /** Title alone, which does not change with the state. No markers. */
  title: RichText;
  /** One sentence: what is wrong since when, or the cause; for what shows one line alone. "" without report and cause. */
  lead: RichText;
  /** What a person reads first, one fact a line, the most important first. */
  facts: RichText[];
  /** The report's sections behind its summary, one line each; a heading is bold. Empty while there is no report. */
  detail: RichText[];
  evidence: RichText[];
  /** Where the incident is shown: http or https, from the configuration. */
  link: string | null;
  /** "Report version 2 with narrative, 0.0123 USD" and the incident's id. */
  footer: RichText;
}

const MAX_SERVICES = 8;
const MAX_SUMMARY_LINES = 16;
const MAX_SUMMARY_LINE = 800;
const MAX_EVIDENCE = 100;
const ID = /^[\w.:-]{1,200}$/;

function linkOf(url: string | null): string | null {
  if (url === null || !URL.canParse(url)) return null;
  const { protocol, href } = new URL(url);
  return (protocol === 'https:' || protocol === 'http:') && href.length <= 2000 ? href : null;
}

function phaseOf({ state, incident }: Message): Digest['phase'] {
  if (state === 'resolved' || incident.status === 'resolved') return 'Resolved';
  return state === 'acknowledged' || incident.status === 'acknowledged' ? 'Acknowledged' : 'Open';
}

/** A time of the incident by its own clock, or what stands there when it is none. */
function timeOf(text: MessageText, iso: string, onDay: string): RichText {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? text.plain(iso, 40) : text.plain(clockTime(ms, onDay));
}

function timeFacts(text: MessageText, incident: Incident, phase: Digest['phase']): RichText[] {
  const startMs = Date.parse(incident.startedAt);
  const onDay = Number.isNaN(startMs) ? '' : day(startMs);
  const time = (iso: string): RichText => timeOf(text, iso, onDay);
  const since = rich`${bold(rich`Since:`)} ${time(incident.startedAt)} UTC on ${text.plain(onDay)}, detected at ${time(incident.detectedAt)}`;
  const facts = [since];
  if (incident.acknowledgedAt !== null) {
    const by = incident.acknowledgedBy === null ? rich`` : rich` by ${text.plain(incident.acknowledgedBy, 80)}`;
    facts.push(rich`${bold(rich`Acknowledged:`)} ${time(incident.acknowledgedAt)}${by}`);
  }
  if (phase === 'Resolved' && incident.resolvedAt !== null) {
    const lengthMs = Date.parse(incident.resolvedAt) - startMs;
    const length = Number.isNaN(lengthMs) ? rich`` : rich`, after ${text.plain(duration(lengthMs))}`;
    facts.push(rich`${bold(rich`Resolved:`)} ${time(incident.resolvedAt)}${length}`);
  }
  return facts;
}

function servicesOf(text: MessageText, services: readonly string[]): RichText {
  const shown = services.slice(0, MAX_SERVICES).map((service) => text.code(service, 100));
  const more = services.length - shown.length;
  return more > 0 ? rich`${joined(shown, ', ')} and ${more} more` : joined(shown, ', ');
}

/** The report's own summary, which is made to be read first; without a report, the cause that the incident names. */
function summaryFacts(text: MessageText, { incident, report }: Message): RichText[] {
  if (report !== null) {
    const lines = report.sections.summary.split('\n').filter((line) => line.trim() !== '');
    return lines.slice(0, MAX_SUMMARY_LINES).map((line) => cutRich(text.markdown(line.replace(/^- /, '')), MAX_SUMMARY_LINE));
  }
  const cause = incident.causes.find(({ rank }) => rank === 1) ?? incident.causes[0];
  if (cause === undefined) return [];
  return [rich`${bold(rich`Most likely cause:`)} ${text.code(cause.service, 100)}. ${text.plain(cause.reason, 400)}`];
}

function groupFacts(text: MessageText, { incident, grouped }: Message): RichText[] {
  const facts: RichText[] = [];
  if (incident.mergedInto !== null) facts.push(rich`${bold(rich`Merged into:`)} ${text.code(incident.mergedInto)}`);
  const { newNormal, feedback } = incident;
  if (feedback) {
    const effect = feedback.effect === null ? rich`` : rich`. ${text.plain(feedback.effect, 200)}`;
    const what = text.plain(feedback.label.replaceAll('_', ' '), 40);
    facts.push(rich`${bold(rich`Said to be:`)} ${what}, by ${text.plain(feedback.by, 80)}${effect}`);
  }
  if (newNormal?.state === 'proposed') {
    facts.push(rich`${bold(rich`New normal?`)} The level has stayed since ${text.plain(newNormal.since, 40)}.`);
  }
  if (grouped > 0) {
    facts.push(
      rich`${bold(rich`Also:`)} ${grouped} more ${text.plain(grouped === 1 ? 'incident waits' : 'incidents wait')} to be told`,
    );
  }
  return facts;
}

/** A line of the report as one of a message: list marks stay, a table's rows become sentences, its rules vanish. */
function lineOf(text: MessageText, line: string): RichText | null {
  const heading = /^#{1,6} (.*)$/.exec(line);
  if (heading) return bold(text.markdown((heading[1] as string).replaceAll('**', '')));
  if (!line.startsWith('|')) return text.markdown(line);
  if (/^[|\s:-]+$/.test(line)) return null;
  const cells = line
    .replace(/^\|\s*/, '')
    .replace(/\s*\|\s*$/, '')
    .split(/\s*(?<!\\)\|\s*/);
  return joined(
    cells.map((cell) => text.markdown(cell)),
    ' / ',
  );
}

function detailOf(text: MessageText, { sections }: Report): RichText[] {
  const { immediate, shortTerm, longTerm } = sections.recommendedActions;
  const numbered = (actions: string[]): string[] => actions.map((action, i) => `${i + 1}. ${action}`);
  const parts = [
    ['## Root cause', sections.rootCauseAnalysis],
    ['## Actions, immediate', ...numbered(immediate)],
    ['## Short-term', ...numbered(shortTerm)],
    ['## Long-term', ...numbered(longTerm)],
    ['## Impact', sections.impactAssessment],
  ].filter((part) => part.slice(1).some((body) => body.trim() !== ''));
  const lines = parts
    .flatMap((part) => [...part.join('\n').split('\n'), ''])
    .filter((line, i, all) => line !== '' || all[i - 1] !== '');
  return lines.map((line) => lineOf(text, line)).filter((line) => line !== null);
}

function evidenceLine(text: MessageText, item: Evidence): RichText {
  const what = item.feature === null ? item.type : `${featureWords(item.feature)}, ${item.type}`;
  const value = typeof item.value === 'number' ? text.plain(String(item.value)) : text.code(item.value, 200);
  const unit = item.unit === '' ? rich`` : rich` ${text.plain(item.unit, 40)}`;
  return rich`${bold(text.plain(item.id, 12))} ${text.code(item.service, 100)} ${text.plain(what, 80)}: ${value}${unit}`;
}

function footerOf(text: MessageText, { incident, report }: Message): RichText {
  const id = rich`Incident ${text.code(incident.id)}`;
  if (report === null) return rich`${id}, no report yet`;
  const kind = report.phase === 'narrative' ? rich`facts and narrative` : rich`facts`;
  const cost = Number.isFinite(report.costUsd) ? text.plain(report.costUsd.toFixed(4)) : rich`unknown`;
  return rich`${id}, report version ${report.version} (${kind}), cost ${cost} USD`;
}

/** Everything in it has passed `text`: redacted, defanged, one line each. */
export function digestOf(message: Message, text: MessageText): Digest {
  const { incident, report } = message;
  const phase = phaseOf(message);
  const title = text.plain(incident.title === '' ? (incident.services[0] ?? 'unnamed') : incident.title, 200);
  const severity = rich`${bold(rich`Severity:`)} ${text.plain(incident.severity, 20)}. `;
  const summary = summaryFacts(text, message);
  const verdict = report === null ? rich`` : rich`${bold(rich`Verdict:`)} ${text.plain(report.verdict, 20)}. `;
  return {
    incidentId: ID.test(incident.id) ? incident.id : '',
    phase,
    headline: rich`${text.plain(phase)}, ${text.plain(incident.severity, 20)}: ${title}`,
    title,
    lead: summary[0] ?? rich``,
    facts: [
      rich`${severity}${verdict}${bold(rich`Services:`)} ${servicesOf(text, incident.services)}`,
      ...timeFacts(text, incident, phase),
      ...summary,
      ...groupFacts(text, message),
    ],
    detail: report === null ? [] : detailOf(text, report),
    evidence: report === null ? [] : report.evidence.slice(0, MAX_EVIDENCE).map((item) => evidenceLine(text, item)),
    link: linkOf(message.url),
    footer: footerOf(text, message),
  };
}

/** As many of the first lines as `limit` units hold, each counted by `lengthOf`; says so when some are left out. */
export function firstLines(lines: readonly RichText[], limit: number, lengthOf: (line: RichText) => number): RichText[] {
  const rest = rich`… cut here; the whole report is in HELIOS.`;
  const kept: RichText[] = [];
  let left = limit - lengthOf(rest) - 1;
  for (const line of lines) {
    left -= lengthOf(line) + 1;
    if (left < 0) return [...kept, rest];
    kept.push(line);
  }
  return kept;
}
