import { z } from 'zod';
import type { ClientReport } from '../model/client.ts';
import type { App, RouteContext } from './app.ts';
import { cursorParameter, limitParameter, present } from './parameters.ts';
import { pageOf } from './schemas.ts';

const time = z.string().meta({ format: 'date-time' });

export const clientSchema = z
  .strictObject({
    client: z
      .string()
      .meta({ description: 'Id of the API key, or the address when no keys are configured; empty: let in by no key' }),
    peer: z.string().nullable().meta({ description: 'Address of those whom no key let in' }),
    firstSeen: time,
    lastSeen: time,
    requests: z.int().meta({ description: 'Requests whose body was judged' }),
    accepted: z.int().meta({ description: 'Events and points that are durable' }),
    bytes: z.int().meta({ description: 'Bytes of bodies as sent' }),
    rejected: z.int().meta({ description: 'Events and points that were left out' }),
    rejectedBy: z.array(z.strictObject({ field: z.string(), reason: z.string(), count: z.int() })),
    refused: z
      .array(z.strictObject({ code: z.string(), count: z.int() }))
      .meta({ description: 'Requests answered with an error, by its code; rate_limited and overloaded are throttling' }),
    lastErrors: z.array(z.strictObject({ door: z.string(), at: time, code: z.string(), message: z.string() })),
    inFlight: z.int(),
    heldBytes: z.int(),
  })
  .meta({ id: 'Client', description: 'What a client sent since the process started' }) satisfies z.ZodType<ClientReport>;

/** Who sends, and why what they sent is not there. */
export function addClientRoutes(app: App, { clients }: RouteContext): void {
  app.get('/api/v1/clients', {
    config: { role: 'read' },
    schema: {
      operationId: 'listClients',
      tags: ['data'],
      summary: 'Clients of the ingest doors, most recently seen first: accepted, rejected by reason, refused',
      querystring: z.strictObject({
        client: z.string().optional().meta({ description: 'Only this one' }),
        limit: limitParameter,
        cursor: cursorParameter.regex(/^\d{1,9}$/, 'is not a cursor of this list').optional(),
      }),
      response: { 200: pageOf(clientSchema) },
    },
    handler: ({ query: { client, limit, cursor } }) =>
      Promise.resolve(clients.list({ ...present({ client }), limit, offset: Number(cursor ?? 0) })),
  });
}
