import { z } from 'zod';
import type { GridRow, ModelComparison, ModelRecord } from '../model/model-record.ts';
import type { ModelMetrics, Prediction } from './dependencies.ts';
import { featureSchema } from './schemas.ts';

const time = z.string().meta({ format: 'date-time' });
const state = z.enum(['active', 'inactive']);

const trainingMetrics = {
  trainingWindows: z.int(),
  scoreMin: z.number(),
  scoreMedian: z.number(),
  scoreMax: z.number(),
  flaggedShare: z.number(),
};

export const modelSchema = z
  .strictObject({
    version: z.string(),
    service: z.string(),
    state,
    model: z.literal('isolation_forest'),
    trainedAt: time,
    trainedFrom: time,
    trainedTo: time,
    features: z.array(z.string()),
    parameters: z.strictObject({
      nEstimators: z.int(),
      maxSamples: z.int(),
      contamination: z.union([z.number(), z.literal('auto')]),
      seed: z.int(),
      windowMs: z.number(),
    }),
    offset: z.number(),
    dataHash: z.string().exactOptional().meta({ description: 'SHA-256 over the training rows' }),
    excludedWindows: z
      .int()
      .exactOptional()
      .meta({ description: 'Windows left out because they overlap an incident of the service' }),
    metrics: z.strictObject(trainingMetrics),
  })
  .meta({ id: 'Model', description: 'A trained isolation forest' }) satisfies z.ZodType<ModelRecord>;

export const modelMetricsSchema = z
  .strictObject({ version: z.string(), service: z.string(), state, trainedAt: time, ...trainingMetrics })
  .meta({ id: 'ModelMetrics', description: 'How a model scores its own training windows' }) satisfies z.ZodType<ModelMetrics>;

export const predictionSchema = z
  .strictObject({
    version: z.string(),
    service: z.string(),
    score: z.number().meta({ description: 'scikit-learn score_samples convention: -1..0, lower is worse' }),
    isAnomaly: z.boolean(),
    threshold: z.number().meta({ description: 'Scores below it are anomalies' }),
    contributions: z.array(z.strictObject({ feature: featureSchema, share: z.number() })),
  })
  .meta({ id: 'Prediction' }) satisfies z.ZodType<Prediction>;

const gridRowSchema = z
  .strictObject({
    trees: z.int(),
    samples: z.int(),
    contamination: z.number(),
    features: z.array(z.string()),
    rankAgreement: z.number(),
    flagAgreement: z.number(),
    stability: z.number(),
    precision: z.number().nullable(),
    recall: z.number().nullable(),
    f1: z.number().nullable(),
  })
  .meta({ id: 'GridRow', description: 'One combination of hyper-parameters' }) satisfies z.ZodType<GridRow>;

export const trainingSchema = z
  .strictObject({
    items: z.array(modelSchema),
    nextCursor: z.null(),
    grid: z
      .strictObject({ rows: z.array(gridRowSchema), best: gridRowSchema })
      .nullable()
      .meta({ description: 'Null without a grid search' }),
  })
  .meta({ id: 'Training' });

const verdictsSchema = z.strictObject({
  version: z.string(),
  flagged: z.int(),
  flaggedShare: z.number(),
  quantiles: z.strictObject({ p01: z.number(), p05: z.number(), p50: z.number(), p95: z.number() }),
  precision: z.number().nullable(),
  recall: z.number().nullable(),
});

export const comparisonSchema = z
  .strictObject({
    service: z.string(),
    from: time,
    to: time,
    windows: z.int(),
    versions: z.tuple([verdictsSchema, verdictsSchema]),
    agreement: z.number().meta({ description: 'Share of the windows that both judge alike' }),
    bothFlagged: z.int(),
    rankCorrelation: z.number().nullable().meta({ description: 'Of the scores, by Spearman' }),
  })
  .meta({ id: 'ModelComparison', description: 'Two models over the same stored windows' }) satisfies z.ZodType<ModelComparison>;
