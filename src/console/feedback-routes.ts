import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import { LISTED_LABELS, type FeedbackRequest, type FeedbackService } from '../model/feedback.ts';
import type { App, RouteContext } from './app.ts';
import { byField, feedbackAnswerSchema, feedbackBody, feedbackSchema, missedBody, qualitySchema } from './feedback-schemas.ts';
import { found } from './incident-routes.ts';
import { cursorParameter, limitParameter, openRange, present, rangeParameters, serviceParameter } from './parameters.ts';
import { pageOf } from './schemas.ts';

type Context = RouteContext & { feedback: FeedbackService };

const read = { config: { role: 'read' } } as const;
const respond = { config: { role: 'respond' } } as const;
const idParameter = z.strictObject({ id: z.string().min(1).max(500) });
const filters = { ...rangeParameters, label: z.enum(LISTED_LABELS).optional(), service: serviceParameter.optional() };

const personOf = (by: string | undefined, { principal }: Pick<FastifyRequest, 'principal'>): string =>
  by ?? (principal?.id || 'api');

function addLabelling(app: App, { feedback, withDeadline }: Context): void {
  app.post('/api/v1/incidents/:id/feedback', {
    ...respond,
    schema: {
      operationId: 'labelIncident',
      tags: ['feedback'],
      summary: 'Say what an incident was, or ask first what that would have changed',
      description:
        'expected and false_alarm make a rule under which later anomalies of the kind call nobody. One that would have hidden incidents which a person called real is refused with 409 unless forced.',
      params: idParameter,
      querystring: z.strictObject({ preview: z.enum(['true', 'false']).optional() }),
      body: feedbackBody,
      response: { 200: feedbackAnswerSchema },
    },
    handler: async (request) => {
      const { params, query, body } = request;
      const { preview, by, ...said } = body;
      const asked = { ...present(said), by: personOf(by, request) } as FeedbackRequest;
      const isQuestion = preview === true || query.preview === 'true';
      const answer = await (isQuestion ? feedback.preview(params.id, asked) : feedback.label(params.id, asked));
      return found(answer, 'incident', params.id);
    },
  });
  app.get('/api/v1/incidents/:id/feedback', {
    ...read,
    schema: {
      operationId: 'getIncidentFeedback',
      tags: ['feedback'],
      summary: 'All that people said of an incident, newest first, also what they took back',
      params: idParameter,
      response: { 200: pageOf(feedbackSchema) },
    },
    handler: async ({ params: { id } }) => ({
      items: await withDeadline(feedback.list({ incidentId: id })),
      nextCursor: null,
    }),
  });
  app.delete('/api/v1/feedback/:id', {
    ...respond,
    schema: {
      operationId: 'takeFeedbackBack',
      tags: ['feedback'],
      summary: 'Take back what was said, and what followed from it',
      params: idParameter,
      querystring: z.strictObject({ by: byField.optional() }),
      response: { 200: feedbackSchema },
    },
    handler: async (request) => {
      const { id } = request.params;
      return found(await feedback.takeBack(id, personOf(request.query.by, request)), 'feedback', id);
    },
  });
}

function addMissed(app: App, { feedback }: Context): void {
  app.post('/api/v1/feedback/missed', {
    ...respond,
    schema: {
      operationId: 'reportMissed',
      tags: ['feedback'],
      summary: 'Tell of a fault that no incident told of',
      body: missedBody,
      response: { 200: feedbackSchema },
    },
    handler: async (request) => {
      const { service, from, to, by, note } = request.body;
      const range = { fromMs: Date.parse(from), toMs: Date.parse(to) };
      if (range.fromMs >= range.toMs) {
        throw new HeliosError('invalid_argument', 'cannot take the feedback: from is not earlier than to', {
          details: { field: 'from' },
        });
      }
      return feedback.missed({ service, ...range, ...present({ note }), by: personOf(by, request) });
    },
  });
}

function addLists(app: App, { feedback, withDeadline }: Context): void {
  app.get('/api/v1/feedback', {
    ...read,
    schema: {
      operationId: 'listFeedback',
      tags: ['feedback'],
      summary: 'What people said, newest first',
      querystring: z.strictObject({
        ...filters,
        limit: limitParameter,
        cursor: cursorParameter.regex(/^\d{1,9}$/, 'is not a cursor of this list').optional(),
      }),
      response: { 200: pageOf(feedbackSchema) },
    },
    handler: async ({ query: { from, to, limit, cursor, ...rest } }) => {
      const all = await withDeadline(feedback.list({ ...present(rest), ...openRange({ from, to }) }));
      const end = Number(cursor ?? 0) + limit;
      return { items: all.slice(end - limit, end), nextCursor: end < all.length ? String(end) : null };
    },
  });
  app.get('/api/v1/feedback/quality', {
    ...read,
    schema: {
      operationId: 'getFeedbackQuality',
      tags: ['feedback'],
      summary: 'Labels by number, precision and recall',
      response: { 200: qualitySchema },
    },
    handler: () => withDeadline(feedback.quality()),
  });
  app.get('/api/v1/feedback/export', {
    ...read,
    schema: {
      operationId: 'exportFeedback',
      tags: ['feedback'],
      summary: 'All of the list as NDJSON, newest first',
      querystring: z.strictObject(filters),
      response: {
        200: { description: 'A line each', content: { 'application/x-ndjson': { schema: z.string() } } },
      },
    },
    handler: async ({ query: { from, to, ...rest } }, reply) => {
      const all = await withDeadline(feedback.list({ ...present(rest), ...openRange({ from, to }) }));
      const lines = all.map((item) => `${JSON.stringify(item)}\n`).join('');
      return reply.type('application/x-ndjson; charset=utf-8').send(lines);
    },
  });
}

/** What people say of incidents, and what follows from it. */
export function addFeedbackRoutes(app: App, context: Context): void {
  addLabelling(app, context);
  addMissed(app, context);
  addLists(app, context);
}
