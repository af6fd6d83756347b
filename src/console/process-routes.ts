import { z } from 'zod';
import type { App } from './app.ts';
import type { ProcessDependencies } from './dependencies.ts';

const tags = ['process'];

function addIndex(app: App, { version }: ProcessDependencies): void {
  const indexSchema = z.strictObject({ name: z.string(), version: z.string(), links: z.record(z.string(), z.string()) });
  const links = {
    openapi: '/openapi.json',
    events: '/api/v1/events',
    incidents: '/api/v1/incidents',
    stream: '/api/v1/stream',
    health: '/healthz',
    readiness: '/readyz',
    metrics: '/metrics',
    version: '/version',
  };
  app.get('/', {
    schema: { operationId: 'index', tags, summary: 'Where to go from here', response: { 200: indexSchema } },
    handler: () => Promise.resolve({ name: 'helios', version, links }),
  });
  app.get('/openapi.json', {
    schema: { operationId: 'openapi', tags, summary: 'This document', response: { 200: z.looseObject({ openapi: z.string() }) } },
    handler: () => Promise.resolve(app.swagger() as { openapi: string }),
  });
}

function addHealth(app: App, { version, readiness }: ProcessDependencies): void {
  const readinessSchema = z
    .strictObject({ ready: z.boolean(), reasons: z.array(z.strictObject({ name: z.string(), reason: z.string() })) })
    .meta({ id: 'Readiness' });
  app.get('/healthz', {
    schema: {
      operationId: 'health',
      tags,
      summary: 'The process is up',
      response: { 200: z.strictObject({ status: z.literal('ok') }) },
    },
    handler: () => Promise.resolve({ status: 'ok' as const }),
  });
  app.get('/readyz', {
    schema: {
      operationId: 'readiness',
      tags,
      summary: 'The process can take work',
      response: { 200: readinessSchema, 503: readinessSchema },
    },
    handler: (_request, reply) => {
      const { ready, reasons } = readiness();
      void reply.code(ready ? 200 : 503).send({ ready, reasons });
    },
  });
  app.get('/version', {
    schema: {
      operationId: 'version',
      tags,
      summary: 'What runs here',
      response: { 200: z.strictObject({ name: z.literal('helios'), version: z.string(), node: z.string() }) },
    },
    handler: () => Promise.resolve({ name: 'helios' as const, version, node: process.version }),
  });
}

/** Health, version, self-monitoring and the OpenAPI document. */
export function addProcessRoutes(app: App, context: ProcessDependencies): void {
  addIndex(app, context);
  addHealth(app, context);
  app.get('/metrics', {
    config: { role: 'read' },
    schema: {
      operationId: 'selfMetrics',
      tags,
      summary: 'Self-monitoring in the Prometheus text format',
      response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } } },
    },
    handler: async (_request, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(await context.renderMetrics()),
  });
}
