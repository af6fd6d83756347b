import { Worker } from 'node:worker_threads';
import { RpcClient } from '../lib/thread-rpc.ts';
import type { MetricStore } from '../store/metric-store.ts';
import type { Store } from '../store/store.ts';
import type { StoreThreadData } from './store-thread.ts';
import { startThread } from './thread.ts';

/** The stores as the main thread sees them: every call runs in the store thread. */
export interface StoreThread extends AsyncDisposable {
  store: Store;
  metricStore: MetricStore;
}

export async function openStoreThread(data: StoreThreadData, onDeath: (error: Error) => void): Promise<StoreThread> {
  const worker = new Worker(new URL('./store-thread.ts', import.meta.url), { workerData: data });
  const rpc = new RpcClient(worker);
  const stop = await startThread(worker, 'store', (error) => {
    rpc.fail(error);
    onDeath(error);
  });
  const close = async (): Promise<void> => {
    await rpc.call('close');
    await stop();
  };
  const metricStore: MetricStore = {
    series: (query) => rpc.call('metricSeries', query),
    points: (query) => rpc.call('metricPoints', query),
    [Symbol.asyncDispose]: close,
  };
  return { store: storeOf(rpc, close), metricStore, [Symbol.asyncDispose]: close };
}

function storeOf(rpc: RpcClient, close: () => Promise<void>): Store {
  return {
    services: (query) => rpc.call('services', query),
    metrics: (query) => rpc.call('metrics', query),
    events: (query) => rpc.call('events', query),
    templates: (query) => rpc.call('templates', query),
    rollups: (query) => rpc.call('rollups', query),
    list: (kind, query) => rpc.call('list', kind, query),
    get: (kind, key, version) => rpc.call('get', kind, key, version),
    put: (kind, document) => rpc.call('put', kind, document),
    models: {
      list: () => rpc.call('modelsList'),
      get: (version) => rpc.call('modelsGet', version),
      add: (model) => rpc.call('modelsAdd', model),
      activate: (version) => rpc.call('modelsActivate', version),
      rollBack: (service) => rpc.call('modelsRollBack', service),
    },
    records: {
      get: (keys) => rpc.call('recordsGet', keys),
      list: (query) => rpc.call('recordsList', query),
      write: (writes) => rpc.call('recordsWrite', writes),
    },
    [Symbol.asyncDispose]: close,
  };
}
