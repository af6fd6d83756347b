import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../lib/assert.ts';
import { systemClock } from '../lib/clock.ts';
import { serveCalls } from '../lib/thread-rpc.ts';
import type { Methods } from '../lib/thread-rpc.ts';
import { openEventSource } from '../log/embedded/event-source.ts';
import { openEmbeddedStore } from '../store/embedded/embedded-store.ts';
import { readCommitted } from './commit-signal.ts';
import type { CommitSignal } from './commit-signal.ts';
import { createLogger } from './logger.ts';

/** Queries run here, so that a month's text search delays neither ingest nor a verdict. */
export interface StoreThreadData {
  dir: string;
  logLevel: 'debug' | 'info' | 'warn' | 'error';
  signal: CommitSignal;
}

const { dir, logLevel, signal } = workerData as StoreThreadData;
assert(parentPort, 'store-thread.ts runs as a worker');
const logger = createLogger(logLevel);
const source = openEventSource({ dir });
const store = await openEmbeddedStore({ dir, source, committedOffset: () => readCommitted(signal), clock: systemClock, logger });

const methods: Methods = {
  services: (query: never) => store.services(query),
  metrics: (query: never) => store.metrics(query),
  events: (query: never) => store.events(query),
  templates: (query: never) => store.templates(query),
  rollups: (query: never) => store.rollups(query),
  list: (kind: never, query: never) => store.list(kind, query),
  get: (kind: never, key: never) => store.get(kind, key),
  put: (kind: never, document: never) => store.put(kind, document),
  modelsList: () => store.models.list(),
  modelsGet: (version: never) => store.models.get(version),
  modelsAdd: (model: never) => store.models.add(model),
  modelsActivate: (version: never) => store.models.activate(version),
  close: async () => {
    await store[Symbol.asyncDispose]();
    source.close();
  },
};
serveCalls(parentPort, methods);
parentPort.postMessage({ ready: true });
