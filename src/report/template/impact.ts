import type { FeatureFacts, ServiceFacts } from '../evidence-anomalies.ts';
import { isUnknown } from '../evidence-impact.ts';
import type { CountFacts } from '../evidence-impact.ts';
import type { NamedFacts, SampleFacts } from '../evidence-sample.ts';
import { stepFor } from '../evidence-metrics.ts';
import type { Fact, NumberFact } from '../evidence.ts';
import { code, codeCell, escapeText } from './markdown.ts';
import { duration, featureWords, featureRange, featureValue, milliseconds, number, percent, times } from './wording.ts';
import { at, timeOf } from './writing.ts';
import type { Writing } from './writing.ts';

function timesLines(writing: Writing): string {
  const { facts, evidence } = writing;
  const { period, moments, services, lead } = facts;
  const length = duration(period.endMs - period.onsetMs);
  const own = services.find(({ service }) => service === lead)?.anomalies[0];
  const start = own?.startedAt ?? moments.startedAt;
  const detected = own?.detectedAt ?? moments.detectedAt;
  const delay = Date.parse(String(detected.value)) - Date.parse(String(start.value));
  const so = period.ongoing ? `${length} so far, to ${at(writing, period.endMs)}` : length;
  const found = `${timeOf(writing, detected)}, ${duration(delay)} after it began${evidence.ref(start, detected)}`;
  return `- **Duration:** ${so}.\n- **Detected:** ${found}.`;
}

function failing(counts: CountFacts | undefined): string {
  if (!counts) return 'no events';
  return `${number(counts.failed.value)} of ${number(counts.events.value)} (${percent(counts.errorRate.value)})`;
}

function latency(fact: NumberFact | undefined): string {
  return fact ? milliseconds(fact.value) : '–';
}

/** "worst 10 s": the width of the buckets among which the worst is sought. */
function worstOf({ facts: { period } }: Writing): string {
  return `worst ${duration(stepFor(period.endMs - period.onsetMs))}`;
}

function hitTable(writing: Writing): string[] {
  const { impact, services, period } = writing.facts;
  if (impact.length === 0) return [];
  const rows = impact.map((hit) => {
    const { service, during, before, latencyBefore, latencyWorst } = hit;
    const onset = services.find((facts) => facts.service === service)?.anomalies[0]?.startedAt;
    const counted = [during, before].flatMap((counts) => [counts?.errorRate, counts?.events, counts?.failed]);
    const cells = [
      codeCell(service),
      onset ? timeOf(writing, onset) : '–',
      failing(during),
      failing(before),
      latency(latencyBefore),
      latency(latencyWorst),
      writing.evidence.ids([onset, ...counted, latencyBefore, latencyWorst]).join(' '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const { before } = period;
  return [
    `Failing events of the incident, and of the ${duration(before.stepMs)} from ${at(writing, before.fromMs)} ("before"):`,
    '',
    `| Service | Since | Failed | Failed before | p95 latency before | p95, ${worstOf(writing)} | Evidence |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ];
}

function namedText(writing: Writing, { name, count, slowest }: NamedFacts): string {
  const what = code(String(name.value), 120);
  const size = slowest ? milliseconds(slowest.value) : number(count.value);
  return `${what} ${size}${writing.evidence.ref(name, slowest ?? count)}`;
}

/** What the events looked at name: endpoints, then versions. */
function sampleLines(writing: Writing, service: string, sample: SampleFacts): string[] {
  const { kind, endpoints, versions, events, complete, fromMs, toMs } = sample;
  const what = kind === 'failing' ? 'failing ' : '';
  const many = `${number(events.value)} ${what}${events.value === 1 ? 'event' : 'events'}`;
  const of = `${complete ? 'the' : 'the newest'} ${many} in the worst ${duration(toMs - fromMs)}, to ${at(writing, toMs)}`;
  const refs = writing.evidence.ref(events);
  const lines = [
    [kind === 'failing' ? 'Failing endpoints' : 'Slowest endpoints', endpoints] as const,
    [kind === 'failing' ? 'Failing versions' : 'Slowest versions', versions] as const,
  ];
  return lines
    .filter(([, named]) => named.length > 0)
    .map(([heading, named]) => {
      const listed = named.map((facts) => namedText(writing, facts)).join(', ');
      return `- **${heading} of ${code(service)}**, out of ${of}${refs}: ${listed}.`;
    });
}

function deviationRow(writing: Writing, service: string, feature: FeatureFacts): string {
  const { attribution, expected, observed, ratio, low, high, before, worst } = feature;
  const show = (fact: NumberFact | undefined): string => (fact ? featureValue(attribution.feature, fact.value) : '–');
  const band = low && high ? ` (${featureRange(attribution.feature, low.value, high.value)})` : '';
  const ids = writing.evidence.ids([observed, expected, ratio, low, high, before, worst]).join(' ');
  const window = `${at(writing, observed.from)} to ${at(writing, observed.to)}`;
  const cells = [codeCell(service), featureWords(attribution.feature), `${show(observed)}, ${window}`];
  const factor = ratio ? `${attribution.direction === 'up' ? '×' : '÷'} ${times(ratio.value).split(' ')[0]}` : '–';
  return `| ${[...cells, `${show(expected)}${band}`, factor, show(before), show(worst), ids].join(' | ')} |`;
}

/** Every feature of a service that moved, once: by the anomaly in which it moved furthest, the anomaly of the summary first. */
function movedFeatures({ facts: { main } }: Writing, { anomalies }: ServiceFacts): FeatureFacts[] {
  const found = new Map<string, FeatureFacts>();
  const ordered = anomalies.toSorted((a, b) => Number(b === main) - Number(a === main));
  for (const facts of ordered) {
    for (const feature of facts.features) {
      const { feature: name, direction } = feature.attribution;
      const known = found.get(`${name} ${direction}`);
      const further = (feature.ratio?.value ?? 0) > (known?.ratio?.value ?? 0);
      if (!known || (further && facts !== main && !main?.features.includes(known))) found.set(`${name} ${direction}`, feature);
    }
  }
  return [...found.values()];
}

function deviationTable(writing: Writing): string[] {
  const { services, lead } = writing.facts;
  const ordered = services.toSorted((a, b) => Number(b.service === lead) - Number(a.service === lead));
  const rows = ordered.flatMap((facts) =>
    movedFeatures(writing, facts).map((feature) => deviationRow(writing, facts.service, feature)),
  );
  if (rows.length === 0) return [];
  const worst = worstOf(writing);
  return [
    'Expected against observed, for everything that moved:',
    '',
    `| Service | Measure | Observed | Expected (normal range) | Factor | Before | ${worst.charAt(0).toUpperCase()}${worst.slice(1)} | Evidence |`,
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...baselines(writing, services),
  ];
}

/** What "expected" means, once for each wording. */
function baselines(writing: Writing, services: ServiceFacts[]): string[] {
  const said = new Map<string, { of: Set<string>; fact: Fact }>();
  for (const { service, anomalies } of services) {
    for (const { baseline } of anomalies) {
      if (!baseline) continue;
      const known = said.get(String(baseline.value)) ?? { of: new Set(), fact: baseline };
      said.set(String(baseline.value), known);
      known.of.add(service);
    }
  }
  return [...said].map(([description, { of, fact }]) => {
    const whose = said.size > 1 ? ` for ${[...of].map((service) => code(service)).join(', ')}` : '';
    return `"Expected"${whose} comes from: ${escapeText(description, 200)}${writing.evidence.ref(fact)}.`;
  });
}

/** Services without events: named by an alert, long gone, or seen by their metrics only. */
function unknownLines({ facts, evidence }: Writing): string[] {
  const since = duration(facts.period.before.stepMs);
  return facts.impact.filter(isUnknown).map(({ service, eventsBefore, eventsDuring }) => {
    const refs = evidence.ref(eventsBefore, eventsDuring);
    const known = refs === '' ? 'HELIOS knows no service of this name from events' : `none from ${since} before the onset on`;
    return `- **No events of ${code(service)}:** ${known}${refs}.`;
  });
}

/** Who is hit, how hard, how long, and expected against observed for every measure that deviated. */
export function impactSection(writing: Writing): string {
  const { impact, incident } = writing.facts;
  const lines = [`- **Severity:** ${incident.severity}.`, timesLines(writing), ...unknownLines(writing)];
  for (const { service, sample } of impact) {
    if (sample) lines.push(...sampleLines(writing, service, sample));
  }
  const silent = impact.filter(({ lastEvent }) => lastEvent);
  for (const { service, lastEvent } of silent) {
    if (lastEvent) {
      lines.push(`- **Last event of ${code(service)}:** ${timeOf(writing, lastEvent)}${writing.evidence.ref(lastEvent)}.`);
    }
  }
  const parts = [lines, hitTable(writing), deviationTable(writing)];
  return parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n').trim())
    .join('\n\n');
}
