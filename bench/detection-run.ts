import { detectConfigSchema } from '../src/detect/config.ts';
import { createDetector } from '../src/detect/engine.ts';
import type { Episode, Span } from '../src/evaluate/protocol-episode.ts';
import { episodeGapMs, groupEpisodes } from '../src/evaluate/protocol-episode.ts';
import type { EvaluatedIncident } from '../src/evaluate/protocol-episode.ts';
import { matchIncidents } from '../src/evaluate/protocol-matching.ts';
import { createGenerator } from '../src/generate/generator.ts';
import type { Generator } from '../src/generate/generator.ts';
import type { Label } from '../src/generate/label.ts';
import { parseTime } from '../src/lib/clock.ts';
import type { Anomaly } from '../src/model/anomaly.ts';
import type { Incident } from '../src/model/incident.ts';

/** One stream: a fleet of its own. */
export interface RunOptions {
  seed: number;
  days: number;
  services: number;
  /** Mean events per second of the fleet. */
  rate: number;
  faultsPerDay: number;
}

export interface FaultResult {
  label: Label;
  found: boolean;
  /** Seconds from the start of the fault to the first verdict; null when missed. */
  delaySeconds: number | null;
  /** Of a missed one: hours that an incident had been firing which met its zone and was another fault's, or null. */
  hiddenByHours: number | null;
  /** Incidents as HELIOS itself grouped them, in the zone of the fault. */
  ownIncidents: number;
  /** Rank of the first of the roots among the causes, from 1, when the incident was opened and in its last form; 0 is not among them. */
  firstRank: number;
  lastRank: number;
}

export interface FalseIncident {
  at: string;
  episodes: number;
  services: string[];
  signals: string[];
  title: string;
  /** Harmless things that were going on or had ended up to 15 minutes before. */
  benign: string[];
  /** Minutes since the end of the last fault, and its kind. */
  minutesAfterFault: number | null;
  lastFault: string | null;
}

/** What became of one stream. Plain data. */
export interface StreamResult {
  seed: number;
  services: number;
  faults: FaultResult[];
  falseIncidents: FalseIncident[];
  duplicates: number;
  /** Harmless things after the warm-up, by kind. */
  benign: Record<string, number>;
  /** Normal time: scored time outside match and don't-care zones. */
  normalDays: number;
  scoredDays: number;
  events: number;
  seconds: number;
}

const DAY_MS = 86_400_000;
const STEP_MS = 1000;
const SAMPLE_MS = 10_000;
const WARM_UP_SHARE = 0.15;
const AFTERMATH_MS = 15 * 60_000;
const BENIGN_GAP_MS = 3 * 3_600_000;
/** A Monday, so that every stream of a week has both kinds of days. */
const START_MS = parseTime('2025-10-06T00:00:00Z');

/** What a detector said about a stream. */
interface Verdicts {
  /** By id: when its firing was first known, and what it is in the end. */
  anomalies: Map<string, { knownMs: number; anomaly: Anomaly }>;
  incidents: Map<string, { first: Incident; last: Incident }>;
  events: number;
}

/** Feeds a stream as it would come live, a second at a time, to a detector that looks at the clock each second. */
function detect(generator: Generator): Verdicts {
  const detector = createDetector({ config: detectConfigSchema.parse({}), clock: 'wall', seed: 1 });
  const verdicts: Verdicts = { anomalies: new Map(), incidents: new Map(), events: 0 };
  const next = generator.batches(generator.startMs);
  for (let toMs = generator.startMs + STEP_MS; toMs <= generator.endMs; toMs += STEP_MS) {
    for (const { client, batch } of next(toMs)) {
      verdicts.events += batch.count;
      detector.observe(batch, toMs, client);
    }
    const output = detector.advance(toMs);
    for (const anomaly of output.anomalies) {
      // One that is quiet calls nobody until it is so no more.
      const knownMs = verdicts.anomalies.get(anomaly.id)?.knownMs ?? (anomaly.quiet ? undefined : toMs);
      if (knownMs !== undefined) verdicts.anomalies.set(anomaly.id, { knownMs, anomaly });
    }
    for (const incident of output.incidents) {
      const first = verdicts.incidents.get(incident.id)?.first ?? incident;
      verdicts.incidents.set(incident.id, { first, last: incident });
    }
    // The store would take these; nobody does here.
    detector.drainTemplates();
  }
  return verdicts;
}

/** Episodes of the protocol: the firing times of a service, merged over short gaps. */
function episodesOf({ anomalies }: Verdicts, endMs: number): Episode[] {
  const spans = [...anomalies.values()].map(({ knownMs, anomaly }) => ({
    entity: anomaly.service,
    startMs: knownMs,
    endMs: Math.max(knownMs, anomaly.resolvedAt === null ? endMs : parseTime(anomaly.resolvedAt)),
  }));
  const episodes: Episode[] = [];
  for (const own of Map.groupBy(spans, ({ entity }) => entity).values()) {
    let last: Episode | undefined;
    for (const span of own.toSorted((a, b) => a.startMs - b.startMs)) {
      if (last && span.startMs - last.endMs <= episodeGapMs(SAMPLE_MS)) last.endMs = Math.max(last.endMs, span.endMs);
      else episodes.push((last = { ...span }));
    }
  }
  return episodes;
}

/** Generates, detects and matches one stream. */
export function runStream({ seed, days, services, rate, faultsPerDay }: RunOptions): StreamResult {
  const startedMs = performance.now();
  const durationMs = days * DAY_MS;
  const warmUpMs = WARM_UP_SHARE * durationMs;
  const faults = Math.round(faultsPerDay * days * (1 - WARM_UP_SHARE));
  const options = { seed, rate, services, startMs: START_MS, durationMs, warmUpMs, faults, benignGapMs: BENIGN_GAP_MS };
  const generator = createGenerator(options);
  const verdicts = detect(generator);
  const labels = generator.labels.filter(({ benign }) => !benign);
  const truths = labels.map(({ start, end }) => ({ startMs: parseTime(start), endMs: parseTime(end) }));
  const scored = { startMs: START_MS + warmUpMs, endMs: generator.endMs };
  const incidents = groupEpisodes(episodesOf(verdicts, generator.endMs));
  const matching = matchIncidents({ incidents, truths, sampleMs: SAMPLE_MS, scored });
  const benign = generator.labels.filter((label) => label.benign && parseTime(label.start) >= scored.startMs);
  return {
    seed,
    services,
    faults: matching.pairs.map(({ truth, incident, delayMs }) => ({
      label: labels[truth] as Label,
      found: incident !== undefined,
      delaySeconds: incident ? delayMs / 1000 : null,
      hiddenByHours: incident ? null : hiddenBy(incidents, truths[truth] as Span),
      ...ownOf(verdicts, incident, labels[truth] as Label),
    })),
    falseIncidents: matching.falseIncidents.map((incident) => describe(incident, verdicts, generator.labels)),
    duplicates: matching.duplicates,
    benign: Object.fromEntries([...Map.groupBy(benign, ({ kind }) => kind)].map(([kind, list]) => [kind, list.length])),
    normalDays: matching.normalMs / DAY_MS,
    scoredDays: (scored.endMs - scored.startMs) / DAY_MS,
    events: verdicts.events,
    seconds: (performance.now() - startedMs) / 1000,
  };
}

/** Hours since an incident began that met a truth which did not get it, because an earlier one had. */
function hiddenBy(incidents: readonly EvaluatedIncident[], { startMs, endMs }: Span): number | null {
  const other = incidents.find((incident) => incident.startMs <= endMs && incident.endMs >= startMs);
  return other ? Math.round((startMs - other.startMs) / 360_000) / 10 : null;
}

/** HELIOS's own incidents behind a matched one of the protocol: how many, and the rank of the root in the first of them. */
function ownOf(verdicts: Verdicts, incident: EvaluatedIncident | undefined, label: Label) {
  if (!incident) return { ownIncidents: 0, firstRank: 0, lastRank: 0 };
  const fromMs = parseTime(label.start) - SAMPLE_MS;
  const toMs = parseTime(label.end) + 300_000;
  const own = [...verdicts.incidents.values()]
    .filter(({ first, last }) => {
      const startMs = parseTime(first.detectedAt);
      const endMs = last.resolvedAt === null ? Infinity : parseTime(last.resolvedAt);
      return last.mergedInto === null && startMs <= toMs && endMs >= fromMs;
    })
    .toSorted((a, b) => parseTime(a.first.detectedAt) - parseTime(b.first.detectedAt));
  // One that was open before the fault is not the fault's when another one opens during it.
  const chosen = own.find(({ first }) => parseTime(first.detectedAt) >= fromMs) ?? own[0];
  const rank = (causes: Incident['causes'] = []): number => {
    const services = [...new Set(causes.map(({ service }) => service))];
    return services.findIndex((service) => label.roots.includes(service)) + 1;
  };
  return { ownIncidents: own.length, firstRank: rank(chosen?.first.causes), lastRank: rank(chosen?.last.causes) };
}

function describe(incident: EvaluatedIncident, verdicts: Verdicts, labels: readonly Label[]): FalseIncident {
  const inside = [...verdicts.anomalies.values()].filter(
    ({ knownMs, anomaly }) =>
      knownMs >= incident.startMs &&
      knownMs <= incident.endMs &&
      incident.episodes.some(({ entity }) => entity === anomaly.service),
  );
  const ids = new Set(inside.map(({ anomaly }) => anomaly.incidentId));
  const own = [...verdicts.incidents.values()].find(({ last }) => ids.has(last.id));
  const ended = labels
    .filter(({ benign, end }) => !benign && parseTime(end) <= incident.startMs)
    .toSorted((a, b) => parseTime(b.end) - parseTime(a.end))[0];
  return {
    at: new Date(incident.startMs).toISOString(),
    episodes: incident.episodes.length,
    services: [...new Set(incident.episodes.map(({ entity }) => entity))],
    signals: [...new Set(inside.map(({ anomaly }) => anomaly.signal))],
    title: own?.last.title ?? '',
    benign: labels
      .filter(
        ({ benign, start, end }) =>
          benign && parseTime(start) <= incident.startMs && parseTime(end) + AFTERMATH_MS >= incident.startMs,
      )
      .map(({ kind }) => kind),
    minutesAfterFault: ended ? Math.round((incident.startMs - parseTime(ended.end)) / 60_000) : null,
    lastFault: ended?.kind ?? null,
  };
}
