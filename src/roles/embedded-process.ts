import type { FastifyInstance, FastifyServerFactory } from 'fastify';
import path from 'node:path';
import type { Config } from '../config/config.ts';
import { systemClock } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { assert } from '../lib/assert.ts';
import type { Logger } from '../lib/logger.ts';
import { createAuthorize } from '../ingest/keys.ts';
import type { IngestHandler } from '../ingest/handler.ts';
import { createConsole } from '../console/console.ts';
import type { Readiness } from '../console/dependencies.ts';
import { StreamHub } from '../console/stream-hub.ts';
import type { EventLog } from '../log/event-log.ts';
import { createPrng } from '../lib/prng.ts';
import { createReporter } from '../report/reporter.ts';
import type { Reporter } from '../report/reporter.ts';
import type { Report } from '../model/report.ts';
import type { MetricStore } from '../store/metric-store.ts';
import type { Store } from '../store/store.ts';
import { createCommitSignal, publishCommitted } from './commit-signal.ts';
import { createControl } from './control.ts';
import { createDoors } from './doors.ts';
import { openFrontDoor } from './front-door.ts';
import { createLogger } from './logger.ts';
import { embeddedVitals } from './embedded-vitals.ts';
import { createHeartbeat } from './heartbeat.ts';
import { openLogs, PIPELINE_READER } from './logs.ts';
import { ALL_METRICS } from './metrics.ts';
import { StoredModelService } from './model-service.ts';
import type { PipelineOutput } from './pipeline.ts';
import { openPipelineThread } from './pipeline-client.ts';
import type { PipelineClient } from './pipeline-client.ts';
import type { ProcessOptions, Urls } from './process-options.ts';
import { createPrometheusMetrics } from './prometheus.ts';
import type { PrometheusMetrics } from './prometheus.ts';
import { openResponses } from './responses.ts';
import { openReporting } from './reporting.ts';
import type { Reporting } from './reporting.ts';
import { SimulationService } from './simulation-service.ts';
import { openStoreThread } from './store-client.ts';

const RETENTION_PERIOD_MS = 60_000;
/** Nobody else opens the data directory: what an earlier process had begun is this one's at once. */
const OWNER = 'embedded';

interface Shared {
  config: Config;
  logger: Logger;
  metrics: PrometheusMetrics;
  log: EventLog;
  metricsLog: EventLog;
  store: Store;
  metricStore: MetricStore;
  hub: StreamHub;
  reporter: Reporter;
  reporting: Reporting;
  pipeline: PipelineClient;
  /** Event time when the clock follows the data, wall time otherwise. */
  clock: Clock;
  state: { isStopping: boolean };
}

function readinessOf(shared: Shared, handler: IngestHandler): Readiness {
  const reasons: Readiness['reasons'] = [];
  if (shared.state.isStopping) reasons.push({ name: 'process', reason: 'is stopping' });
  const failure = handler.failure();
  if (failure) reasons.push({ name: 'log', reason: failure.message });
  return { ready: reasons.length === 0, reasons };
}

function publish(
  { hub, reporter, reporting }: Pick<Shared, 'hub' | 'reporter' | 'reporting'>,
  output: PipelineOutput,
  onEvent: ProcessOptions['onEvent'],
): void {
  for (const change of output.changes) hub.publish('change', change);
  for (const anomaly of output.anomalies) {
    hub.publish('anomaly', anomaly);
    onEvent({ anomaly });
  }
  for (const incident of output.incidents) {
    hub.publish('incident', incident);
    onEvent({ incident });
    reporter.onIncident(incident);
    reporting.delivery?.wake(incident.id);
  }
}

/** Incidents that were opened just before a crash may have no report yet, and open ones are reported once more. */
async function resumeReports(store: Store, reporter: Reporter): Promise<void> {
  const { items } = await store.list('incident', { limit: 100 });
  for (const incident of items) {
    const newest = await store.get('report', incident.id);
    if (newest === undefined) reporter.onIncident(incident);
    else if (incident.status !== 'resolved' && incident.mergedInto === null) {
      reporter.resume(incident, (await store.get('report', incident.id, 1)) ?? newest, newest);
    }
  }
}

interface ReporterParts extends Pick<Shared, 'config' | 'store' | 'logger' | 'metrics' | 'hub' | 'reporting'> {
  clock: Clock;
  onEvent: ProcessOptions['onEvent'];
}

function openReporter({ hub, reporting, onEvent, config, ...common }: ReporterParts, scope: AsyncDisposableStack): Reporter {
  const onReport = (report: Report): void => {
    hub.publish('report', report);
    onEvent({ report });
    narration?.hear(report);
    reporting.delivery?.wake(report.incidentId);
  };
  const { writer, archive } = reporting;
  const reporter = scope.use(createReporter({ ...common, config: config.report, writer, archive, onReport }));
  const narration = reporting.startNarration((report) => reporter.amend(report));
  return reporter;
}

async function openShared(
  options: ProcessOptions,
  scope: AsyncDisposableStack,
  onDeath: (error: Error) => void,
): Promise<Shared> {
  const { config, onEvent } = options;
  const dir = path.resolve(config.data_dir);
  const logger = createLogger(config.log_level);
  const metrics = createPrometheusMetrics(ALL_METRICS);
  const { log, metricsLog } = await openLogs({ config, dir, logger, metrics, onDeath }, scope);
  const storeSignal = createCommitSignal();
  const pipelineSignal = createCommitSignal();
  const metricSignal = createCommitSignal();
  publishCommitted(storeSignal, log.committedOffset());
  publishCommitted(pipelineSignal, log.committedOffset());
  publishCommitted(metricSignal, metricsLog.committedOffset());
  const { store, metricStore } = scope.use(
    await openStoreThread({ dir, logLevel: config.log_level, signal: storeSignal, config: config.store }, onDeath),
  );
  const hub = new StreamHub({ startMs: systemClock.nowMs(), metrics });
  const common = { store, clock: systemClock, logger, metrics };
  const reporting = openReporting(
    {
      ...common,
      config,
      now: () => clock.nowMs(),
      prng: createPrng(systemClock.nowMs() ^ (process.pid << 10)),
      owner: OWNER,
      directory: config.report.directory ?? path.join(dir, 'reports'),
    },
    scope,
  );
  const reporter = openReporter({ ...common, config, hub, reporting, onEvent }, scope);
  const pipeline = scope.use(
    await openPipelineThread({
      data: {
        dir,
        clockMode: config.clock,
        logLevel: config.log_level,
        signal: pipelineSignal,
        metricSignal,
        detect: config.anomaly_detection,
        store: config.store,
      },
      metrics,
      onOutput: (output) => publish({ hub, reporter, reporting }, output, onEvent),
      onProgress: (progress) => log.acknowledge(PIPELINE_READER, progress.safeOffset),
      onMetricProgress: (nextOffset) => metricsLog.acknowledge(PIPELINE_READER, nextOffset),
      onDeath,
    }),
  );
  scope.defer(
    log.onCommit((nextOffset) => {
      publishCommitted(storeSignal, nextOffset);
      pipeline.committed(nextOffset);
    }),
  );
  scope.defer(metricsLog.onCommit((nextOffset) => pipeline.metricsCommitted(nextOffset)));
  await resumeReports(store, reporter);
  const clock: Clock =
    config.clock === 'events' ? { ...systemClock, nowMs: () => Math.max(0, pipeline.progress().watermarkMs) } : systemClock;
  const state = { isStopping: false };
  return { config, logger, metrics, log, metricsLog, store, metricStore, hub, reporter, reporting, pipeline, clock, state };
}

function keepRetention(shared: Shared): () => void {
  const { config, log, metricsLog, pipeline, clock, logger } = shared;
  let isRunning = false;
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    try {
      const nowMs = clock.nowMs();
      const limits = { maxAgeMs: config.log.retention_age, maxBytes: config.log.retention_size };
      await log.retain(limits, nowMs);
      await metricsLog.retain(limits, nowMs);
      if (Number.isFinite(config.store.retention)) await pipeline.retain(nowMs - config.store.retention);
    } catch (error) {
      logger.error('cannot apply the retention', { error: String(error) });
    } finally {
      isRunning = false;
    }
  };
  return systemClock.every(RETENTION_PERIOD_MS, () => void run());
}

async function openServer(shared: Shared, options: ProcessOptions, scope: AsyncDisposableStack): Promise<Urls> {
  const { config, store, metricStore, log, metricsLog, pipeline, clock, logger, metrics, hub, state } = shared;
  const doors = createDoors({ config, log, metricsLog, logger, metrics, isStopping: () => state.isStopping });
  const command = pipeline.command.bind(pipeline);
  const control = createControl({ store, command, clock });
  const { redactor, delivery } = shared.reporting;
  const onChange = (incidentId: string): void => delivery?.wake(incidentId);
  const common = { config, store, control, command, clock, wallClock: systemClock, metrics, logger };
  const responses = openResponses({ ...common, redactor, onChange }, scope);
  const simulations = scope.use(
    new SimulationService({
      dir: path.resolve(config.data_dir),
      config,
      store,
      clock,
      wallClock: systemClock,
      committed: () => ({ eventOffset: log.committedOffset(), pointOffset: metricsLog.committedOffset() }),
      onChange: (status) => hub.publish('simulation', status),
    }),
  );
  const readiness = (): Readiness => readinessOf(shared, doors.handler);
  const vitals = embeddedVitals({
    committedOffset: () => log.committedOffset(),
    nextOffset: () => pipeline.progress().nextOffset,
  });
  const { heartbeat } = config;
  scope.use(
    createHeartbeat({ config: heartbeat, version: options.version, readiness, vitals, clock: systemClock, logger, metrics }),
  );
  const createApp = (serverFactory: FastifyServerFactory): Promise<FastifyInstance> =>
    createConsole({
      store,
      metricStore,
      authorize: createAuthorize(config.keys),
      clock,
      logger,
      metrics,
      config: config.console,
      version: options.version,
      control,
      ...responses,
      models: new StoredModelService({ store, config: config.anomaly_detection, clock, command }),
      simulations,
      clients: doors.ledger,
      readiness,
      renderMetrics: () => metrics.render(),
      stream: hub,
      serverFactory,
    });
  const onStop = (): void => {
    state.isStopping = true;
    hub.close();
  };
  return openFrontDoor({ config, doors, createApp, isReady: () => readiness().ready, onStop, logger, metrics }, scope);
}

/** Opens every role over embedded storage in the data directory; all of it is closed with the scope. */
export async function openEmbeddedProcess(
  options: ProcessOptions,
  scope: AsyncDisposableStack,
  onDeath: (error: Error) => void,
): Promise<Urls> {
  assert(options.config.target.includes('all'), 'the configuration has checked that embedded storage runs all roles');
  const shared = await openShared(options, scope, onDeath);
  const urls = await openServer(shared, options, scope);
  scope.defer(keepRetention(shared));
  return urls;
}
