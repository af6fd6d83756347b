import { isUnknown } from '../evidence-impact.ts';
import type { Fact } from '../evidence.ts';
import type { Facts } from '../facts.ts';
import { TRIGGER_MS } from '../verdict.ts';
import { changeLead, changeName, TYPE_WORDS } from './changes.ts';
import { deviationLine, signalWords } from './deviation.ts';
import { code, escapeText } from './markdown.ts';
import { verdictLine } from './verdict-words.ts';
import { day, duration, number, percent } from './wording.ts';
import { at, causeClause, factOfId, names, timeOf } from './writing.ts';
import type { Writing } from './writing.ts';

/** Of a service that other methods found, without an anomaly of its own: where it shows. */
function whatIsWrong({ main, services }: Facts): string {
  if (main) return signalWords(main);
  const affected = services.map(({ service }) => service);
  return affected.length === 0 ? 'behaving unusually' : `the likely origin of trouble in ${names(affected, 3)}`;
}

function headline(writing: Writing): string {
  const { facts, evidence } = writing;
  const { moments, period, lead, main } = facts;
  const what = whatIsWrong(facts);
  const onset = at(writing, period.onsetMs);
  const date = day(period.onsetMs);
  const length = duration(period.endMs - period.onsetMs);
  // The onset is the lead service's own when it has one: others of the incident may have begun earlier.
  const since = main?.startedAt ?? moments.startedAt;
  const own = timeOf(writing, since);
  if (period.ongoing) {
    const state = facts.incident.status === 'acknowledged' ? 'Acknowledged, still' : 'Still';
    return `**${code(lead)} has been ${what} since ${own} UTC on ${date}.** ${state} going on at ${at(writing, period.endMs)}, ${length} after the first deviation${evidence.ref(since)}.`;
  }
  const end = at(writing, period.endMs);
  const from = own === onset ? '' : `; the incident began at ${onset}`;
  const refs = evidence.ref(since, lastRecovery(facts) ?? moments.resolvedAt);
  return `**${code(lead)} was ${what} from ${own} to ${end} UTC on ${date}.** Over after ${length}${from}${refs}.`;
}

/** The recovery that ended the incident: the last anomaly's. */
function lastRecovery({ services }: Facts): Fact | undefined {
  const facts = services.flatMap(({ anomalies }) => anomalies.map(({ resolvedAt }) => resolvedAt));
  if (facts.some((fact) => fact === undefined)) return undefined;
  return facts.filter((fact) => fact !== undefined).toSorted((a, b) => (String(a.value) < String(b.value) ? 1 : -1))[0];
}

function severityLines(writing: Writing): string[] {
  const { main, services } = writing.facts;
  const shown = main ?? services[0]?.anomalies[0];
  if (!shown) return ['- **How bad:** not known; no anomaly of it is stored.'];
  const whose = main ? '' : `${code(shown.anomaly.service)} `;
  // How fast traffic changes says less than how much there is.
  const telling = shown.features.filter(({ attribution }) => attribution.feature !== 'event_velocity');
  const said = (telling.length > 0 ? telling : shown.features).slice(0, 2);
  const lines = said.map((feature) => `${whose}${deviationLine(writing, feature)}`);
  if (lines.length === 0) return ['- **How bad:** no single measure stands out; the combination is unusual.'];
  const { baseline } = shown;
  const compared = baseline ? `${escapeText(String(baseline.value), 160)}${writing.evidence.ref(baseline)}` : '';
  return [`- **How bad:** ${lines.join('; ')}.`, ...(compared === '' ? [] : [`- **Compared with:** ${compared}.`])];
}

function impactLine(writing: Writing): string[] {
  const { impact, incident, moments } = writing.facts;
  const [hit] = impact;
  const named = incident.services.length > 0 ? incident.services : impact.map(({ service }) => service);
  const services = named.toSorted((a, b) => Number(b === hit?.service) - Number(a === hit?.service));
  const count = services.length === 1 ? '1 service' : `${services.length} services`;
  const who = `${count}${writing.evidence.ref(moments.services)}: ${names(services)}`;
  if (hit && isUnknown(hit)) {
    const refs = writing.evidence.ref(hit.eventsBefore, hit.eventsDuring);
    return [`- **Who is hit:** ${who}. HELIOS has no recent event of ${code(hit.service)}${refs}.`];
  }
  const { during, before } = hit ?? {};
  if (!during || during.events.value === 0) return [`- **Who is hit:** ${who}.`];
  const { errorRate, events, failed } = during;
  const total = `${number(events.value)} events of ${code(events.service)}`;
  if (failed.value === 0) return [`- **Who is hit:** ${who}. None of ${total} failed${writing.evidence.ref(events, errorRate)}.`];
  const refs = writing.evidence.ref(errorRate, events, failed, before?.errorRate);
  const earlier = before ? `, ${percent(before.errorRate.value)} before` : '';
  return [`- **Who is hit:** ${who}. ${number(failed.value)} of ${total} failed: ${percent(errorRate.value)}${earlier}${refs}.`];
}

/** The first-ranked cause with its reason, and the change that came right before it. */
function causeLine(writing: Writing): string[] {
  const { facts, judgement, evidence } = writing;
  const first = facts.reasons[0];
  if (!first) return ['- **Most likely cause:** not known; no service stands out.'];
  const { trigger } = judgement;
  const change = trigger ? `this ${TYPE_WORDS[trigger.change.type]}. ` : '';
  const cited = first.cause.evidence.map((id) => factOfId(writing, id));
  return [`- **Most likely cause:** ${change}${causeClause(first.cause)}${evidence.ref(first.reason, ...cited)}.`];
}

/** The nearest change before it, also when it is too long ago to be taken for the cause. */
function changeLineOf(writing: Writing): string[] {
  const { facts, evidence } = writing;
  const { nearest, changes, changeCount, changeWindowMs } = facts;
  const heading = '- **What changed before:**';
  if (nearest) {
    const far = nearest.leadMs > TRIGGER_MS ? ', too long before to stand out' : '';
    const said =
      nearest.description && nearest.change.source === 'api' ? `: ${escapeText(String(nearest.description.value), 160)}` : '';
    const refs = evidence.ref(nearest.at, nearest.version, said === '' ? undefined : nearest.description);
    return [`${heading} ${changeName(nearest)}, ${changeLead(nearest)}${far}${said}${refs}.`];
  }
  const elsewhere = changes.length > 0 ? '; other services changed, see below' : '';
  const recorded = `no change of an affected service is recorded in the ${duration(changeWindowMs)} before`;
  return [`${heading} ${recorded}${elsewhere}${evidence.ref(changeCount)}.`];
}

function confidenceLine({ facts: { main, lead }, evidence }: Writing): string[] {
  if (main?.anomaly.stage !== 'warming_up') return [];
  const refs = evidence.ref(main.stage);
  return [`- **Confidence is low:** HELIOS has not yet seen enough of ${code(lead)} to know its normal behaviour well${refs}.`];
}

/** Said first where it is so: a report must not look like findings that are not there. */
function nothingLine({ facts: { services, impact, incident } }: Writing): string[] {
  if (services.length > 0) return [];
  const known = impact.some((hit) => !isUnknown(hit));
  const named = incident.anomalyIds.length === 0 ? 'The incident names no anomaly' : 'None of its anomalies is stored';
  const rest = known
    ? 'What follows is only what was measured'
    : 'There is no evidence of what happened, only that it was reported';
  return [`- **No evidence:** ${named}. ${rest}.`];
}

/** One screen: which service, what, since when, how bad against what, who is hit, what changed, most likely cause, verdict, first step. */
export function summarySection(writing: Writing, firstStep: (() => string) | undefined): string {
  const { facts } = writing;
  const merged = facts.incident.mergedInto;
  return [
    ...(merged === null ? [] : [`This incident was merged into ${code(merged)}; read that report.`, '']),
    headline(writing),
    '',
    ...nothingLine(writing),
    ...severityLines(writing),
    ...impactLine(writing),
    ...changeLineOf(writing),
    ...causeLine(writing),
    `- **Verdict:** ${verdictLine(writing, 2)}`,
    ...confidenceLine(writing),
    ...(firstStep === undefined ? [] : [`- **Do now:** ${firstStep()}`]),
  ].join('\n');
}
