import type { AnomalyFacts, ServiceFacts } from '../evidence-anomalies.ts';
import { failedEvents } from '../evidence-impact.ts';
import type { CountFacts, SampleFacts } from '../evidence-impact.ts';
import { stepFor } from '../evidence-metrics.ts';
import type { NumberFact } from '../evidence.ts';
import { code, codeCell, escapeText } from './markdown.ts';
import { duration, featureWords, featureRange, featureValue, milliseconds, number, percent } from './wording.ts';
import { at, timeOf } from './writing.ts';
import type { Writing } from './writing.ts';

function times(writing: Writing): string {
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
  return `${number(failedEvents(counts))} of ${number(counts.events.value)} (${percent(counts.errorRate.value)})`;
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
    const cited = [onset, during?.events, during?.errorRate, before?.events, before?.errorRate, latencyBefore, latencyWorst];
    const cells = [
      codeCell(service),
      onset ? timeOf(writing, onset) : '–',
      failing(during),
      failing(before),
      latency(latencyBefore),
      latency(latencyWorst),
      writing.evidence.ids(cited).join(' '),
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

function endpointLine(writing: Writing, service: string, sample: SampleFacts): string {
  const { endpoints, events, complete, fromMs, toMs } = sample;
  const listed = endpoints.map(({ endpoint, count }) => {
    return `${code(String(endpoint.value), 120)} ${number(count)}${writing.evidence.ref(endpoint)}`;
  });
  const of = `${complete ? 'the' : 'the newest'} ${number(events)} failing ${events === 1 ? 'event' : 'events'} in the worst ${duration(toMs - fromMs)}`;
  return `- **Failing endpoints of ${code(service)}**, out of ${of}, to ${at(writing, toMs)}: ${listed.join(', ')}.`;
}

function deviationRows(writing: Writing, { service }: ServiceFacts, { features }: AnomalyFacts): string[] {
  return features.map(({ attribution, expected, observed, before, worst }) => {
    const show = (fact: NumberFact | undefined): string => (fact ? featureValue(attribution.feature, fact.value) : '–');
    const band = featureRange(attribution.feature, attribution.low, attribution.high);
    const ids = writing.evidence.ids([observed, expected, before, worst]).join(' ');
    const window = `${at(writing, observed.from)} to ${at(writing, observed.to)}`;
    const cells = [codeCell(service), featureWords(attribution.feature), `${show(observed)}, ${window}`];
    return `| ${[...cells, `${show(expected)} (${band})`, show(before), show(worst), ids].join(' | ')} |`;
  });
}

function deviationTable(writing: Writing): string[] {
  const { services, lead } = writing.facts;
  const ordered = services.toSorted((a, b) => Number(b.service === lead) - Number(a.service === lead));
  const rows = ordered.flatMap((service) => service.anomalies.flatMap((anomaly) => deviationRows(writing, service, anomaly)));
  if (rows.length === 0) return [];
  const worst = worstOf(writing);
  return [
    'Expected against observed:',
    '',
    `| Service | Measure | Observed | Expected (normal range) | Before | ${worst.charAt(0).toUpperCase()}${worst.slice(1)} | Evidence |`,
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...baselines(services),
  ];
}

/** What "expected" means, once for each wording. */
function baselines(services: ServiceFacts[]): string[] {
  const said = new Map<string, Set<string>>();
  for (const { service, anomalies } of services) {
    for (const { anomaly } of anomalies) {
      const services_ = said.get(anomaly.baseline.description) ?? new Set();
      said.set(anomaly.baseline.description, services_.add(service));
    }
  }
  return [...said]
    .filter(([description]) => description !== '')
    .map(([description, of]) => {
      const whose = said.size > 1 ? ` for ${[...of].map((service) => code(service)).join(', ')}` : '';
      return `"Expected"${whose} comes from: ${escapeText(description, 200)}.`;
    });
}

/** Who is hit, how hard, how long, and expected against observed for every measure that deviated. */
export function impactSection(writing: Writing): string {
  const { impact, incident } = writing.facts;
  const lines = [`- **Severity:** ${incident.severity}.`, times(writing)];
  for (const { service, sample } of impact) {
    if (sample && sample.endpoints.length > 0) lines.push(endpointLine(writing, service, sample));
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
