import { z } from 'zod';
import { FEATURES } from '../model/rollup.ts';
import type { App, RouteContext } from './app.ts';
import { comparisonSchema, modelMetricsSchema, modelSchema, predictionSchema, trainingSchema } from './model-schemas.ts';
import { openRange, present, serviceParameter, timeParameter } from './parameters.ts';
import { pageOf } from './schemas.ts';

const read = { config: { role: 'read' } } as const;
const admin = { config: { role: 'admin' } } as const;
const tags = ['models'];
const VERSION = /^v\d{1,9}$/;

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
        'Without service: every service with enough history. Without from and to: all history. Windows that overlap an incident of the ' +
        'service, or lie next to one, are left out. With grid the hyper-parameters are searched first. Answers the models trained.',
      body: z
        .strictObject({
          service: serviceParameter.optional(),
          from: timeParameter.optional(),
          to: timeParameter.optional(),
          grid: z.boolean().optional(),
        })
        .optional(),
      response: { 200: trainingSchema },
    },
    handler: async ({ body }) => {
      const { service, grid, ...range } = body ?? {};
      const training = await models.train({ ...present({ service, grid }), ...openRange(range) });
      return { items: training.models, nextCursor: null, grid: training.grid };
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
      params: z.strictObject({ version: z.string().regex(VERSION, 'must look like v1') }),
      body: z.strictObject({}).optional(),
      response: { 200: modelSchema },
    },
    handler: ({ params: { version } }) => models.activate(version),
  });
}

function addRollBack(app: App, { models }: RouteContext): void {
  app.post('/api/v1/models/rollback', {
    ...admin,
    schema: {
      operationId: 'rollBackModel',
      tags,
      summary: 'Make the version active that was before the present one',
      body: z.strictObject({ service: serviceParameter }),
      response: { 200: modelSchema },
    },
    handler: ({ body: { service } }) => models.rollBack(service),
  });
}

const version = z.string().regex(VERSION, 'must look like v1');

function addCompare(app: App, { models, withDeadline }: RouteContext): void {
  app.post('/api/v1/models/compare', {
    ...read,
    schema: {
      operationId: 'compareModels',
      tags,
      summary: 'How two models of a service judge the same stored windows',
      description:
        'Without from and to: from where the first one was trained until now. With labels also precision and recall by windows.',
      body: z.strictObject({
        versions: z.tuple([version, version]).meta({ examples: [['v1', 'v2']] }),
        from: timeParameter.optional(),
        to: timeParameter.optional(),
        labels: z
          .array(z.strictObject({ from: timeParameter, to: timeParameter }))
          .max(1000)
          .optional()
          .meta({ description: 'When the service was abnormal' }),
      }),
      response: { 200: comparisonSchema },
    },
    handler: ({ body: { versions, labels, ...range } }) => {
      const spans = labels?.map(({ from, to }) => ({ fromMs: from, toMs: to }));
      return withDeadline(models.compare({ versions, ...present({ labels: spans }), ...openRange(range) }));
    },
  });
}

/** Train, predict, list, activate, roll back, compare. */
export function addModelRoutes(app: App, context: RouteContext): void {
  addModelReads(app, context);
  addTrain(app, context);
  addPredict(app, context);
  addActivate(app, context);
  addRollBack(app, context);
  addCompare(app, context);
}
