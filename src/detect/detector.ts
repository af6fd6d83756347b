import type { AlertMessage } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { EventBatch } from '../model/event-batch.ts';
import type { IncidentFeedback, QuietRules } from '../model/feedback.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { MetricBatch } from '../model/metric.ts';
import type { ModelRecord, StoredModel } from '../model/model-record.ts';
import type { TemplateCount } from '../model/template.ts';
import type { AddressedPartial, PartialRecord, RecordOrigin } from './partial-record.ts';

/** What a call of `advance` changed; every list may be empty. Each document appears once, in its newest form. */
export interface DetectorOutput {
  anomalies: Anomaly[];
  incidents: Incident[];
  changes: Change[];
  /** Forests trained since the last call; the caller stores them. */
  models: StoredModel[];
  /** Of one partition's detector, which tells this and none of the first three: what it found, and at last how far it is. */
  alerts: AlertMessage[];
}

/** What flows back to the detector from people. */
export type DetectorCommand =
  | { type: 'acknowledge'; incidentId: string; by: string; atMs: number }
  | { type: 'resolve'; incidentId: string; by: string; atMs: number }
  | { type: 'new_normal'; incidentId: string; decision: 'accept' | 'reject'; by: string; atMs: number }
  | { type: 'label'; incidentId: string; feedback: IncidentFeedback | null; by: string; atMs: number }
  | ({ type: 'quiet_rules'; atMs: number } & QuietRules)
  | { type: 'change'; change: Change }
  /** `key` tells one activation from another: what came with the last one's key is not carried out again. */
  | { type: 'activate'; model: StoredModel; key?: string }
  /** The same decisions for a detector that does not group: by the anomalies of the incident. They may come again. */
  | { type: 'mute'; anomalyIds: readonly string[] }
  | { type: 'decide'; anomalyIds: readonly string[]; decision: 'accept' | 'reject' };

/**
 * Events in, anomalies and incidents out. Pure: verdicts depend on the events, their order and the times given to
 * `advance`, on nothing else, so a replay of the same input gives the same ids and the same documents.
 */
export interface Detector {
  /**
   * Adds a record's events to their 10 s sub-windows by event time; those of sub-windows already closed are dropped from detection.
   * `receivedAtMs` bounds the watermark: a client whose clock is ahead makes nobody else late.
   */
  observe(batch: EventBatch, receivedAtMs: number, clientId: string): void;
  /**
   * Adds a record of received metrics; points later than `boundMs` (from a clock that is ahead) are left out. `nextOffset` is that of the
   * metrics log after it.
   */
  observeMetrics(batch: MetricBatch, boundMs: number, nextOffset: number): void;
  /**
   * Closes and scores every sub-window that is complete. `nowMs` is the wall clock on a tick (so that silence is seen),
   * or null when time advances with the data alone (`--clock=events`).
   */
  advance(nowMs: number | null): DetectorOutput;
  /**
   * Event time has come to `timeMs` everywhere, whatever this detector has seen: closes what an event of that time would close. Only where time
   * advances with the data.
   */
  advanceTo(timeMs: number): void;
  /**
   * Adds what the detector of another partition has of services that are judged here, once however often it is told; sub-windows stay open
   * until all who have a share of them have told that they are past.
   */
  observePartial(partial: PartialRecord): void;
  /**
   * What to tell other partitions' detectors after this record, or (`urgent`: nothing may follow for long) of how far time has
   * come: to be in the log before the offset is stored. Empty but for a partition's detector.
   */
  drainPartials(record: RecordOrigin, urgent: boolean): AddressedPartial[];
  /** Error messages counted since the last call, by template and minute; the caller stores them with the offset it has read to. */
  drainTemplates(): TemplateCount[];
  /**
   * Applies a person's command at once; returns the incident it concerned, if the detector knows it (and, for a new normal, if
   * it proposes one). Anomalies that it changes come with the next call of `advance`.
   */
  command(command: DetectorCommand): Incident | undefined;
  /** Everything needed to go on later; a structured-clone-safe value encoded to bytes. */
  snapshot(): Uint8Array;
  restore(payload: Uint8Array): void;
  status(): DetectorStatus;
}

export interface DetectorStatus {
  entities: number;
  openAnomalies: number;
  openIncidents: number;
  /** Event time below which every sub-window is closed, milliseconds since the epoch; -Infinity before the first event. */
  watermarkMs: number;
  lateEvents: number;
  /** Event time since which the stream as a whole is missing although something was expected; -1 while it is not. */
  lateSinceMs: number;
  /** Services without events now: because the data of all is late, as usual for them, or stopped. */
  silent: { late: number; expectedZero: number; dead: number };
  /** Firing anomalies that called nobody: they happen often and are no worse than usual, or a person said so. */
  quietAnomalies: number;
  /** Received metric series that are watched, and the offset of the metrics log after the last record observed. */
  metricSeries: number;
  metricOffset: number;
  activeModels: ModelRecord[];
}
