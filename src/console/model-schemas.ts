import { z } from 'zod';
import type { ModelRecord } from '../model/model-record.ts';
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
