import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import type { Incident } from '../model/incident.ts';
import type { App, RouteContext } from './app.ts';
import { openRange, pageParameters, present, rangeParameters, serviceParameter } from './parameters.ts';
import { anomalySchema, incidentSchema, pageOf } from './schemas.ts';

const read = { config: { role: 'read' } } as const;
const idParameter = z.strictObject({ id: z.string().min(1) });

/** Parameters of every list of stored documents. */
export const documentParameters = { service: serviceParameter.optional(), ...rangeParameters, ...pageParameters };

/** `not_found` unless there is one. */
export function found<T>(document: T | undefined, kind: string, id: string): T {
  if (document === undefined)
    throw new HeliosError('not_found', `cannot find ${kind} ${id}: no such ${kind}`, { details: { field: 'id' } });
  return document;
}

function addAnomalies(app: App, { store, withDeadline }: RouteContext): void {
  app.get('/api/v1/anomalies', {
    ...read,
    schema: {
      operationId: 'listAnomalies',
      tags: ['incidents'],
      summary: 'Anomalies, newest first',
      querystring: z.strictObject({ ...documentParameters, state: z.enum(['firing', 'resolved']).optional() }),
      response: { 200: pageOf(anomalySchema) },
    },
    handler: ({ query: { from, to, state, limit, ...rest } }) =>
      withDeadline(store.list('anomaly', { ...present({ ...rest, status: state }), ...openRange({ from, to }), limit })),
  });
  app.get('/api/v1/anomalies/:id', {
    ...read,
    schema: {
      operationId: 'getAnomaly',
      tags: ['incidents'],
      summary: 'One anomaly',
      params: idParameter,
      response: { 200: anomalySchema },
    },
    handler: async ({ params: { id } }) => found(await withDeadline(store.get('anomaly', id)), 'anomaly', id),
  });
}

function addIncidents(app: App, { store, withDeadline }: RouteContext): void {
  app.get('/api/v1/incidents', {
    ...read,
    schema: {
      operationId: 'listIncidents',
      tags: ['incidents'],
      summary: 'Incidents, newest first',
      querystring: z.strictObject({ ...documentParameters, status: z.enum(['open', 'acknowledged', 'resolved']).optional() }),
      response: { 200: pageOf(incidentSchema) },
    },
    handler: ({ query: { from, to, limit, ...rest } }) =>
      withDeadline(store.list('incident', { ...present(rest), ...openRange({ from, to }), limit })),
  });
  app.get('/api/v1/incidents/:id', {
    ...read,
    schema: {
      operationId: 'getIncident',
      tags: ['incidents'],
      summary: 'One incident',
      params: idParameter,
      response: { 200: incidentSchema },
    },
    handler: async ({ params: { id } }) => found(await withDeadline(store.get('incident', id)), 'incident', id),
  });
}

function addResponse(
  app: App,
  verb: 'acknowledge' | 'resolve',
  respond: (id: string, by: string) => Promise<Incident | undefined>,
): void {
  app.post(`/api/v1/incidents/:id/${verb}`, {
    config: { role: 'respond' },
    schema: {
      operationId: `${verb}Incident`,
      tags: ['incidents'],
      summary: verb === 'resolve' ? 'Close an incident' : 'Say that someone looks after an incident',
      params: idParameter,
      body: z.strictObject({ by: z.string().min(1).max(200).optional() }).optional(),
      response: { 200: incidentSchema },
    },
    handler: async ({ params: { id }, body, principal }) => {
      const by = body?.by ?? (principal?.id || 'api');
      return found(await respond(id, by), 'incident', id);
    },
  });
}

function addNewNormal(app: App, { control }: RouteContext): void {
  app.post('/api/v1/incidents/:id/new-normal', {
    config: { role: 'respond' },
    schema: {
      operationId: 'decideNewNormal',
      tags: ['incidents'],
      summary: 'Accept a shift that stays as the new normal, or reject it',
      params: idParameter,
      body: z.strictObject({ decision: z.enum(['accept', 'reject']), by: z.string().min(1).max(200).optional() }),
      response: { 200: incidentSchema },
    },
    handler: async ({ params: { id }, body: { decision, by }, principal }) =>
      found(await control.decideNewNormal(id, decision, by ?? (principal?.id || 'api')), 'incident', id),
  });
}

/** Anomalies and incidents, and what people do to incidents. */
export function addIncidentRoutes(app: App, context: RouteContext): void {
  addAnomalies(app, context);
  addIncidents(app, context);
  addResponse(app, 'acknowledge', (id, by) => context.control.acknowledge(id, by));
  addResponse(app, 'resolve', (id, by) => context.control.resolve(id, by));
  addNewNormal(app, context);
}
