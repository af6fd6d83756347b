import type { EventLog } from '../../log/event-log.ts';
import { openKafkaLog } from '../../log/kafka/kafka-log.ts';
import type { Engines } from './engines.ts';

/** With event time as the clock, how often partitions that get nothing hear of it. */
const HEARTBEAT_MS = 500;

/** The logs that the doors append to: topics of events, with their traces, and of metric points. */
export async function openIngestLogs(
  engines: Engines,
  scope: AsyncDisposableStack,
): Promise<{ log: EventLog; metricsLog: EventLog }> {
  const { config, connection, clock, logger, metrics } = engines;
  const { idempotency_window: windowMs, idempotency_keys: maxKeys } = config.ingest;
  const common = { connection, config: config.kafka, clock, logger, metrics, idempotency: { windowMs, maxKeys } };
  const { topic_events: topic, topic_traces: tracesTopic, topic_metrics: metricsTopic } = config.kafka;
  const heartbeat = config.clock === 'events' ? { heartbeatMs: HEARTBEAT_MS } : {};
  const log = scope.use(await openKafkaLog({ ...common, ...heartbeat, kind: 'events', topic, tracesTopic }));
  const metricsLog = scope.use(await openKafkaLog({ ...common, kind: 'metrics', topic: metricsTopic }));
  return { log, metricsLog };
}
