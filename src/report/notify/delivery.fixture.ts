import type { z } from 'zod';
import { isoTime, ManualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { MetricDefinition, Metrics } from '../../lib/metrics.ts';
import { createPrng } from '../../lib/prng.ts';
import type { Incident } from '../../model/incident.ts';
import type { Report } from '../../model/report.ts';
import { anomaly, incidentOf, ONSET_MS } from '../scenario.fixture.ts';
import { MemoryStore } from '../store.fixture.ts';
import { notifyConfigSchema } from './config.ts';
import type { NotifyConfig } from './config.ts';
import { createDelivery } from './delivery.ts';
import type { Delivery, DeliveryOptions } from './delivery.ts';
import type { Message, Notifier, Sent } from './notifier.ts';

/** A receiver in memory: keeps what it took by key, and fails or hangs as told. */
export class MemoryReceiver implements Notifier {
  readonly kind = 'alertmanager';
  readonly supports: { edit: boolean; dedup: boolean };
  /** All messages that were taken, in order; with `dedup` a known key changes what is there. */
  readonly taken: Message[] = [];
  readonly previous: (Sent | undefined)[] = [];
  /** Distinct messages that people see. */
  readonly posted = new Map<string, Message>();
  calls = 0;
  /** Called before a message is taken; a rejection is the receiver's answer. */
  answer: (message: Message, signal: AbortSignal) => Promise<void> | void = () => {};

  constructor(supports: { edit: boolean; dedup: boolean } = { edit: true, dedup: true }) {
    this.supports = supports;
  }

  async send(message: Message, previous: Sent | undefined, signal: AbortSignal): Promise<Sent> {
    this.calls++;
    await this.answer(message, signal);
    this.taken.push(structuredClone(message));
    this.previous.push(previous);
    const id = this.supports.dedup || previous ? message.key : `${message.key} ${this.taken.length}`;
    this.posted.set(id, message);
    return { ref: { id }, revision: message.revision, state: message.state };
  }
}

/** Sums of counters and values of gauges by "name{label=value,…}". */
export class MemoryMetrics implements Metrics {
  readonly values = new Map<string, number>();

  add(definition: MetricDefinition, value: number, labels?: Record<string, string>): void {
    const key = this.#key(definition, labels);
    this.values.set(key, (this.values.get(key) ?? 0) + value);
  }

  set(definition: MetricDefinition, value: number, labels?: Record<string, string>): void {
    this.values.set(this.#key(definition, labels), value);
  }

  observe(definition: MetricDefinition, value: number, labels?: Record<string, string>): void {
    this.add(definition, value, labels);
  }

  #key({ name }: MetricDefinition, labels: Record<string, string> = {}): string {
    return `${name}{${Object.entries(labels)
      .map(([label, value]) => `${label}=${value}`)
      .join(',')}}`;
  }
}

export const START_MS = ONSET_MS + 60_000;

export function openIncident(id: string, changed: Partial<Incident> = {}): Incident {
  return incidentOf([anomaly('an-1', 'payment', 'error_rate')], { id, ...changed });
}

export function reportOf(incidentId: string, version = 1): Report {
  const sections = { summary: '', impactAssessment: '', rootCauseAnalysis: '' };
  const recommendedActions = { immediate: [], shortTerm: [], longTerm: [] };
  return {
    incidentId,
    version,
    phase: 'facts',
    verdict: 'LIKELY',
    createdAt: isoTime(START_MS),
    sections: { ...sections, recommendedActions },
    timeline: [],
    evidence: [],
    costUsd: 0,
    markdown: `# ${incidentId} ${version}\n`,
  };
}

type Settings = Omit<z.input<typeof notifyConfigSchema>, 'receivers'>;

/** As configuration would have it, with receivers of these names. */
export function notifyConfig(names: readonly string[], settings: Settings = {}): NotifyConfig {
  const receivers = names.map((name) => ({ type: 'teams', name, url: 'https://chat.example.com/hook' }));
  return notifyConfigSchema.parse({ ...settings, receivers });
}

/** Lets everything that waits for nothing but turns of the event loop go on. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 12; turns++) await new Promise(setImmediate);
}

/** One process or more over one store and a clock that is moved by hand. */
export class DeliveryBench implements AsyncDisposable {
  readonly clock = new ManualClock(START_MS);
  readonly store = new MemoryStore();
  readonly metrics = new MemoryMetrics();
  readonly #open = new Set<Delivery>();

  start(receivers: Record<string, Notifier>, settings: Settings = {}, changed: Partial<DeliveryOptions> = {}): Delivery {
    const delivery = createDelivery({
      store: this.store,
      notifiers: new Map(Object.entries(receivers)),
      config: notifyConfig(Object.keys(receivers), settings),
      clock: this.clock,
      prng: createPrng(7),
      logger: silentLogger,
      metrics: this.metrics,
      owner: 'process',
      ...changed,
    });
    this.#open.add(delivery);
    return delivery;
  }

  /** As the pipeline and the reporter would, updated now. */
  put(incident: Incident, report?: Report): void {
    const { documents } = this.store;
    const updated = { ...structuredClone(incident), updatedAt: isoTime(this.clock.nowMs()) };
    documents.incident = [...documents.incident.filter(({ id }) => id !== incident.id), updated];
    if (report) documents.report.push(report);
  }

  async advance(ms: number, stepMs = Math.min(ms, 250)): Promise<void> {
    await settle();
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.advance(Math.min(stepMs, left));
      await settle();
    }
  }

  async stop(delivery: Delivery): Promise<void> {
    this.#open.delete(delivery);
    await delivery[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#open].map((delivery) => delivery[Symbol.asyncDispose]()));
  }
}
