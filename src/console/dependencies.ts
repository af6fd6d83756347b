import type { FastifyServerFactory } from 'fastify';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Authorize } from '../model/access.ts';
import type { ClientReport } from '../model/client.ts';
import type { FeedbackService } from '../model/feedback.ts';
import type { Change, Incident } from '../model/incident.ts';
import type { GridTable, ModelComparison, ModelRecord } from '../model/model-record.ts';
import type { Feature } from '../model/rollup.ts';
import type { Simulation, SimulationStatus } from '../model/simulation.ts';
import type { SpendingReader } from '../model/spending.ts';
import type { MetricStore } from '../store/metric-store.ts';
import type { Page, Store } from '../store/store.ts';
import type { ConsoleConfig } from './config.ts';
import type { McpDependencies } from './mcp/mcp-dependencies.ts';
import type { StreamHub } from './stream-hub.ts';

export const SLACK_ACTIONS = ['acknowledge', 'real', 'expected', 'false_alarm', 'new_normal'] as const;

export interface SlackAction {
  incidentId: string;
  action: (typeof SLACK_ACTIONS)[number];
  /** "ada (Slack)". */
  by: string;
}

/** What the buttons of messages in Slack do. */
export interface SlackInteractions {
  /** Of the apps whose messages have buttons. */
  signingSecrets: () => readonly string[];
  /** Called after the answer has gone out; a rejection is logged. */
  onAction: (action: SlackAction) => Promise<void>;
}

export type NewNormalDecision = 'accept' | 'reject';

/** What people do to incidents. Whoever implements it also publishes the outcome on the stream. */
export interface Control {
  /** Undefined when there is no such incident; rejects with `conflict` when its status forbids it. */
  acknowledge(incidentId: string, by: string): Promise<Incident | undefined>;
  resolve(incidentId: string, by: string): Promise<Incident | undefined>;
  /** Accepts or rejects a shift that stays; rejects with `conflict` when the incident proposes none, or it is decided or over. */
  decideNewNormal(incidentId: string, decision: NewNormalDecision, by: string): Promise<Incident | undefined>;
  /** Resolves once the change is stored. The same id again replaces it. */
  recordChange(change: Change): Promise<void>;
}

export interface TrainRequest {
  /** Entity id or bare service name; absent: every service with enough history. */
  service?: string;
  /** Inclusive and exclusive, milliseconds since the epoch; absent: all the history there is. */
  fromMs?: number;
  toMs?: number;
  /** Looks for the best hyper-parameters first, by stability. */
  grid?: boolean;
}

export interface Training {
  /** None when no service has enough history. */
  models: ModelRecord[];
  /** Null when no grid was asked for, or no service has enough history for one. */
  grid: GridTable | null;
}

export interface CompareRequest {
  versions: readonly [string, string];
  fromMs?: number;
  toMs?: number;
  /** When the service was abnormal, by a person; absent: not known. */
  labels?: readonly { fromMs: number; toMs: number }[];
}

export interface PredictRequest {
  service: string;
  /** Values of one window in the units of `FEATURE_UNITS`; features of the model that are left out are `invalid_argument`. */
  features: Partial<Record<Feature, number>>;
}

export interface Prediction {
  version: string;
  service: string;
  /** `score_samples` convention: -1..0, lower is worse. */
  score: number;
  isAnomaly: boolean;
  /** Scores below it are anomalies. */
  threshold: number;
  /** Largest share first; shares sum to at most 1. */
  contributions: { feature: Feature; share: number }[];
}

/** How a model scored the history it was trained on. */
export type ModelMetrics = Pick<ModelRecord, 'version' | 'service' | 'state' | 'trainedAt'> & ModelRecord['metrics'];

export interface ModelService {
  /** Trains on windows outside incidents. */
  train(request: TrainRequest): Promise<Training>;
  /** Rejects with `not_found` while the service has no active model. */
  predict(request: PredictRequest): Promise<Prediction>;
  list(): Promise<ModelRecord[]>;
  metrics(): Promise<ModelMetrics[]>;
  /** Rejects with `not_found` when the version is unknown. */
  activate(version: string): Promise<ModelRecord>;
  /** Activates the version that was active before; `not_found` without an active one, `conflict` without one before. */
  rollBack(service: string): Promise<ModelRecord>;
  /** Rejects with `not_found` for an unknown version, `invalid_argument` when the two have nothing in common. */
  compare(request: CompareRequest): Promise<ModelComparison>;
}

export interface SimulationRequest {
  /** Values by key of anomaly_detection, full or short. */
  overrides: Readonly<Record<string, unknown>>;
  fromMs?: number;
  toMs?: number;
  /** Entity id or bare service name; absent: all. */
  service?: string;
}

/** What would have fired under other settings. Whoever implements it also publishes progress on the stream. */
export interface Simulations {
  /** Throws `invalid_argument` for keys and values that the configuration would refuse, `overloaded` when too many wait. */
  create(request: SimulationRequest): Simulation;
  get(id: string): Simulation | undefined;
  /** Newest first. */
  list(): SimulationStatus[];
  /** Undefined when there is no such one; rejects with `conflict` when it has ended. */
  cancel(id: string): Promise<Simulation | undefined>;
}

/** Who sends to the ingest doors. */
export interface ClientDirectory {
  /** Most recently seen first; `client` narrows to one. The cursor is the offset of the next page. */
  list(query: { client?: string; offset: number; limit: number }): Page<ClientReport>;
}

export interface Readiness {
  ready: boolean;
  reasons: { name: string; reason: string }[];
}

/** What every process serves, whatever its roles. */
export interface ProcessDependencies {
  authorize: Authorize;
  /** `nowMs` is what "the last hour" ends at: the event time when the clock follows the data. */
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  version: string;
  readiness: () => Readiness;
  /** The Prometheus text format, version 0.0.4. */
  renderMetrics: () => Promise<string>;
  /** Lets other handlers share the server, such as the hot ingest route. */
  serverFactory?: FastifyServerFactory;
}

export interface ConsoleDependencies extends ProcessDependencies {
  store: Store;
  metricStore: MetricStore;
  config: ConsoleConfig;
  control: Control;
  models: ModelService;
  simulations: Simulations;
  clients: ClientDirectory;
  /** Absent: its routes are not there. */
  feedback?: FeedbackService;
  /** Absent: its routes are not there. */
  spending?: SpendingReader;
  /** Absent: its route is not there. */
  slack?: SlackInteractions;
  /** Real time, where `clock` follows the data; absent: `clock`. */
  wallClock?: Clock;
  /** Absent: there is no /mcp. */
  mcp?: McpDependencies;
  stream: StreamHub;
}
