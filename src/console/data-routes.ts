import { z } from 'zod';
import type { App, RouteContext } from './app.ts';
import {
  boundedRange,
  levelParameter,
  limitParameter,
  listParameter,
  openRange,
  pageParameters,
  present,
  rangeParameters,
  serviceParameter,
} from './parameters.ts';
import { eventSchema, pageOf, serviceSchema, templateSchema } from './schemas.ts';

const DEFAULT_RANGE = 'Without from and to: the last hour, up to the end of the current minute.';
const read = { config: { role: 'read' } } as const;

function addServices(app: App, { store, clock, withDeadline }: RouteContext): void {
  app.get('/api/v1/services', {
    ...read,
    schema: {
      operationId: 'listServices',
      tags: ['data'],
      summary: 'Services seen, with event and error counts',
      description: DEFAULT_RANGE,
      querystring: z.strictObject(rangeParameters),
      response: { 200: pageOf(serviceSchema) },
    },
    handler: async ({ query }) => {
      const items = await withDeadline(store.services(boundedRange(query, clock.nowMs())));
      return { items, nextCursor: null };
    },
  });
}

function addEvents(app: App, { store, clock, withDeadline }: RouteContext): void {
  app.get('/api/v1/events', {
    ...read,
    schema: {
      operationId: 'listEvents',
      tags: ['data'],
      summary: 'Raw events, newest first',
      description: 'Without from: from an hour before to, or before now. Without to: up to the newest.',
      querystring: z.strictObject({
        service: serviceParameter.optional(),
        level: listParameter(levelParameter, 'Levels, repeated or separated by commas; absent: all'),
        text: z.string().min(1).optional().meta({ description: 'Part of the message, in any case' }),
        endpoint: z.string().min(1).optional(),
        ...rangeParameters,
        ...pageParameters,
      }),
      response: { 200: pageOf(eventSchema) },
    },
    handler: async ({ query: { level: levels, from, to, ...rest } }) => {
      const fromMs = from ?? boundedRange({ to }, clock.nowMs()).fromMs;
      return withDeadline(store.events({ ...present(rest), limit: rest.limit, levels, ...openRange({ from: fromMs, to }) }));
    },
  });
}

function addTemplates(app: App, { store, clock, withDeadline }: RouteContext): void {
  app.get('/api/v1/templates', {
    ...read,
    schema: {
      operationId: 'listTemplates',
      tags: ['data'],
      summary: 'Patterns of error messages, most frequent first',
      description: DEFAULT_RANGE,
      querystring: z.strictObject({ service: serviceParameter.optional(), ...rangeParameters, limit: limitParameter }),
      response: { 200: pageOf(templateSchema) },
    },
    handler: async ({ query: { service, limit, ...range } }) => {
      const bounds = boundedRange(range, clock.nowMs());
      const items = await withDeadline(store.templates({ ...bounds, limit, ...(service === undefined ? {} : { service }) }));
      return { items, nextCursor: null };
    },
  });
}

/** Services, events and message templates. */
export function addDataRoutes(app: App, context: RouteContext): void {
  addServices(app, context);
  addEvents(app, context);
  addTemplates(app, context);
}
