import type { Config } from '../config/config.ts';
import { createAdmission } from '../ingest/admission.ts';
import type { Admission } from '../ingest/admission.ts';
import { ClientLedger } from '../ingest/clients.ts';
import { createDoorLimits, longestBodyTimeoutMs } from '../ingest/door-limits.ts';
import type { DoorLimits } from '../ingest/door-limits.ts';
import { createIngestHandler } from '../ingest/handler.ts';
import type { IngestHandler } from '../ingest/handler.ts';
import { createNativeDoor } from '../ingest/http/door.ts';
import { createHttpExchange } from '../ingest/http-exchange.ts';
import type { HttpDoor, HttpExchange } from '../ingest/http-exchange.ts';
import { createAuthorize } from '../ingest/keys.ts';
import { createOtlpDoors } from '../ingest/otlp/door.ts';
import { createOtlpExport } from '../ingest/otlp/export.ts';
import type { OtlpExport } from '../ingest/otlp/export.ts';
import { RemoteWriteDoor } from '../ingest/prometheus/door.ts';
import { PENDING_BYTES } from '../ingest/metrics.ts';
import { PendingBytes } from '../ingest/pending-bytes.ts';
import { ClientLimits } from '../ingest/token-bucket.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { EventLog } from '../log/event-log.ts';
import { createRotatingScanner } from '../model/rotating-scanner.ts';
import type { PrometheusMetrics } from './prometheus.ts';
import { EVENTS_PATH } from './server.ts';

const REMOTE_WRITE_PATH = '/api/v1/write';

export interface DoorsOptions {
  config: Config;
  log: EventLog;
  metricsLog?: EventLog;
  logger: Logger;
  metrics: PrometheusMetrics;
  isStopping: () => boolean;
}

/** What all doors share, and the HTTP ones by path. */
export interface Doors {
  handler: IngestHandler;
  admission: Admission;
  ledger: ClientLedger;
  limitsOf: (door: string) => DoorLimits;
  exchange: HttpExchange;
  otlpExport: OtlpExport;
  byPath: ReadonlyMap<string, HttpDoor>;
}

function createHandler({ config, log, metricsLog, metrics }: DoorsOptions, limitsOf: Doors['limitsOf']): IngestHandler {
  const eventsClock = config.clock === 'events';
  return createIngestHandler({
    log,
    ...(metricsLog && { metricsLog }),
    scanner: createRotatingScanner({ entities: config.anomaly_detection.max_entities }, () => systemClock.nowMs()),
    clock: systemClock,
    metrics,
    futureToleranceMs: eventsClock ? Infinity : config.ingest.future_tolerance,
    retentionMs: eventsClock ? Infinity : config.log.retention_age,
    maxEventsOf: (door) => limitsOf(door).maxEvents,
  });
}

export function createDoors(options: DoorsOptions): Doors {
  const { config, logger, metrics, isStopping } = options;
  const { events_per_second: eventsPerSecond, bytes_per_second: bytesPerSecond, burst: burstMs } = config.ingest;
  const limitsOf = createDoorLimits(config.ingest);
  const handler = createHandler(options, limitsOf);
  const ledger = new ClientLedger(systemClock, metrics);
  const pending = new PendingBytes(config.ingest.max_pending);
  metrics.collect(() => metrics.set(PENDING_BYTES, pending.bytes));
  const admission = createAdmission({
    authorize: createAuthorize(config.keys),
    checkOpen: () => handler.checkOpen(),
    isStopping,
    limits: new ClientLimits({ eventsPerSecond, bytesPerSecond, burstMs }, systemClock),
    pending,
    ledger,
    clock: systemClock,
    maxInFlight: config.ingest.max_in_flight,
  });
  const exchange = createHttpExchange({
    admission,
    limitsOf,
    serverTimeoutMs: longestBodyTimeoutMs(config.ingest),
    clock: systemClock,
    logger,
    metrics,
  });
  const otlpExport = createOtlpExport({ handler, clock: systemClock });
  const byPath = new Map<string, HttpDoor>([
    [EVENTS_PATH, createNativeDoor(handler)],
    ...createOtlpDoors(otlpExport),
    [REMOTE_WRITE_PATH, new RemoteWriteDoor(handler, limitsOf)],
  ]);
  return { handler, admission, ledger, limitsOf, exchange, otlpExport, byPath };
}
