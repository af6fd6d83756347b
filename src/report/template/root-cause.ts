import { TRIGGER_MS } from '../verdict.ts';
import type { TemplateFacts } from '../evidence-templates.ts';
import type { PastIncidentFacts } from '../evidence-history.ts';
import { changeLine, changeName } from './changes.ts';
import { signalWords } from './deviation.ts';
import { code, escapeText } from './markdown.ts';
import { verdictLine, VERDICT_MEANING } from './verdict-words.ts';
import { duration, number, times } from './wording.ts';
import { at, causeClause, factOfId, timeOf } from './writing.ts';
import type { Writing } from './writing.ts';

const MAX_CHANGES = 10;

function causeLines(writing: Writing): string[] {
  const { reasons } = writing.facts;
  if (reasons.length === 0) return ['No service stands out as the origin.'];
  const lines = reasons.slice(0, 5).map(({ cause, reason }, i) => {
    const facts = cause.evidence.map((id) => factOfId(writing, id));
    return `${i + 1}. ${causeClause(cause)}${writing.evidence.ref(reason, ...facts)}.`;
  });
  return ['Causes, the most likely first:', '', ...lines];
}

function changeLines(writing: Writing): string[] {
  const { changes, nearest, changeCount, changeWindowMs, period } = writing.facts;
  const window = duration(changeWindowMs);
  if (changes.length === 0)
    return [`No change is recorded in the ${window} before the onset${writing.evidence.ref(changeCount)}.`];
  const lines: string[] = [];
  if (nearest) {
    const close = nearest.leadMs <= TRIGGER_MS ? 'Nearest change on an affected service' : 'Last change on an affected service';
    lines.push(`**${close}:** ${changeLine(writing, nearest)}.`, '');
  }
  const others = changes
    .filter((facts) => facts !== nearest)
    .toSorted((a, b) => Number(b.affected) - Number(a.affected) || Math.abs(a.leadMs) - Math.abs(b.leadMs));
  if (others.length === 0) return lines.slice(0, 1);
  const shown = others.slice(0, MAX_CHANGES);
  const more = others.length > shown.length ? `, ${shown.length} of ${others.length} shown` : '';
  const heading = `${nearest ? 'Other changes' : 'Changes, none on an affected service,'} from ${window} before the onset to ${at(writing, period.endMs)}${more}:`;
  return [...lines, heading, '', ...shown.map((facts) => `- ${changeLine(writing, facts)}`)];
}

function rise({ change, rise: factor }: TemplateFacts): string {
  if (change === 'new') return 'New';
  if (change === 'vanished') return 'Gone';
  return factor === undefined ? 'Back' : `Up ${times(factor.value)}`;
}

function templateLines(writing: Writing): string[] {
  const { templates } = writing.facts;
  if (templates.length === 0) return [];
  const lines = templates.map((facts) => {
    const { service, template, example, count, event, past, rise: factor } = facts;
    const often = count ? `, ${number(Number(count.value))} ${Number(count.value) === 1 ? 'time' : 'times'}` : '';
    const before = facts.change === 'vanished' ? ' before' : '';
    const head = `- ${rise(facts)} in ${code(service)}${often}${before}: ${code(template)}${writing.evidence.ref(count, event, past, factor)}`;
    return example === template ? head : `${head}\n  for example ${code(example, 200)}`;
  });
  return ['Error messages that changed with the incident:', '', ...lines];
}

function orderLines(writing: Writing): string[] {
  const { services, lead } = writing.facts;
  if (services.length < 2) return [];
  const origin = services.find(({ service }) => service === lead)?.onsetMs;
  const lines = services.map(({ service, onsetMs, anomalies }) => {
    const first = anomalies[0];
    if (!first) return `- ${code(service)}`;
    const offset = onsetMs - (origin ?? onsetMs);
    const relative = service === lead || offset === 0 ? '' : `, ${duration(offset)} ${offset > 0 ? 'later' : 'earlier'}`;
    return `- ${timeOf(writing, first.startedAt)} ${code(service)} ${signalWords(first)}${relative}${writing.evidence.ref(first.startedAt)}`;
  });
  return ['Services in the order in which they deviated:', '', ...lines];
}

/** What closed an incident of before: a person, a change, or nothing that is recorded. */
function ending(writing: Writing, { closedBy, closing, resolvedAt }: PastIncidentFacts): string {
  const said: string[] = [];
  if (closing) {
    const beforeMs = Date.parse(String(resolvedAt.value)) - Date.parse(closing.change.at);
    const what = changeName({ change: closing.change });
    said.push(`${duration(beforeMs)} after the ${what}${writing.evidence.ref(closing.at)}`);
  }
  if (closedBy) said.push(`closed by ${escapeText(String(closedBy.value), 80)}${writing.evidence.ref(closedBy)}`);
  return said.length === 0 ? 'by itself, with no change recorded' : said.join(', ');
}

function callLines(writing: Writing): string[] {
  const { calls } = writing.facts;
  if (calls.length === 0) return [];
  const lines = calls.map(
    ({ caller, callee, span, parent }) => `- ${code(caller)} calls ${code(callee)}${writing.evidence.ref(span, parent)}`,
  );
  return ['Calls among them, seen in the first seconds:', '', ...lines];
}

function historyLines(writing: Writing): string[] {
  const { listed, count } = writing.facts.history;
  if (!count) return [];
  const often = count.value === 1 ? 'once' : `${number(count.value)} times`;
  const counted = writing.evidence.ref(count);
  const lines = listed.map((past) => {
    const { startedAt, resolvedAt, reason, durationMs } = past;
    const refs = writing.evidence.ref(startedAt, resolvedAt);
    const end = ending(writing, past);
    const said = `first cause then: ${escapeText(String(reason.value), 160)}${writing.evidence.ref(reason)}`;
    return `- ${timeOf(writing, startedAt)}, over after ${duration(durationMs)}${refs}, ${end}; ${said}`;
  });
  return [`The same service had the same kind of incident ${often} in the 30 days before${counted}:`, '', ...lines];
}

/** Ranked causes, changes, error messages, order of services, history, and what the verdict rests on. */
export function rootCauseSection(writing: Writing): string {
  const { verdict } = writing.judgement;
  const parts = [
    causeLines(writing),
    [`**Verdict ${verdictLine(writing).replace(':', ':**')} ${verdict} means: ${VERDICT_MEANING[verdict]}`],
    changeLines(writing),
    templateLines(writing),
    orderLines(writing),
    callLines(writing),
    historyLines(writing),
  ];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n');
}
