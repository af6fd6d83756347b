import type { DetectConfig } from '../detect/config.ts';
import type { DetectorCommand } from '../detect/detector.ts';
import { MIN_TRAINING_WINDOWS, openForestModel, trainForestModel } from '../detect/forest-model.ts';
import type { ModelMetrics, ModelService, Prediction, PredictRequest, TrainRequest } from '../console/dependencies.ts';
import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { ModelRecord, StoredModel } from '../model/model-record.ts';
import type { Feature } from '../model/rollup.ts';
import type { MetricsAnswer, Store } from '../store/store.ts';

/** Windows of one service that a model is trained on at most; the newest. */
const MAX_TRAINING_WINDOWS = 8_640;
const SEED = 1;

export interface ModelServiceOptions {
  store: Store;
  config: DetectConfig;
  /** Event time when the clock follows the data. */
  clock: Clock;
  command: (command: DetectorCommand) => Promise<unknown>;
}

/** One row a window that holds events, columns in the order of `features`; NaN where a window has no latency. */
function rowsOf(answer: MetricsAnswer, features: readonly Feature[]): Float64Array[] {
  const byName = new Map(answer.series.map((series) => [series.name, series.points]));
  const counts = byName.get('event_count') ?? [];
  const rows: Float64Array[] = [];
  for (const [i, [, count]] of counts.entries()) {
    if (!count) continue;
    rows.push(Float64Array.from(features, (feature) => byName.get(feature)?.[i]?.[1] ?? NaN));
  }
  return rows;
}

/** Trains on stored rollups, scores on request, and tells the detector which model speaks. */
export class StoredModelService implements ModelService {
  readonly #options: ModelServiceOptions;

  constructor(options: ModelServiceOptions) {
    this.#options = options;
  }

  async #trainService(service: string, fromMs: number, toMs: number): Promise<ModelRecord | null> {
    const { store, config, clock } = this.#options;
    const stepMs = config.window_size;
    const from = Math.max(fromMs, toMs - MAX_TRAINING_WINDOWS * stepMs);
    const names = [...new Set<Feature>(['event_count', ...config.features])];
    const windows = rowsOf(await store.metrics({ service, fromMs: from, toMs, names, stepMs }), config.features);
    if (windows.length < MIN_TRAINING_WINDOWS) return null;
    const model = trainForestModel({
      service,
      windows,
      features: config.features,
      contamination: config.contamination,
      seed: SEED,
      windowMs: stepMs,
      trainedAtMs: clock.nowMs(),
      trainedFromMs: from,
      trainedToMs: toMs,
    });
    const version = await store.models.add(model);
    return { ...model.record, version, state: 'inactive' };
  }

  async train(request: TrainRequest): Promise<ModelRecord[]> {
    const { store, clock } = this.#options;
    const toMs = request.toMs ?? clock.nowMs();
    const known = await store.services({ fromMs: request.fromMs ?? 0, toMs });
    const wanted = known.filter(({ service }) => request.service === undefined || service === request.service);
    if (request.service !== undefined && wanted.length === 0) {
      throw new HeliosError('not_found', `cannot train: no service ${request.service}`, { details: { field: 'service' } });
    }
    const trained: ModelRecord[] = [];
    for (const { service, firstSeen } of wanted) {
      const record = await this.#trainService(service, Math.max(request.fromMs ?? 0, Date.parse(firstSeen)), toMs);
      if (record) trained.push(record);
      else if (request.service !== undefined) {
        throw new HeliosError(
          'invalid_argument',
          `cannot train ${service}: fewer than ${MIN_TRAINING_WINDOWS} windows with events`,
          {
            details: { field: 'service' },
          },
        );
      }
    }
    return trained;
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
    const { store, command } = this.#options;
    const record = await store.models.activate(version);
    const model = await store.models.get(version);
    if (model) await command({ type: 'activate', model });
    return record;
  }

  list(): Promise<ModelRecord[]> {
    return this.#options.store.models.list();
  }
}
