import { HeliosError } from '../lib/errors.ts';
import type { Anomaly } from '../model/anomaly.ts';
import type { EventBatch } from '../model/event-batch.ts';
import type { Incident } from '../model/incident.ts';
import type { StoredModel } from '../model/model-record.ts';
import { SUB_WINDOW_MS } from '../model/rollup.ts';
import type { TemplateCount } from '../model/template.ts';
import { CallGraph, type CallGraphState } from './call-graph.ts';
import type { DetectConfig } from './config.ts';
import type { Detector, DetectorCommand, DetectorOutput, DetectorStatus } from './detector.ts';
import { RING_REACH_STEPS } from './entity-learning.ts';
import { createEntityState, openEntity, type Entity, type EntityState } from './entity-state.ts';
import { closeEpisode, SIGNALS } from './episode.ts';
import { openForestModel } from './forest-model.ts';
import { createIncidentDesk, fileAnomaly, judgeIncident, openGroups, recordChange, type IncidentDesk } from './incident-desk.ts';
import { Intake, type IntakeState } from './intake.ts';
import { createTemplateMiner } from './message-template.ts';
import { decodeState, encodeState } from './state-codec.ts';
import { StepGrid, type GridState } from './step-grid.ts';
import type { SubWindow } from './sub-window.ts';
import { createVersionTracker } from './version-changes.ts';

export interface DetectorOptions {
  config: DetectConfig;
  clock: 'wall' | 'events';
  seed: number;
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
}

const SNAPSHOT_VERSION = 2;
const OTHER = 'other';
const MINUTE_STEPS = 6;

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
  #desk = createIncidentDesk();
  #anomalies = new Map<string, Anomaly>();
  #incidents = new Map<string, Incident>();

  constructor({ config, clock, seed }: DetectorOptions) {
    this.#config = config;
    this.#longest = Math.max(1, Math.round(config.window_size / SUB_WINDOW_MS));
    this.#intake = new Intake({
      config,
      clock,
      pool: this.#pool,
      entityNamed: (name) => this.#entityNamed(name),
      withRequests: (entity) => this.#withRequests(entity),
      entityCount: () => this.#entities.size,
    });
    const lengths = [1, Math.min(MINUTE_STEPS, this.#longest), this.#longest];
    this.#grid = new StepGrid({ config, seed, lengths, pool: this.#pool });
  }

  observe(batch: EventBatch, receivedAtMs: number, clientId: string): void {
    this.#intake.observe(batch, receivedAtMs, clientId);
    this.#graph.observe(batch);
    this.#miner.observe(batch);
    this.#versions.observe(batch);
  }

  advance(nowMs: number | null): DetectorOutput {
    if (nowMs !== null) this.#intake.tick(nowMs);
    const nowEventMs = this.#intake.state.closedBefore * SUB_WINDOW_MS;
    const changes = this.#versions.drain();
    for (const change of changes) this.#publish(recordChange(this.#desk, change, this.#graph, nowEventMs));
    const models: StoredModel[] = [];
    const closed = this.#grid.closeUntil(this.#intake.state.closedBefore, this.#entities, (anomaly, atMs) =>
      this.#file(anomaly, atMs),
    );
    models.push(...closed.models);
    if (closed.lastStep >= 0) this.#evictIdle(closed.lastStep);
    const output = {
      anomalies: [...this.#anomalies.values()],
      incidents: [...this.#incidents.values()],
      changes,
      models,
    };
    this.#anomalies.clear();
    this.#incidents.clear();
    return output;
  }

  drainTemplates(): TemplateCount[] {
    return this.#miner.drain();
  }

  command(command: DetectorCommand): Incident | undefined {
    if (command.type === 'activate') {
      this.#activate(command.model);
      return undefined;
    }
    if (command.type === 'change') {
      const touched = recordChange(this.#desk, command.change, this.#graph, Date.parse(command.change.at));
      this.#publish(touched);
      return touched[0];
    }
    const group = judgeIncident(this.#desk, command);
    if (!group) return undefined;
    if (command.type === 'resolve') this.#mute(new Set(group.incident.anomalyIds));
    this.#publish([group.incident]);
    return group.incident;
  }

  snapshot(): Uint8Array {
    const snapshot: Snapshot = {
      version: SNAPSHOT_VERSION,
      windowSteps: this.#longest,
      features: [...this.#config.features],
      intake: this.#intake.state,
      grid: this.#grid.state,
      desk: this.#desk,
      graph: this.#graph.state,
      entities: [...this.#entities.values()].map((entity) => entity.state),
      templates: this.#miner.snapshot(),
      versions: this.#versions.snapshot(),
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
    this.#desk = snapshot.desk;
    this.#graph.state = snapshot.graph;
    this.#entities.clear();
    for (const state of snapshot.entities) this.#entities.set(state.id, openEntity(state));
    this.#miner.restore(snapshot.templates);
    this.#versions.restore(snapshot.versions);
    this.#anomalies.clear();
    this.#incidents.clear();
    const fits = snapshot.windowSteps === this.#longest && String(snapshot.features) === String(this.#config.features);
    if (!fits) for (const entity of this.#entities.values()) this.#evict(entity, snapshot.grid.nextStep - 1);
  }

  status(): DetectorStatus {
    const { closedBefore, lateEvents } = this.#intake.state;
    const entities = [...this.#entities.values()];
    let openAnomalies = 0;
    for (const { state } of entities) for (const signal of SIGNALS) if (state.episodes[signal].open) openAnomalies++;
    return {
      entities: entities.length,
      openAnomalies,
      openIncidents: openGroups(this.#desk).length,
      watermarkMs: closedBefore < 0 ? -Infinity : closedBefore * SUB_WINDOW_MS,
      lateEvents,
      activeModels: entities.flatMap(({ model }) => (model ? [model.record] : [])),
    };
  }

  #entityNamed(name: string): Entity {
    const known = this.#entities.get(name);
    if (known) return known;
    if (this.#entities.size >= this.#config.max_entities && name !== OTHER) return this.#entityNamed(OTHER);
    const state = createEntityState(name, 2 * this.#longest + RING_REACH_STEPS);
    const entity = openEntity(state);
    this.#entities.set(name, entity);
    return entity;
  }

  /** What was learned of log records says nothing about requests. */
  #withRequests(entity: Entity): Entity {
    const { id, firstStep } = entity.state;
    if (firstStep >= 0) this.#evict(entity, this.#grid.state.nextStep - 1);
    const fresh = this.#entityNamed(id);
    fresh.state.hasRequests = true;
    return fresh;
  }

  #file(anomaly: Anomaly, atMs: number): string {
    const [filed, incident] = fileAnomaly(this.#desk, anomaly, this.#graph, this.#config.incident_gap, atMs);
    this.#anomalies.set(filed.id, filed);
    this.#incidents.set(incident.id, incident);
    return incident.id;
  }

  #publish(incidents: readonly Incident[]): void {
    for (const incident of incidents) this.#incidents.set(incident.id, incident);
  }

  #mute(anomalyIds: ReadonlySet<string>): void {
    for (const { state } of this.#entities.values()) {
      for (const signal of SIGNALS) {
        const episode = state.episodes[signal];
        if (episode.anomaly && anomalyIds.has(episode.anomaly.id)) episode.muted = true;
      }
    }
  }

  #activate(model: StoredModel): void {
    const entity = this.#entities.get(model.record.service);
    if (!entity) return;
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
    this.#intake.dropCaches();
  }
}
