import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isoTime } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { MAX_SERVICE_BYTES } from '../model/event.ts';
import type { Change } from '../model/incident.ts';
import type { App, RouteContext } from './app.ts';
import { documentParameters, found } from './incident-routes.ts';
import { openRange, parseTimeParameter, present } from './parameters.ts';
import { CHANGE_TYPES, changeSchema, pageOf } from './schemas.ts';

const name = z.string().min(1).max(256);

const postedTime = z
  .union([z.string(), z.number()])
  .transform((value, context) => {
    const ms = parseTimeParameter(String(value));
    if (Number.isNaN(ms))
      context.addIssue({ code: 'custom', message: `"${value}" is neither an ISO 8601 time nor milliseconds` });
    return ms;
  })
  .meta({ description: 'ISO 8601 or milliseconds since the epoch; absent: now' });

const postedChangeSchema = z.strictObject({
  service: z
    .string()
    .min(1)
    .refine((value) => Buffer.byteLength(value) <= MAX_SERVICE_BYTES * 3, 'is too long')
    .meta({ description: 'Bare service name, or environment/namespace/service' }),
  type: z.enum(CHANGE_TYPES).default('deployment'),
  version: name.nullable().default(null),
  previousVersion: name.nullable().default(null),
  description: z.string().max(4096).default(''),
  at: postedTime.optional(),
});
type PostedChange = z.output<typeof postedChangeSchema>;

/** Under an id made of its content, so that a retried request records one change. */
function changeOf({ at, ...posted }: PostedChange, nowMs: number): Change {
  const change = { at: isoTime(at ?? nowMs), ...posted, source: 'api' as const };
  const content = JSON.stringify([
    change.at,
    posted.service,
    posted.type,
    posted.version,
    posted.previousVersion,
    posted.description,
  ]);
  return { id: `chg-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`, ...change };
}

function addChangeReads(app: App, { store, withDeadline }: RouteContext): void {
  app.get('/api/v1/changes', {
    config: { role: 'read' },
    schema: {
      operationId: 'listChanges',
      tags: ['incidents'],
      summary: 'Deployments and other changes, newest first',
      querystring: z.strictObject(documentParameters),
      response: { 200: pageOf(changeSchema) },
    },
    handler: ({ query: { from, to, limit, ...rest } }) =>
      withDeadline(store.list('change', { ...present(rest), ...openRange({ from, to }), limit })),
  });
  app.get('/api/v1/changes/:id', {
    config: { role: 'read' },
    schema: {
      operationId: 'getChange',
      tags: ['incidents'],
      summary: 'One change',
      params: z.strictObject({ id: z.string().min(1) }),
      response: { 200: changeSchema },
    },
    handler: async ({ params: { id } }) => found(await withDeadline(store.get('change', id)), 'change', id),
  });
}

/** Changes, read and recorded. */
export function addChangeRoutes(app: App, context: RouteContext): void {
  addChangeReads(app, context);
  app.post('/api/v1/changes', {
    config: { role: 'respond' },
    schema: {
      operationId: 'recordChange',
      tags: ['incidents'],
      summary: 'Record a deployment or another change',
      body: postedChangeSchema,
      response: { 201: changeSchema },
    },
    handler: async ({ body, principal }, reply) => {
      if (principal?.services && !principal.services(body.service)) {
        throw new HeliosError('forbidden', `cannot record the change: the API key may not speak for ${body.service}`, {
          details: { field: 'service' },
        });
      }
      const change = changeOf(body, context.clock.nowMs());
      await context.control.recordChange(change);
      return reply.code(201).header('location', `/api/v1/changes/${change.id}`).send(change);
    },
  });
}
