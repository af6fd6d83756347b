import { z } from 'zod';
import { duration } from '../lib/config-types.ts';

export const TARGETS = ['all', 'ingest', 'store', 'detect', 'report', 'console'] as const;
export type Target = (typeof TARGETS)[number];

/** Keys at the top level of helios.yaml. */
export const processConfigShape = {
  target: z
    .array(z.enum(TARGETS))
    .default(['all'])
    .meta({ description: 'Roles this process plays; with embedded storage only all' }),
  clock: z
    .enum(['wall', 'events'])
    .default('wall')
    .meta({ description: 'wall: time is now; events: time advances with the data, for history and replays' }),
  data_dir: z.string().min(1).default('./data').meta({ description: 'Directory of the event log, the store and the reports' }),
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .meta({ description: 'Address to listen on; other than loopback needs API keys or insecure' }),
  port: z.int().min(0).max(65_535).default(8080).meta({ description: 'Port of the API; 0 picks a free one' }),
  otlp_http_port: z
    .union([z.int().min(0).max(65_535), z.literal('off')])
    .optional()
    .meta({ description: 'Port of OTLP over HTTP and the other doors, 4318 unless port is 0; 0 picks a free one, off has none' }),
  grpc_port: z
    .union([z.int().min(0).max(65_535), z.literal('off')])
    .optional()
    .meta({ description: 'Port of gRPC, OTLP and native, 4317 unless port is 0; 0 picks a free one, off has none' }),
  insecure: z.boolean().default(false).meta({ description: 'Allows a non-loopback address without API keys' }),
  tls_cert_file: z.string().optional().meta({ description: 'PEM certificate chain; with tls_key_file every door speaks TLS' }),
  tls_key_file: z.string().optional().meta({ description: 'PEM private key' }),
  shutdown_timeout: duration('30s').meta({ description: 'Requests still running this long after the first signal are cut off' }),
  log_level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .meta({ description: 'Least severe of the messages on standard error' }),
};
