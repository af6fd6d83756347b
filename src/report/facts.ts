import type { Cause, Incident } from '../model/incident.ts';
import type { ReportConfig } from './config.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import { callFacts } from './evidence-calls.ts';
import type { CallFacts } from './evidence-calls.ts';
import { loadAnomalies, serviceFacts } from './evidence-anomalies.ts';
import type { AnomalyFacts, ServiceFacts } from './evidence-anomalies.ts';
import { changeFacts, nearestChange } from './evidence-changes.ts';
import type { ChangeFacts } from './evidence-changes.ts';
import { historyFacts } from './evidence-history.ts';
import type { HistoryFacts } from './evidence-history.ts';
import { impactFacts } from './evidence-impact.ts';
import type { ImpactFacts } from './evidence-impact.ts';
import { RISE_FACTOR, templateFacts } from './evidence-templates.ts';
import type { TemplateFacts } from './evidence-templates.ts';
import { countFact } from './evidence-derived.ts';
import { cite, citeKnown } from './evidence.ts';
import type { Fact, NumberFact } from './evidence.ts';
import type { Patience } from './patience.ts';
import { floorTo, periodOf } from './period.ts';
import type { Period } from './period.ts';
import { askingOnce, documentAnswer } from './query.ts';
import type { EvidenceStore } from './query.ts';

const MAX_SERVICES = 8;
const MAX_TEMPLATE_SERVICES = 3;
/** A change shows in `service.version` only with the first event that carries it, so it may seem to follow the onset. */
const CHANGE_SLACK_MS = 60_000;

/** A ranked cause and its reason as evidence. */
export interface CauseFacts {
  cause: Cause;
  reason: Fact;
}

/** Everything that a report says, with where each number comes from. Rendering it needs no store. */
export interface Facts {
  incident: Incident;
  period: Period;
  /** The service that the report is about: the first cause's, else the first to deviate. */
  lead: string;
  /** Affected services in order of onset; those without a stored anomaly are missing. */
  services: ServiceFacts[];
  /** The anomaly that stands for the lead service. */
  main: AnomalyFacts | undefined;
  causes: Cause[];
  /** The same, each with its reason. */
  reasons: CauseFacts[];
  /** Who calls whom among the affected services, as far as events tell. */
  calls: CallFacts[];
  /** For the lead service first, then the others by onset. */
  impact: ImpactFacts[];
  changes: ChangeFacts[];
  /** Of all services, as cited where there are none of those affected. */
  changeCount: NumberFact | undefined;
  nearest: ChangeFacts | undefined;
  templates: TemplateFacts[];
  history: HistoryFacts;
  moments: {
    title: Fact;
    services: NumberFact | undefined;
    startedAt: Fact;
    detectedAt: Fact;
    acknowledgedAt: Fact | undefined;
    resolvedAt: Fact | undefined;
  };
  changeWindowMs: number;
}

function mainOf(incident: Incident, services: ServiceFacts[], lead: string): AnomalyFacts | undefined {
  const anomalies = services.find(({ service }) => service === lead)?.anomalies ?? [];
  const cause = incident.causes[0];
  const named = anomalies.find(({ anomaly }) => cause?.evidence.includes(anomaly.id));
  if (named) return named;
  const bySignal = anomalies.filter(({ anomaly }) => anomaly.signal === cause?.signal);
  return (bySignal.length > 0 ? bySignal : anomalies).toSorted((a, b) => b.anomaly.score - a.anomaly.score)[0];
}

function momentsOf(incident: Incident, lead: string, period: Period): Facts['moments'] {
  const answer = documentAnswer('incident', incident);
  const meta = { type: 'incident', service: lead, fromMs: period.onsetMs, toMs: period.endMs } as const;
  return {
    title: citeKnown(answer, '/title', meta),
    services: countFact(answer, '/services', { ...meta, unit: 'services' }),
    startedAt: citeKnown(answer, '/startedAt', meta),
    detectedAt: citeKnown(answer, '/detectedAt', meta),
    acknowledgedAt: cite(answer, '/acknowledgedAt', meta),
    resolvedAt: cite(answer, '/resolvedAt', meta),
  };
}

/** The likeliest first. */
function reasonsOf(incident: Incident, period: Period): CauseFacts[] {
  const answer = documentAnswer('incident', incident);
  const range = { fromMs: period.onsetMs, toMs: period.endMs };
  const found = incident.causes.map((cause, i) => ({
    cause,
    reason: citeKnown(answer, `/causes/${i}/reason`, { type: 'incident', service: cause.service, ...range }),
  }));
  return found.toSorted((a, b) => a.cause.rank - b.cause.rank);
}

/** Up to when what happened to an incident that goes on is stored, at most until it is reported once more. */
async function knownUntil(store: EvidenceStore, incident: Incident, rebuildMs: number): Promise<number | undefined> {
  if (incident.status === 'resolved') return undefined;
  const fromMs = Date.parse(incident.detectedAt);
  const toMs = fromMs + rebuildMs;
  const services = await store.services({ fromMs, toMs });
  const newestMs = Math.max(...services.map(({ lastSeen }) => Date.parse(lastSeen)));
  // The newest event's sub-window is open, and the one before may still get late events.
  return Number.isFinite(newestMs) ? Math.min(toMs, floorTo(newestMs, SUB_WINDOW_MS) - SUB_WINDOW_MS) : undefined;
}

/** The stored incident when it is at least as new as the one given: that is what the API answers. */
async function newest(store: EvidenceStore, incident: Incident): Promise<Incident> {
  const stored = await store.get('incident', incident.id);
  return stored && Date.parse(stored.updatedAt) >= Date.parse(incident.updatedAt) ? stored : incident;
}

/** Whether a risen message rose more than the traffic that brings it; always true of new and vanished ones. */
function outgrowsTraffic({ change, ratio, service }: TemplateFacts, impact: ImpactFacts[], period: Period): boolean {
  const { during, before } = impact.find((hit) => hit.service === service) ?? {};
  if (change !== 'risen' || !during || !before || before.events.value === 0) return true;
  const rate = during.events.value / (period.endMs - period.onsetMs);
  const growth = (rate * period.before.stepMs) / before.events.value;
  return ratio >= RISE_FACTOR * Math.max(1, growth);
}

/** Asks the store for everything about an incident; independent questions at the same time. */
export async function collectFacts(
  stored: EvidenceStore,
  given: Incident,
  config: Pick<ReportConfig, 'lookback' | 'change_window' | 'rebuild_after'>,
  patience: Patience,
): Promise<Facts> {
  const store = askingOnce(stored);
  const incident = await newest(store, given);
  const [anomalies, knownMs] = await Promise.all([
    loadAnomalies(store, incident),
    knownUntil(store, incident, config.rebuild_after),
  ]);
  const period = periodOf(incident, anomalies, config.lookback, knownMs);
  const byOnset = [...new Set([...anomalies.map(({ service }) => service), ...incident.services])];
  const lead = incident.causes[0]?.service ?? byOnset[0] ?? 'unknown';
  const ordered = [...new Set([lead, ...byOnset])].slice(0, MAX_SERVICES);
  const detailed = anomalies.filter(({ service }) => ordered.includes(service));
  const signals = Map.groupBy(anomalies, ({ service }) => service);
  const affected = ordered.map((service) => ({
    service,
    signals: new Set(signals.get(service)?.map(({ signal }) => signal)),
  }));
  const [services, impact, { changes, count: changeCount }, templates, history, calls] = await Promise.all([
    serviceFacts(store, detailed, period),
    impactFacts(store, affected, period, patience),
    changeFacts(store, ordered, period, config.change_window),
    Promise.all(ordered.slice(0, MAX_TEMPLATE_SERVICES).map((service) => templateFacts(store, service, period, patience))),
    historyFacts(store, incident, lead, period),
    callFacts(store, ordered, period, patience),
  ]);
  return {
    incident,
    period,
    lead,
    services,
    main: mainOf(incident, services, lead),
    causes: incident.causes.toSorted((a, b) => a.rank - b.rank),
    reasons: reasonsOf(incident, period),
    calls,
    impact,
    changes,
    changeCount,
    nearest: nearestChange(changes, [lead], CHANGE_SLACK_MS) ?? nearestChange(changes, ordered, CHANGE_SLACK_MS),
    templates: templates.flat().filter((template) => outgrowsTraffic(template, impact, period)),
    history,
    moments: momentsOf(incident, lead, period),
    changeWindowMs: config.change_window,
  };
}
