import { createPrng, type Prng } from '../lib/prng.ts';
import { createEventBatch, createNames, growEventBatch, type EventBatch, type Names } from '../model/event-batch.ts';
import { KIND_EVENT, LEVEL_ERROR, LEVEL_INFO } from '../model/event.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { Incident } from '../model/incident.ts';
import { detectConfigSchema, type DetectConfig } from './config.ts';
import type { Detector } from './detector.ts';

/** What a synthetic service does at one moment. */
export interface Condition {
  /** Events per second. */
  rate: number;
  errorRate: number;
  /** Median latency, ms; log-normal with sigma 0.5. */
  latencyMs: number;
}

export interface SyntheticService {
  name: string;
  at(timeMs: number): Condition;
}

export const STEP_MS = 10_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** A Monday, 00:00 UTC. */
export const START_MS = Date.UTC(2025, 9, 6);

export function steady(name: string, condition: Partial<Condition> = {}): SyntheticService {
  const whole = { rate: 20, errorRate: 0.01, latencyMs: 50, ...condition };
  return { name, at: () => whole };
}

/** Busy by day and at a tenth by night, with less on Saturday and Sunday. */
export function seasonal(name: string, condition: Partial<Condition> = {}): SyntheticService {
  const whole = { rate: 20, errorRate: 0.01, latencyMs: 50, ...condition };
  return {
    name,
    at(timeMs) {
      const day = (timeMs - START_MS) / DAY_MS;
      const shape = 0.55 - 0.45 * Math.cos(2 * Math.PI * (day - 0.125));
      const weekday = ((Math.floor(day) % 7) + 7) % 7;
      return { ...whole, rate: whole.rate * shape * (weekday >= 5 ? 0.7 : 1) };
    },
  };
}

/** Changes a service between two times. */
export function during(
  service: SyntheticService,
  fromMs: number,
  toMs: number,
  change: (usual: Condition) => Partial<Condition>,
) {
  return {
    name: service.name,
    at(timeMs: number) {
      const usual = service.at(timeMs);
      return timeMs >= fromMs && timeMs < toMs ? { ...usual, ...change(usual) } : usual;
    },
  };
}

function poisson(prng: Prng, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * prng.normal()));
  let count = 0;
  for (let sum = prng.exponential(); sum < mean; sum += prng.exponential()) count++;
  return count;
}

export function addRow(batch: EventBatch, name: string, timeMs: number, isError: boolean, latencyMs: number, endpoint = 1): void {
  if (batch.count === batch.timestamp.length) growEventBatch(batch);
  const i = batch.count++;
  batch.timestamp[i] = timeMs;
  batch.latency[i] = latencyMs;
  batch.kind[i] = KIND_EVENT;
  batch.level[i] = isError ? LEVEL_ERROR : LEVEL_INFO;
  batch.entity[i] = idOf(batch.names, name);
  batch.endpoint[i] = idOf(batch.names, endpoint);
}

const known = new WeakMap<Names, Map<string | number, number>>();

function idOf(names: Names, key: string | number): number {
  let ids = known.get(names);
  if (!ids) known.set(names, (ids = new Map()));
  let id = ids.get(key);
  if (id === undefined) {
    id = typeof key === 'string' ? names.entities.internString(key) : names.endpoints.internString(`/endpoint-${key}`);
    ids.set(key, id);
  }
  return id;
}

/** One step's events of all services in order of time; `burstiness` is the relative spread of a step's rate. */
export function fillStep(
  batch: EventBatch,
  services: readonly SyntheticService[],
  stepMs: number,
  prng: Prng,
  burstiness = 0.1,
): void {
  batch.count = 0;
  const rows: { at: number; name: string; condition: Condition }[] = [];
  for (const service of services) {
    const condition = service.at(stepMs);
    const burst = Math.exp(burstiness * prng.normal());
    const count = poisson(prng, condition.rate * burst * (STEP_MS / 1000));
    for (let i = 0; i < count; i++) rows.push({ at: stepMs + prng.next() * STEP_MS, name: service.name, condition });
  }
  rows.sort((a, b) => a.at - b.at);
  for (const { at, name, condition } of rows) {
    const latency = condition.latencyMs * Math.exp(0.5 * prng.normal());
    addRow(batch, name, at, prng.next() < condition.errorRate, latency, 1 + prng.below(5));
  }
}

export function testConfig(overrides: Record<string, unknown> = {}): DetectConfig {
  return detectConfigSchema.parse(overrides);
}

export function newBatch(names: Names = createNames()): EventBatch {
  return createEventBatch(names, 256);
}

/** Everything a detector said, newest form of each document by id, and every emission in order. */
export interface Verdicts {
  anomalies: Map<string, Anomaly>;
  incidents: Map<string, Incident>;
  emitted: Anomaly[];
}

export function createVerdicts(): Verdicts {
  return { anomalies: new Map(), incidents: new Map(), emitted: [] };
}

export function collect(detector: Detector, verdicts: Verdicts, nowMs: number | null = null): void {
  const { anomalies, incidents } = detector.advance(nowMs);
  verdicts.emitted.push(...anomalies);
  for (const anomaly of anomalies) verdicts.anomalies.set(anomaly.id, anomaly);
  for (const incident of incidents) verdicts.incidents.set(incident.id, incident);
}

export interface Run {
  detector: Detector;
  services: readonly SyntheticService[];
  fromMs: number;
  toMs: number;
  seed?: number;
  verdicts?: Verdicts;
  batch?: EventBatch;
  burstiness?: number;
}

/** Plays synthetic traffic through a detector in event time. */
export function play({ detector, services, fromMs, toMs, seed = 1, burstiness, ...rest }: Run): Verdicts {
  const verdicts = rest.verdicts ?? createVerdicts();
  const batch = rest.batch ?? newBatch();
  for (let at = fromMs; at < toMs; at += STEP_MS) {
    fillStep(batch, services, at, createPrng(seed * 1_000_003 + at / STEP_MS), burstiness);
    detector.observe(batch, at, '');
    collect(detector, verdicts);
  }
  return verdicts;
}
