import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../lib/assert.ts';
import { systemClock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import { silentMetrics } from '../lib/metrics.ts';
import { serveCalls } from '../lib/thread-rpc.ts';
import type { Methods } from '../lib/thread-rpc.ts';
import { openEventSource } from '../log/embedded/event-source.ts';
import type { EventSource } from '../model/event-block.ts';
import type { StoreConfig } from '../store/config.ts';
import { openEmbeddedMetricStore } from '../store/embedded/embedded-metric-store.ts';
import { openEmbeddedStore } from '../store/embedded/embedded-store.ts';
import { openMetricWriter } from '../store/embedded/metric-writer.ts';
import { openStoreWriter } from '../store/embedded/store-writer.ts';
import type { MetricStore } from '../store/metric-store.ts';
import type { Store } from '../store/store.ts';
import { readCommitted } from './commit-signal.ts';
import type { CommitSignal } from './commit-signal.ts';
import { createDamageLog } from './damage-log.ts';
import { createLogger } from './logger.ts';
import { reportFailure } from './thread.ts';

/** Queries run here, so that a month's text search delays neither ingest nor a verdict. */
export interface StoreThreadData {
  dir: string;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  signal: CommitSignal;
  config: StoreConfig;
}

const { dir, logLevel, signal, config } = workerData as StoreThreadData;
assert(parentPort, 'store-thread.ts runs as a worker');
const logger = createLogger(logLevel);

async function open(): Promise<Methods> {
  // The writers set a damaged database aside; they have a look before anybody reads.
  const writing = { dir, config, clock: systemClock, logger, metrics: silentMetrics };
  await (await openStoreWriter(writing))[Symbol.asyncDispose]();
  await (await openMetricWriter(writing))[Symbol.asyncDispose]();
  const source = openEventSource({ dir, onDamage: createDamageLog(logger) });
  const store = await openEmbeddedStore({
    dir,
    source,
    committedOffset: () => readCommitted(signal),
    clock: systemClock,
    logger,
  });
  return methodsOf(store, await openEmbeddedMetricStore({ dir, logger }), source);
}

function methodsOf(store: Store, metricStore: MetricStore, source: EventSource): Methods {
  return {
    services: (query: never) => store.services(query),
    metrics: (query: never) => store.metrics(query),
    events: (query: never) => store.events(query),
    templates: (query: never) => store.templates(query),
    rollups: (query: never) => store.rollups(query),
    list: (kind: never, query: never) => store.list(kind, query),
    get: (kind: never, key: never, version: never) => store.get(kind, key, version),
    put: (kind: never, document: never) => store.put(kind, document),
    modelsList: () => store.models.list(),
    modelsGet: (version: never) => store.models.get(version),
    modelsAdd: (model: never) => store.models.add(model),
    modelsActivate: (version: never) => store.models.activate(version),
    modelsRollBack: (service: never) => store.models.rollBack(service),
    recordsGet: (keys: never) => store.records.get(keys),
    recordsList: (query: never) => store.records.list(query),
    recordsWrite: (writes: never) => store.records.write(writes),
    metricSeries: (query: never) => metricStore.series(query),
    metricPoints: (query: never) => metricStore.points(query),
    close: async () => {
      await metricStore[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      source.close();
    },
  };
}

try {
  serveCalls(parentPort, await open());
  parentPort.postMessage({ ready: true });
} catch (error) {
  if (!(error instanceof HeliosError)) throw error;
  reportFailure(parentPort, error);
}
