import { z } from 'zod';
import { HeliosError } from '../lib/errors.ts';
import type { App } from './app.ts';
import { problemAnswers } from './openapi.ts';

const postedEventSchema = z
  .looseObject({
    timestamp: z.string().meta({ description: 'RFC 3339, any offset', examples: ['2025-10-08T10:30:45Z'] }),
    service: z.string().min(1),
    level: z
      .union([z.string(), z.int()])
      .meta({ description: 'DEBUG INFO WARN ERROR CRITICAL, their usual aliases, or an OTLP number' }),
    message: z.string(),
    metadata: z.record(z.string(), z.unknown()).optional().meta({ description: 'latency_ms and endpoint are first-class' }),
    trace_id: z.string().optional(),
    span_id: z.string().optional(),
    parent_span_id: z.string().optional(),
  })
  .meta({ id: 'PostedEvent' });

const rejectionSchema = z.strictObject({ index: z.int(), field: z.string(), reason: z.string() });

const acceptedSchema = z
  .strictObject({
    accepted: z.int(),
    rejectedCount: z.int().optional(),
    rejected: z.array(rejectionSchema).optional().meta({ description: 'The first 100' }),
  })
  .meta({ id: 'Accepted' });

/**
 * Describes the ingest door in the OpenAPI document. The door itself sits before this application on the same server;
 * a request that gets here reached a process without it.
 */
export function addIngestOperation(app: App): void {
  app.post('/api/v1/events', {
    onRequest: () => {
      throw new HeliosError('not_found', 'cannot accept events: this process does not ingest');
    },
    schema: {
      operationId: 'postEvents',
      tags: ['data'],
      summary: 'Post events: one object, an array, or NDJSON; gzip or zstd',
      description:
        'Answers after the events are durable. Some bad: 202 with rejections. All bad: 400. `Idempotency-Key` makes a retry count once.',
      consumes: ['application/json', 'application/x-ndjson'],
      headers: z.looseObject({ 'idempotency-key': z.string().max(128).optional() }),
      body: z.union([postedEventSchema, z.array(postedEventSchema)]),
      response: { 202: acceptedSchema, ...problemAnswers([400, 401, 403, 408, 409, 413, 415, 422, 429, 503]) },
      security: [{ bearer: [] }, { apiKey: [] }],
    },
    handler: () => Promise.reject(new HeliosError('internal', 'cannot accept events here')),
  });
}
