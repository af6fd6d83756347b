import type { DetectConfig } from '../detect/config.ts';
import type { DetectorCommand } from '../detect/detector.ts';
import { DEFAULT_GRID, gridFeatureSets, gridTableOf, searchForestGrid, type GridHistory } from '../detect/forest-grid.ts';
import { MIN_TRAINING_WINDOWS, openForestModel, trainForestModel, type ForestModel } from '../detect/forest-model.ts';
import { compareModels } from '../detect/model-comparison.ts';
import type {
  CompareRequest,
  ModelMetrics,
  ModelService,
  Prediction,
  PredictRequest,
  Training,
  TrainRequest,
} from '../console/dependencies.ts';
import { isoTime, type Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { GridRow, GridTable, ModelComparison, ModelRecord, StoredModel } from '../model/model-record.ts';
import { FEATURES, type Feature } from '../model/rollup.ts';
import type { ServiceSummary, Store } from '../store/store.ts';
import { storedWindows, trainingWindows } from './training-windows.ts';

/** Windows of one service that a model is trained on at most; the newest. */
const MAX_TRAINING_WINDOWS = 8_640;
/** A grid search looks at the busiest ones; what is best for them is taken for all. */
const MAX_GRID_SERVICES = 8;
const SEED = 1;

export interface ModelServiceOptions {
  store: Store;
  config: DetectConfig;
  /** Event time when the clock follows the data. */
  clock: Clock;
  command: (command: DetectorCommand) => Promise<unknown>;
}

/** Trains on stored rollups, scores on request, and tells the detector which model speaks. */
export class StoredModelService implements ModelService {
  readonly #options: ModelServiceOptions;

  constructor(options: ModelServiceOptions) {
    this.#options = options;
  }

  async #trainService(service: string, fromMs: number, toMs: number, chosen?: GridRow): Promise<ModelRecord | null> {
    const { store, config, clock } = this.#options;
    const stepMs = config.window_size;
    const from = Math.max(fromMs, toMs - MAX_TRAINING_WINDOWS * stepMs);
    const features = (chosen?.features as Feature[] | undefined) ?? config.features;
    const windows = await trainingWindows(store, { service, fromMs: from, toMs, stepMs }, features);
    if (windows.rows.length < MIN_TRAINING_WINDOWS) return null;
    const model = trainForestModel({
      service,
      windows,
      features,
      contamination: chosen?.contamination ?? config.contamination,
      seed: SEED,
      windowMs: stepMs,
      trainedAtMs: clock.nowMs(),
      trainedFromMs: from,
      trainedToMs: toMs,
      ...(chosen ? { treeCount: chosen.trees, maxSamples: chosen.samples } : {}),
    });
    const version = await store.models.add(model);
    return { ...model.record, version, state: 'inactive' };
  }

  /** Undefined when no service has enough history. */
  async #searchGrid(services: readonly ServiceSummary[], request: TrainRequest, toMs: number): Promise<GridTable | undefined> {
    const { store, config, clock } = this.#options;
    const stepMs = config.window_size;
    const histories: GridHistory[] = [];
    const busiest = services.toSorted((a, b) => b.eventCount - a.eventCount).slice(0, MAX_GRID_SERVICES);
    for (const { service, firstSeen } of busiest) {
      const fromMs = Math.max(request.fromMs ?? 0, Date.parse(firstSeen), toMs - MAX_TRAINING_WINDOWS * stepMs);
      const windows = await trainingWindows(store, { service, fromMs, toMs, stepMs }, FEATURES);
      histories.push({ rows: windows.rows, truth: null });
    }
    // Only labels could say which share is abnormal: stability would prefer whatever flags most.
    const contaminations = [config.contamination];
    const featureSets = gridFeatureSets(config.features);
    const search = searchForestGrid({ ...DEFAULT_GRID, contaminations, histories, featureSets });
    let step = search.next();
    // Everything else that this thread does goes on between two forests.
    for (; !step.done; step = search.next()) await clock.sleep(0);
    return gridTableOf(step.value);
  }

  async train(request: TrainRequest): Promise<Training> {
    const { store, clock } = this.#options;
    const toMs = request.toMs ?? clock.nowMs();
    const known = await store.services({ fromMs: request.fromMs ?? 0, toMs });
    const wanted = known.filter(({ service }) => request.service === undefined || service === request.service);
    if (request.service !== undefined && wanted.length === 0) {
      throw new HeliosError('not_found', `cannot train: no service ${request.service}`, { details: { field: 'service' } });
    }
    const grid = request.grid ? await this.#searchGrid(wanted, request, toMs) : undefined;
    const models: ModelRecord[] = [];
    for (const { service, firstSeen } of wanted) {
      const from = Math.max(request.fromMs ?? 0, Date.parse(firstSeen));
      const record = await this.#trainService(service, from, toMs, grid?.best);
      if (record) models.push(record);
      else if (request.service !== undefined) {
        const reason = `fewer than ${MIN_TRAINING_WINDOWS} windows with events outside incidents`;
        throw new HeliosError('invalid_argument', `cannot train ${service}: ${reason}`, { details: { field: 'service' } });
      }
    }
    return { models, grid: grid ?? null };
  }

  async #activeModel(service: string): Promise<StoredModel> {
    const { store } = this.#options;
    const active = (await store.models.list()).find((record) => record.service === service && record.state === 'active');
    const model = active && (await store.models.get(active.version));
    if (!model)
      throw new HeliosError('not_found', `cannot predict: no active model of ${service}; activate one`, {
        details: { field: 'service' },
      });
    return model;
  }

  async predict(request: PredictRequest): Promise<Prediction> {
    const { config } = this.#options;
    const model = openForestModel(await this.#activeModel(request.service));
    const features = model.record.features as Feature[];
    for (const feature of features) {
      if (request.features[feature] === undefined) {
        const field = `features.${feature}`;
        throw new HeliosError('invalid_argument', `cannot predict: ${field} is required`, { details: { field } });
      }
    }
    const row = Float64Array.from(features, (feature) => request.features[feature] as number);
    const score = model.scoreSamples(row);
    const threshold = config.threshold === 'auto' ? model.threshold : config.threshold;
    const shares = model.contributions(row);
    const contributions = features
      .map((feature, i) => ({ feature, share: shares[i] as number }))
      .toSorted((a, b) => b.share - a.share);
    return {
      version: model.record.version,
      service: request.service,
      score,
      isAnomaly: score < threshold,
      threshold,
      contributions,
    };
  }

  async metrics(): Promise<ModelMetrics[]> {
    const records = await this.#options.store.models.list();
    return records.map((record) => {
      const { version, service, state, trainedAt } = record;
      return { version, service, state, trainedAt, ...record.metrics };
    });
  }

  async activate(version: string): Promise<ModelRecord> {
    return this.#tell(await this.#options.store.models.activate(version));
  }

  async rollBack(service: string): Promise<ModelRecord> {
    return this.#tell(await this.#options.store.models.rollBack(service));
  }

  /** Lets the detector score with the model that is now active. */
  async #tell(record: ModelRecord): Promise<ModelRecord> {
    const { store, command } = this.#options;
    const model = await store.models.get(record.version);
    if (model) await command({ type: 'activate', model });
    return record;
  }

  async compare({ versions, fromMs, toMs, labels }: CompareRequest): Promise<ModelComparison> {
    const { store, clock } = this.#options;
    const refuse = (why: string): HeliosError =>
      new HeliosError('invalid_argument', `cannot compare: ${why}`, { details: { field: 'versions' } });
    const models = [await this.#open(versions[0]), await this.#open(versions[1])] as const;
    const [a, b] = [models[0].record, models[1].record];
    if (a.service !== b.service) throw refuse(`${a.version} is of ${a.service}, ${b.version} of ${b.service}`);
    const stepMs = a.parameters.windowMs;
    if (stepMs !== b.parameters.windowMs) throw refuse('they were trained on windows of different lengths');
    const { service } = a;
    const to = toMs ?? clock.nowMs();
    const from = Math.max(fromMs ?? Date.parse(a.trainedFrom), to - MAX_TRAINING_WINDOWS * stepMs);
    const stored = await storedWindows(store, { service, fromMs: from, toMs: to, stepMs }, FEATURES);
    if (stored.length === 0) throw refuse(`${service} has no windows with events in the range`);
    const windows = stored.map(({ startMs, row }) => ({
      values: Object.fromEntries(FEATURES.map((feature, i) => [feature, row[i]])),
      isAbnormal: labels?.some((span) => startMs < span.toMs && startMs + stepMs > span.fromMs) ?? false,
    }));
    return { service, from: isoTime(from), to: isoTime(to), ...compareModels(models, windows, labels !== undefined) };
  }

  async #open(version: string): Promise<ForestModel> {
    const stored = await this.#options.store.models.get(version);
    if (stored) return openForestModel(stored);
    throw new HeliosError('not_found', `cannot compare: no model ${version}`, { details: { field: 'versions' } });
  }

  list(): Promise<ModelRecord[]> {
    return this.#options.store.models.list();
  }
}
