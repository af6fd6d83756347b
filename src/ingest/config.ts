import { z } from 'zod';
import { duration, optionalDuration, optionalSize, size } from '../lib/config-types.ts';

export const ROLES = ['ingest', 'read', 'respond', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const apiKeySchema = z.strictObject({
  id: z.string().min(1).max(128).meta({ description: 'Name of the key in logs, metrics and limits' }),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')
    .meta({ description: 'SHA-256 of the key, hex', secret: true }),
  roles: z.array(z.enum(ROLES)).min(1).meta({ description: 'What the key may do' }),
  services: z
    .array(z.string().min(1))
    .optional()
    .meta({ description: 'Services an ingest key may post for; * stands for any run of characters' }),
});
export type ApiKey = z.output<typeof apiKeySchema>;

/** Doors by the names that metrics, limits and GET /api/v1/clients use. */
export const DOORS = ['http', 'otlp_http', 'otlp_grpc', 'grpc', 'prometheus'] as const;

const doorLimitsSchema = z.strictObject({
  door: z.enum(DOORS).meta({ description: 'Which door' }),
  max_body: optionalSize().meta({ description: 'Instead of ingest.max_body' }),
  max_events: z.int().positive().optional().meta({ description: 'Instead of ingest.max_events' }),
  body_timeout: optionalDuration().meta({ description: 'Instead of ingest.body_timeout' }),
});

export const ingestConfigSchema = z.strictObject({
  max_body: size('16MiB').meta({ description: 'Largest request body, before and after decompression' }),
  max_pending: size('256MiB').meta({
    description: 'Bytes of bodies being read or waiting for their commit; past it requests get 503 before their body is read',
  }),
  body_timeout: duration('30s').meta({ description: 'A body that takes longer to arrive is answered 408' }),
  max_events: z
    .int()
    .positive()
    .default(10_000_000)
    .meta({ description: 'Events, log records, spans or points of one request at most; past it the request gets 413' }),
  max_header: size('16KiB').meta({ description: 'Largest header of a request; past it the connection gets 431' }),
  max_connections: z.int().positive().default(20_000).meta({
    description: 'Connections that all ports hold together, less where the limit of open files is low; further ones are closed',
  }),
  doors: z.array(doorLimitsSchema).default([]).meta({ description: 'Limits of single doors, where they differ' }),
  max_in_flight: z
    .int()
    .positive()
    .default(512)
    .meta({ description: 'Requests in flight that one client may have at all doors together; past it it gets 429' }),
  future_tolerance: duration('10m').meta({ description: 'Events further in the future are rejected (not with clock: events)' }),
  events_per_second: z.number().nonnegative().default(0).meta({ description: 'Token bucket per client, events; 0 is no limit' }),
  bytes_per_second: size('0').meta({ description: 'Token bucket per client, bytes of bodies as sent; 0 is no limit' }),
  burst: duration('2s').meta({ description: 'How long a client may exceed its rate: the bucket holds rate x burst' }),
  idempotency_window: duration('24h').meta({ description: 'How long an Idempotency-Key is remembered' }),
  idempotency_keys: z
    .int()
    .positive()
    .default(1_000_000)
    .meta({ description: 'How many Idempotency-Keys are remembered at most' }),
});
export type IngestConfig = z.output<typeof ingestConfigSchema>;
