import type { TimelineEntry } from '../../model/report.ts';
import type { Fact } from '../evidence.ts';
import { HINT_MS } from '../verdict.ts';
import { changeLead, changeName } from './changes.ts';
import { signalWords } from './deviation.ts';
import { code, escapeText } from './markdown.ts';
import { START_WORDS } from './wording.ts';
import { at } from './writing.ts';
import type { Writing } from './writing.ts';

const MAX_CHANGES = 5;

function entry(writing: Writing, fact: Fact, text: string, ...more: Fact[]): TimelineEntry {
  return { at: String(fact.value), text, evidence: writing.evidence.ids([fact, ...more]) };
}

/** Changes near the incident, the onset of every service, detection, acknowledgement, recovery; in order of time. */
export function timelineOf(writing: Writing): TimelineEntry[] {
  const { changes, nearest, services, moments, incident } = writing.facts;
  const affected = changes.filter((facts) => facts.affected && facts.leadMs <= HINT_MS).slice(0, MAX_CHANGES);
  const entries = [...new Set(nearest ? [nearest, ...affected] : affected)].map((facts) =>
    entry(writing, facts.at, `${capital(changeName(facts))}, ${changeLead(facts)}`),
  );
  for (const { service, anomalies } of services) {
    const first = anomalies[0];
    if (first) {
      const start = START_WORDS[first.anomaly.signal] ?? `starts ${signalWords(first)}`;
      entries.push(entry(writing, first.startedAt, `${code(service)} ${start}`));
    }
    const resolved = anomalies.every(({ resolvedAt }) => resolvedAt) ? anomalies.map(({ resolvedAt }) => resolvedAt as Fact) : [];
    const last = resolved.toSorted((a, b) => Date.parse(String(b.value)) - Date.parse(String(a.value)))[0];
    if (last) entries.push(entry(writing, last, `${code(service)} is back to normal`));
  }
  entries.push(entry(writing, moments.detectedAt, 'Incident detected', moments.title));
  if (moments.acknowledgedAt) {
    const by = incident.acknowledgedBy === null ? '' : ` by ${escapeText(incident.acknowledgedBy, 80)}`;
    entries.push(entry(writing, moments.acknowledgedAt, `Acknowledged${by}`));
  }
  if (moments.resolvedAt) entries.push(entry(writing, moments.resolvedAt, 'Incident resolved'));
  return entries.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function timelineSection(writing: Writing, timeline: TimelineEntry[]): string {
  return timeline
    .map(({ at: time, text, evidence }) => {
      const refs = evidence.length > 0 ? ` (${evidence.join(', ')})` : '';
      return `- ${at(writing, time)} ${text}${refs}`;
    })
    .join('\n');
}
