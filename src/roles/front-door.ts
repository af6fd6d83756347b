import type { FastifyInstance, FastifyServerFactory } from 'fastify';
import type { Config } from '../config/config.ts';
import type { ConnectionBudget } from '../ingest/connection-budget.ts';
import { createGrpcServer } from '../ingest/grpc/server.ts';
import type { GrpcServer } from '../ingest/grpc/server.ts';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Doors } from './doors.ts';
import type { Urls } from './process-options.ts';
import { createConnectionBudget, createHttpServer, doorPorts, readTls } from './server.ts';

/** At a stop, for a request that is on its way on a new connection. */
const IDLE_TIMEOUT_MS = 500;

export interface FrontDoorOptions {
  config: Config;
  /** Null: this process takes no events. */
  doors: Doors | null;
  /** Makes what answers all other requests, over the server that it gets. */
  createApp: (serverFactory: FastifyServerFactory) => Promise<FastifyInstance>;
  isReady: () => boolean;
  /** Called when the process begins to stop, before the ports close. */
  onStop: () => void;
  logger: Logger;
  metrics: Metrics;
}

function openGrpcServer(options: FrontDoorOptions, doors: Doors, connections: ConnectionBudget): GrpcServer | null {
  const { config, logger, metrics, isReady } = options;
  const { grpc: port } = doorPorts(config);
  if (port === null) return null;
  const { handler, otlpExport, admission, limitsOf } = doors;
  return createGrpcServer({
    host: config.host,
    port,
    tls: readTls(config),
    handler,
    otlpExport,
    admission,
    limitsOf,
    connections,
    config: config.ingest,
    isReady,
    clock: systemClock,
    logger,
    metrics,
  });
}

/** Opens the ports; at the end of the scope they close as requests in flight are answered. */
export async function openFrontDoor(options: FrontDoorOptions, scope: AsyncDisposableStack): Promise<Urls> {
  const { config, doors, createApp, onStop } = options;
  const connections = createConnectionBudget(config);
  const server = createHttpServer({
    config: doors ? config : { ...config, otlp_http_port: 'off' },
    doors: doors?.byPath ?? new Map(),
    exchange: doors?.exchange ?? null,
    connections,
  });
  const app = await createApp(server.serverFactory);
  const grpc = doors && openGrpcServer(options, doors, connections);
  scope.defer(async () => {
    onStop();
    const timeout = systemClock.sleep(config.shutdown_timeout);
    const inTime = await Promise.all([server.close(timeout, systemClock.sleep(IDLE_TIMEOUT_MS)), grpc?.close(timeout) ?? true]);
    await app.close();
    if (inTime.every(Boolean)) return;
    throw new HeliosError('timeout', 'cannot stop in an orderly way: requests in flight were cut off');
  });
  return { ...(await server.listen()), grpcUrl: (await grpc?.listen()) ?? null };
}
