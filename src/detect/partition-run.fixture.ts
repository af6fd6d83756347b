import type { AlertMessage, FiledAlert, FiledDocuments } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import { createEventBatch, growEventBatch, type EventBatch } from '../model/event-batch.ts';
import type { Incident } from '../model/incident.ts';
import type { Detector } from './detector.ts';
import { createDetector } from './engine.ts';
import { createEdgeCollector } from './edge-collector.ts';
import { hashId } from './identifier.ts';
import { createIncidentBook, type IncidentBook } from './incident-book.ts';
import { testConfig } from './traffic.fixture.ts';

/** Any stable hash will do here. */
export const partitionOf = (key: string, partitions: number): number => parseInt(hashId('', key).slice(1, 9), 16) % partitions;

function copyRow(to: EventBatch, from: EventBatch, i: number): void {
  if (to.count === to.timestamp.length) growEventBatch(to);
  const at = to.count++;
  for (const column of ['timestamp', 'latency', 'weight', 'kind', 'level', 'entity', 'endpoint', 'version'] as const) {
    to[column][at] = from[column][i] as number;
  }
  to.messageStart[at] = from.messageStart[i] as number;
  to.messageEnd[at] = from.messageEnd[i] as number;
  for (const column of ['traceHash', 'spanHash', 'parentHash'] as const) {
    to[column].set(from[column].subarray(2 * i, 2 * i + 2), 2 * at);
  }
}

/** A batch's rows by partition; the bytes stay shared. */
export function split(batch: EventBatch, partitions: number, of: (i: number) => number): EventBatch[] {
  const parts = Array.from({ length: partitions }, () => ({ ...createEventBatch(batch.names, 64), bytes: batch.bytes }));
  for (let i = 0; i < batch.count; i++) copyRow(parts[of(i)] as EventBatch, batch, i);
  return parts;
}

export interface PartitionRun {
  /** Everything told but watermarks, in the order in which it was, partition by partition of each delivery. */
  alerts: FiledAlert[];
  /** The watermark of all, and how many alerts had been told by then. */
  watermarks: { atMs: number; alerts: number }[];
}

export interface RunOptions {
  partitions: number;
  /** Whether partitions hear how far the others are. */
  heartbeats?: boolean;
  config?: Record<string, unknown>;
}

/** The detectors of all partitions at work on the same stream, with the joining of its traces. */
export class PartitionFleet {
  readonly detectors: Detector[];
  readonly run: PartitionRun = { alerts: [], watermarks: [] };
  readonly #options: RunOptions;
  readonly #collectors;
  readonly #said = new Map<string, number>();
  #newestMs = -Infinity;

  constructor(options: RunOptions) {
    this.#options = options;
    const config = testConfig(options.config);
    const numbers = Array.from({ length: options.partitions }, (_, partition) => partition);
    this.detectors = numbers.map((partition) => createDetector({ config, clock: 'events', seed: 1, partition }));
    this.#collectors = numbers.map((partition) => createEdgeCollector(partition));
  }

  observe(batch: EventBatch, clientId: string): void {
    const { partitions, heartbeats = true } = this.#options;
    const byEntity = split(batch, partitions, (i) =>
      partitionOf(batch.names.entities.name(batch.entity[i] as number), partitions),
    );
    const byTrace = split(batch, partitions, (i) => (batch.traceHash[2 * i] as number) % partitions);
    for (let i = 0; i < batch.count; i++) this.#newestMs = Math.max(this.#newestMs, batch.timestamp[i] as number);
    for (const [partition, detector] of this.detectors.entries()) {
      const part = byEntity[partition] as EventBatch;
      if (part.count > 0) detector.observe(part, this.#newestMs, clientId);
      if (heartbeats) detector.advanceTo(this.#newestMs);
      this.#hear(detector.advance(null).alerts);
    }
    for (const [partition, collector] of this.#collectors.entries()) {
      collector.observe(byTrace[partition] as EventBatch);
      if (heartbeats) collector.advanceTo(this.#newestMs);
      this.#hear(collector.take().alerts);
    }
    if (this.#said.size < 2 * partitions) return;
    const atMs = Math.min(...this.#said.values());
    if (atMs > (this.run.watermarks.at(-1)?.atMs ?? -Infinity)) {
      this.run.watermarks.push({ atMs, alerts: this.run.alerts.length });
    }
  }

  #hear(alerts: readonly AlertMessage[]): void {
    for (const alert of alerts) {
      if (alert.type === 'watermark') this.#said.set(`${alert.of} ${alert.partition}`, alert.watermarkMs);
      else this.run.alerts.push(structuredClone(alert));
    }
  }
}

export interface Told {
  anomalies: Map<string, Anomaly>;
  incidents: Map<string, Incident>;
  changes: Map<string, unknown>;
}

export const createTold = (): Told => ({ anomalies: new Map(), incidents: new Map(), changes: new Map() });

export function hear(told: Told, { anomalies, incidents, changes }: FiledDocuments): void {
  for (const anomaly of anomalies) told.anomalies.set(anomaly.id, anomaly);
  for (const incident of incidents) told.incidents.set(incident.id, incident);
  for (const change of changes) told.changes.set(change.id, change);
}

/** Hands the book what is due at each watermark, and in the end the rest. */
export function settleRun({ alerts, watermarks }: PartitionRun, book: IncidentBook = createIncidentBook(testConfig())): Told {
  const told = createTold();
  let waiting: FiledAlert[] = [];
  let heard = 0;
  for (const { atMs, alerts: count } of [...watermarks, { atMs: Infinity, alerts: alerts.length }]) {
    waiting.push(...alerts.slice(heard, count));
    heard = count;
    const due = waiting.filter((alert) => alert.atMs <= atMs);
    waiting = waiting.filter((alert) => alert.atMs > atMs);
    if (due.length > 0) hear(told, book.apply(due));
  }
  return told;
}
