import { z } from 'zod';
import { FEATURES } from '../model/rollup.ts';
import type { App, RouteContext } from './app.ts';
import { modelMetricsSchema, modelSchema, predictionSchema } from './model-schemas.ts';
import { openRange, present, serviceParameter, timeParameter } from './parameters.ts';
import { pageOf } from './schemas.ts';

const read = { config: { role: 'read' } } as const;
const admin = { config: { role: 'admin' } } as const;
const tags = ['models'];

function addModelReads(app: App, { models }: RouteContext): void {
  app.get('/api/v1/models', {
    ...read,
    schema: {
      operationId: 'listModels',
      tags,
      summary: 'Trained models, newest first',
      response: { 200: pageOf(modelSchema) },
    },
    handler: async () => ({ items: await models.list(), nextCursor: null }),
  });
  app.get('/api/v1/models/metrics', {
    ...read,
    schema: {
      operationId: 'listModelMetrics',
      tags,
      summary: 'How the models score their training windows',
      response: { 200: pageOf(modelMetricsSchema) },
    },
    handler: async () => ({ items: await models.metrics(), nextCursor: null }),
  });
}

function addTrain(app: App, { models }: RouteContext): void {
  app.post('/api/v1/models/train', {
    ...admin,
    schema: {
      operationId: 'trainModels',
      tags,
      summary: 'Train isolation forests on stored history',
      description:
        'Without service: every service with enough history. Without from and to: all history. Answers the models trained.',
      body: z
        .strictObject({ service: serviceParameter.optional(), from: timeParameter.optional(), to: timeParameter.optional() })
        .optional(),
      response: { 200: pageOf(modelSchema) },
    },
    handler: async ({ body }) => {
      const { service, ...range } = body ?? {};
      return { items: await models.train({ ...present({ service }), ...openRange(range) }), nextCursor: null };
    },
  });
}

function addPredict(app: App, { models, withDeadline }: RouteContext): void {
  app.post('/api/v1/models/predict', {
    ...read,
    schema: {
      operationId: 'predict',
      tags,
      summary: 'Score one window with the active model of a service',
      body: z.strictObject({
        service: serviceParameter,
        features: z.partialRecord(z.enum(FEATURES), z.number()).meta({
          description: 'Values of the features that the model was trained on',
          examples: [{ event_count: 1200, error_rate: 0.01 }],
        }),
      }),
      response: { 200: predictionSchema },
    },
    handler: ({ body: { service, features } }) => withDeadline(models.predict({ service, features: present(features) })),
  });
}

function addActivate(app: App, { models }: RouteContext): void {
  app.post('/api/v1/models/:version/activate', {
    ...admin,
    schema: {
      operationId: 'activateModel',
      tags,
      summary: 'Make a model the active one of its service',
      params: z.strictObject({ version: z.string().regex(/^v\d{1,9}$/, 'must look like v1') }),
      body: z.strictObject({}).optional(),
      response: { 200: modelSchema },
    },
    handler: ({ params: { version } }) => models.activate(version),
  });
}

/** Train, predict, list, activate. */
export function addModelRoutes(app: App, context: RouteContext): void {
  addModelReads(app, context);
  addTrain(app, context);
  addPredict(app, context);
  addActivate(app, context);
}
