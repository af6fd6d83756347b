import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import type { App, RouteContext } from './app.ts';
import { listParameter, serviceParameter } from './parameters.ts';
import type { StreamReader } from './stream-hub.ts';

const streamQuerySchema = z.strictObject({
  types: listParameter(
    z.enum(['anomaly', 'incident', 'report', 'change', 'simulation']),
    'Event types, separated by commas; absent: all',
  ),
  service: serviceParameter.optional(),
});

/** Writes to the answer's socket; small writes leave at once. */
function readerOf({ raw }: FastifyReply): StreamReader {
  return {
    write: (frame) => raw.write(frame),
    unsentBytes: () => raw.writableLength,
    close: (reason) => {
      if (reason === 'shutdown') raw.end();
      else raw.destroy();
    },
  };
}

function openStream(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  query: z.output<typeof streamQuerySchema>,
): void {
  const { raw } = reply;
  const lastEventId = request.headers['last-event-id'];
  request.raw.socket.setNoDelay(true);
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  const subscription = context.stream.subscribe({
    reader: readerOf(reply),
    maxUnsentBytes: context.config.stream_buffer,
    types: query.types,
    ...(query.service === undefined ? {} : { service: query.service }),
    ...(typeof lastEventId === 'string' ? { lastEventId } : {}),
  });
  const pingMs = context.config.stream_ping;
  const stopPings = pingMs === Infinity ? () => {} : context.clock.every(pingMs, () => subscription.ping());
  raw.on('drain', () => subscription.resume());
  // A reader that goes away in the middle of a write is no failure of ours; close follows.
  raw.on('error', () => {});
  raw.on('close', () => {
    stopPings();
    subscription.cancel();
  });
}

/** Server-sent events: anomalies, incidents, reports, changes and simulations as they come. */
export function addStreamRoute(app: App, context: RouteContext): void {
  app.get('/api/v1/stream', {
    config: { role: 'read' },
    exposeHeadRoute: false,
    schema: {
      operationId: 'stream',
      tags: ['incidents'],
      summary: 'Anomalies, incidents, reports, changes and the progress of simulations as they come (server-sent events)',
      description:
        'The data of an event is what GET answers for that thing, of a simulation what the list answers. Send Last-Event-ID to resume; an event named reset says that ' +
        'something was missed for good, so fetch the lists anew.',
      querystring: streamQuerySchema,
      headers: z.looseObject({ 'last-event-id': z.string().optional() }),
      response: { 200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } } },
    },
    handler: (request, reply) => {
      if (context.stream.closed) throw new HeliosError('shutting_down', 'cannot open the event stream: the process is stopping');
      reply.hijack();
      openStream(context, request, reply, request.query);
    },
  });
}
