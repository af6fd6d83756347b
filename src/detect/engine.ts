import { assert } from '../lib/assert.ts';
import { HeliosError } from '../lib/errors.ts';
import type { AlertEvidence } from '../model/alert.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { EventBatch } from '../model/event-batch.ts';
import type { Incident } from '../model/incident.ts';
import type { MetricBatch } from '../model/metric.ts';
import type { StoredModel } from '../model/model-record.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import type { TemplateCount } from '../model/template.ts';
import { AlertDraft } from './alert-draft.ts';
import { CallGraph, type CallGraphState } from './call-graph.ts';
import { changeBefore } from './cause-ranking.ts';
import { searchCauses } from './cause-search.ts';
import type { CoMovement } from './co-movement.ts';
import type { DetectConfig } from './config.ts';
import type { Detector, DetectorCommand, DetectorOutput, DetectorStatus } from './detector.ts';
import { RING_REACH_STEPS } from './entity-learning.ts';
import { createEntityState, openEntity, type Entity, type EntityState } from './entity-state.ts';
import { closeEpisode, SIGNALS } from './episode.ts';
import { metricEvidence } from './found-causes.ts';
import { openForestModel } from './forest-model.ts';
import type { IncidentDesk } from './incident-desk.ts';
import { IncidentFiling } from './incident-filing.ts';
import { createKinship } from './kinship.ts';
import { Intake, type IntakeState } from './intake.ts';
import type { AddressedPartial, PartialRecord, RecordOrigin } from './partial-record.ts';
import { PartitionShares, type PartitionMap, type SharesState } from './partition-shares.ts';
import { createTemplateMiner } from './message-template.ts';
import { MetricWatch, type MetricWatchState } from './metric-watch.ts';
import { muteEpisodes, openEpisodes } from './open-episodes.ts';
import { adoptNewNormal } from './new-normal.ts';
import { decodeState, encodeState } from './state-codec.ts';
import { StepGrid, type GridState } from './step-grid.ts';
import type { SubWindow } from './sub-window.ts';
import { statusOf } from './detector-status.ts';
import { TraceWatch, type TraceWatchState } from './trace-watch.ts';
import { createVersionTracker } from './version-changes.ts';
import { watermarkOf } from './watermark.ts';

export interface DetectorOptions {
  config: DetectConfig;
  clock: 'wall' | 'events';
  seed: number;
  /** Of the events that it sees: it then tells `alerts`, and incidents are made of all partitions' elsewhere. Absent: it sees all. */
  partition?: number;
  /** With `partition`: which services it judges, where their events may be in others too; absent: all that it sees. */
  map?: PartitionMap;
}

interface Snapshot {
  version: number;
  windowSteps: number;
  features: string[];
  intake: IntakeState;
  grid: GridState;
  desk: IncidentDesk;
  graph: CallGraphState;
  entities: EntityState[];
  templates: unknown;
  versions: unknown;
  metrics: MetricWatchState;
  traces: TraceWatchState;
  /** Keys of the activations carried out, by service. */
  activations?: Map<string, string>;
  shares?: SharesState;
}

const SNAPSHOT_VERSION = 5;
const OTHER = 'other';
const MINUTE_STEPS = 6;
/** Half an hour: what burns slowly shows over it. */
const SLOW_STEPS = 180;

/** Makes a detector. In wall mode call `advance` with the time only while the log is read to its end. */
export function createDetector(options: DetectorOptions): Detector {
  return new Engine(options);
}

class Engine implements Detector {
  readonly #config: DetectConfig;
  readonly #longest: number;
  readonly #entities = new Map<string, Entity>();
  readonly #pool: SubWindow[] = [];
  readonly #intake: Intake;
  readonly #grid: StepGrid;
  readonly #miner = createTemplateMiner();
  readonly #versions = createVersionTracker();
  readonly #graph = new CallGraph();
  readonly #watch: MetricWatch;
  readonly #traces = new TraceWatch();
  readonly #filing: IncidentFiling;
  readonly #draft: AlertDraft | undefined;
  readonly #shares: PartitionShares | undefined;
  readonly #clock: 'wall' | 'events';
  #activations = new Map<string, string>();

  constructor({ config, clock, seed, partition, map }: DetectorOptions) {
    this.#config = config;
    this.#clock = clock;
    this.#longest = Math.max(1, Math.round(config.window_size / SUB_WINDOW_MS));
    const { allowed_lateness: latenessMs, max_entities: maxEntities } = config;
    const pool = this.#pool;
    if (partition !== undefined && map)
      this.#shares = new PartitionShares({ map, partition, clock, pool, latenessMs, maxEntities });
    this.#intake = new Intake({
      config,
      clock,
      pool,
      shares: this.#shares,
      entityNamed: (name) => this.#entityNamed(name),
      withRequests: (entity) => this.#withRequests(entity),
      entityCount: () => this.#entities.size,
    });
    const lengths = [1, Math.min(MINUTE_STEPS, this.#longest), this.#longest, Math.max(this.#longest, SLOW_STEPS)];
    const movementOf = (service: string): CoMovement | undefined => this.#entities.get(service)?.state.movement;
    this.#filing = new IncidentFiling({
      kinship: createKinship(this.#graph, movementOf),
      gapMs: config.incident_gap,
      onMoved: (incidentOf) => this.#move(incidentOf),
    });
    if (partition !== undefined) {
      const evidence = (fromMs: number, untilMs: number): AlertEvidence[] => metricEvidence(this.#watch.rankAll(fromMs, untilMs));
      this.#draft = new AlertDraft({ partition, evidence, movementOf, latenessMs });
    }
    this.#grid = new StepGrid({
      config,
      seed,
      lengths,
      pool,
      graph: this.#graph,
      changeBefore: (service, startedMs) => changeBefore({ service, startedMs }, this.#filing.desk.changes)?.id ?? null,
      waitsInHoles: partition !== undefined && clock === 'events',
    });
    this.#watch = new MetricWatch({
      seed,
      falseAlarmBudget: config.false_alarm_budget,
      maxSeries: config.metric_series,
      latenessMs,
      idleMs: config.entity_idle,
    });
  }

  observe(batch: EventBatch, receivedAtMs: number, clientId: string): void {
    this.#intake.observe(batch, receivedAtMs, clientId);
    this.#graph.observe(batch);
    // A trace's spans are spread over the partitions.
    if (!this.#draft) this.#traces.observe(batch, this.#intake.state.watermark.newestMs);
    this.#miner.observe(batch);
    this.#versions.observe(batch);
  }

  observeMetrics(batch: MetricBatch, boundMs: number, nextOffset: number): void {
    this.#watch.observe(batch, boundMs, nextOffset);
  }

  observePartial(partial: PartialRecord): void {
    this.#intake.observePartial(partial);
  }

  drainPartials(record: RecordOrigin, urgent: boolean): AddressedPartial[] {
    return this.#shares?.drain(record, urgent, this.#intake.state.endpoints) ?? [];
  }

  advance(nowMs: number | null): DetectorOutput {
    if (nowMs !== null) this.#intake.tick(nowMs);
    const { closedBefore } = this.#intake.state;
    const nowEventMs = closedBefore * SUB_WINDOW_MS;
    this.#shares?.doubt(this.#entities, closedBefore);
    // The home of a service sees new versions among its own share, and tells them alone.
    const changes = this.#versions.drain().filter(({ service }) => !this.#isForeign(service));
    for (const change of changes) {
      this.#filing.recordChange(change, nowEventMs);
      this.#draft?.change(change);
    }
    const models: StoredModel[] = [];
    const closed = this.#grid.closeUntil(closedBefore, this.#entities, (anomaly, atMs) => this.#file(anomaly, atMs));
    models.push(...closed.models);
    this.#fileMetrics();
    if (nowEventMs > 0 && !this.#draft) {
      this.#filing.wake(nowEventMs);
      searchCauses({ filing: this.#filing, graph: this.#graph, traces: this.#traces, watch: this.#watch }, nowEventMs);
    }
    if (closed.lastStep >= 0) this.#evictIdle(closed.lastStep);
    if (this.#draft) {
      const progress = { clock: this.#clock, nowMs, closedMs: this.#closedMs(), latestPointMs: this.#watch.latestMs };
      return { anomalies: [], incidents: [], changes: [], models, alerts: this.#draft.take(progress) };
    }
    return { ...this.#filing.drain(), changes, models, alerts: [] };
  }

  advanceTo(timeMs: number): void {
    assert(this.#clock === 'events', 'on the wall clock time goes on by itself');
    this.#intake.advanceTo(timeMs);
  }

  drainTemplates(): TemplateCount[] {
    return this.#miner.drain();
  }

  command(command: DetectorCommand): Incident | undefined {
    switch (command.type) {
      case 'activate':
        this.#activate(command.model, command.key);
        return undefined;
      case 'quiet_rules':
        this.#filing.setRules(command, command.atMs);
        return undefined;
      case 'change':
        return this.#filing.recordChange(command.change, Date.parse(command.change.at))[0];
      case 'mute':
        muteEpisodes(this.#entities.values(), command.anomalyIds);
        return undefined;
      case 'decide':
        this.#decide(command.decision, new Set(command.anomalyIds));
        return undefined;
      default:
        return this.#judge(command);
    }
  }

  #judge(command: Extract<DetectorCommand, { incidentId: string }>): Incident | undefined {
    const incident = this.#filing.judge(command);
    if (!incident) return undefined;
    if (command.type === 'resolve') muteEpisodes(this.#entities.values(), incident.anomalyIds);
    if (command.type === 'new_normal') this.#decide(command.decision, new Set(incident.anomalyIds));
    return this.#filing.changed(incident.id) ?? incident;
  }

  snapshot(): Uint8Array {
    const snapshot: Snapshot = {
      version: SNAPSHOT_VERSION,
      windowSteps: this.#longest,
      features: [...this.#config.features],
      intake: this.#intake.state,
      grid: this.#grid.state,
      desk: this.#filing.desk,
      graph: this.#graph.state,
      entities: [...this.#entities.values()].map((entity) => entity.state),
      templates: this.#miner.snapshot(),
      versions: this.#versions.snapshot(),
      metrics: this.#watch.state(),
      traces: this.#traces.state,
      ...(this.#draft ? { activations: this.#activations } : {}),
      ...(this.#shares ? { shares: this.#shares.state } : {}),
    };
    return encodeState(snapshot);
  }

  /**
   * Under another window_size or feature list the entities start anew: their history does not fit. Throws `corrupt_data` when
   * the bytes are no snapshot.
   */
  restore(payload: Uint8Array): void {
    const snapshot = decodeState(payload) as Snapshot;
    if (snapshot.version !== SNAPSHOT_VERSION) {
      throw new HeliosError('corrupt_data', `cannot restore the detector: version ${snapshot.version} of its state is unknown`);
    }
    this.#intake.state = snapshot.intake;
    this.#intake.dropCaches();
    this.#grid.state = snapshot.grid;
    this.#filing.desk = snapshot.desk;
    this.#graph.state = snapshot.graph;
    this.#entities.clear();
    this.#shares?.restore(snapshot.shares, watermarkOf(snapshot.intake.watermark));
    for (const state of snapshot.entities) {
      this.#entities.set(state.id, openEntity(state));
      this.#shares?.add(state.id);
    }
    this.#miner.restore(snapshot.templates);
    this.#versions.restore(snapshot.versions);
    this.#watch.restore(snapshot.metrics);
    this.#traces.state = snapshot.traces;
    this.#activations = snapshot.activations ?? new Map();
    this.#filing.forget();
    this.#draft?.forget();
    const fits = snapshot.windowSteps === this.#longest && String(snapshot.features) === String(this.#config.features);
    for (const entity of this.#entities.values()) {
      if (!fits || this.#isForeign(entity.state.id)) this.#evict(entity, snapshot.grid.nextStep - 1);
    }
  }

  status(): DetectorStatus {
    const status = statusOf(this.#entities, this.#grid.state);
    return {
      ...status,
      quietAnomalies: status.quietAnomalies + this.#filing.hushedCount,
      openIncidents: this.#filing.openGroups.length,
      watermarkMs: this.#closedMs(),
      lateEvents: this.#intake.state.lateEvents,
      metricSeries: this.#watch.seriesCount,
      metricOffset: this.#watch.nextOffset,
    };
  }

  #isForeign(name: string): boolean {
    return this.#shares !== undefined && name !== OTHER && this.#shares.isForeign(name);
  }

  #entityNamed(name: string): Entity {
    const known = this.#entities.get(name);
    if (known) return known;
    if (this.#shares && this.#isForeign(name)) return this.#shares.foreign.named(name);
    if (this.#entities.size >= this.#config.max_entities && name !== OTHER) return this.#entityNamed(OTHER);
    const state = createEntityState(name, Math.max(2 * this.#longest, SLOW_STEPS) + RING_REACH_STEPS);
    const entity = openEntity(state);
    this.#entities.set(name, entity);
    this.#shares?.add(name);
    return entity;
  }

  /** What was learned of log records says nothing about requests. */
  #withRequests(entity: Entity): Entity {
    const { id, firstStep } = entity.state;
    if (this.#shares && this.#isForeign(id)) return this.#shares.foreign.withRequests(entity);
    if (firstStep >= 0) this.#evict(entity, this.#grid.state.nextStep - 1);
    const fresh = this.#entityNamed(id);
    fresh.state.hasRequests = true;
    return fresh;
  }

  /** Returns the incident, or null for an anomaly that calls nobody or is filed elsewhere. */
  #file(anomaly: Anomaly, atMs: number): string | null {
    if (!this.#draft) return this.#filing.file(anomaly, atMs);
    this.#draft.anomaly(anomaly, atMs);
    return null;
  }

  #closedMs(): number {
    const { closedBefore } = this.#intake.state;
    return closedBefore < 0 ? -Infinity : closedBefore * SUB_WINDOW_MS;
  }

  #fileMetrics(): void {
    for (const anomaly of this.#watch.advance()) {
      this.#file(anomaly, Date.parse(anomaly.resolvedAt ?? anomaly.window.to));
    }
  }

  #move(incidentOf: ReadonlyMap<string, string>): void {
    for (const episode of openEpisodes(this.#entities.values())) {
      const incidentId = episode.anomaly && incidentOf.get(episode.anomaly.id);
      if (!incidentId) continue;
      episode.anomaly = { ...(episode.anomaly as Anomaly), incidentId };
      this.#filing.note(episode.anomaly);
    }
  }

  /** Carries a person's verdict on a new normal to the anomalies that propose it. */
  #decide(decision: 'accept' | 'reject', anomalyIds: ReadonlySet<string>): void {
    const { nextStep } = this.#grid.state;
    const state = decision === 'accept' ? ('accepted' as const) : ('rejected' as const);
    for (const entity of this.#entities.values()) {
      for (const signal of SIGNALS) {
        const episode = entity.state.episodes[signal];
        const { anomaly, startStep } = episode;
        if (!anomaly?.newNormal || !anomalyIds.has(anomaly.id)) continue;
        // Partitions' detectors hear every decision again at each start.
        if (this.#draft && anomaly.newNormal.state !== 'proposed') continue;
        episode.anomaly = { ...anomaly, newNormal: { ...anomaly.newNormal, state } };
        if (decision === 'accept') {
          adoptNewNormal(entity, signal, startStep, nextStep - 1);
          this.#file(closeEpisode(episode, nextStep) as Anomaly, nextStep * SUB_WINDOW_MS);
        } else if (this.#draft) this.#draft.anomaly(episode.anomaly, nextStep * SUB_WINDOW_MS);
        else this.#filing.note(episode.anomaly);
      }
    }
  }

  #activate(model: StoredModel, key: string | undefined): void {
    const { service } = model.record;
    if (key !== undefined && this.#activations.get(service) === key) return;
    const entity = this.#entities.get(service);
    if (!entity) return;
    if (key !== undefined) this.#activations.set(service, key);
    entity.state.forest.model = model;
    entity.model = openForestModel(model);
  }

  #evictIdle(step: number): void {
    const idleSteps = this.#config.entity_idle / SUB_WINDOW_MS;
    for (const entity of this.#entities.values()) {
      const { open, lastEventStep } = entity.state;
      if (open.size === 0 && step - lastEventStep >= idleSteps) this.#evict(entity, step);
    }
  }

  /** Forgets an entity; what it had open is resolved as of the end of `step`. */
  #evict({ state }: Entity, step: number): void {
    for (const signal of SIGNALS) {
      const resolved = state.episodes[signal].open ? closeEpisode(state.episodes[signal], step + 1) : undefined;
      if (resolved) this.#file(resolved, (step + 1) * SUB_WINDOW_MS);
    }
    this.#entities.delete(state.id);
    this.#shares?.remove(state.id);
    this.#intake.dropCaches();
  }
}
