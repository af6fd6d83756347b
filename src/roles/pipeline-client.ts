import { Worker } from 'node:worker_threads';
import type { DetectorCommand } from '../detect/detector.ts';
import { RpcClient } from '../lib/thread-rpc.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Incident } from '../model/incident.ts';
import { publishCommitted } from './commit-signal.ts';
import { applyMetrics } from './metrics-relay.ts';
import type { MetricsMessage } from './metrics-relay.ts';
import type { PipelineOutput, PipelineProgress } from './pipeline.ts';
import type { PipelineThreadData } from './pipeline-thread.ts';
import { startThread } from './thread.ts';

/** The pipeline as the main thread sees it. */
export interface PipelineClient extends AsyncDisposable {
  /** Tells it that the log is durable up to here. */
  committed(nextOffset: number): void;
  /** The same of the metrics log. */
  metricsCommitted(nextOffset: number): void;
  command(command: DetectorCommand): Promise<Incident | undefined>;
  retain(beforeMs: number): Promise<void>;
  progress(): PipelineProgress;
}

export interface PipelineClientOptions {
  data: PipelineThreadData;
  metrics: Metrics;
  onOutput: (output: PipelineOutput) => void;
  onProgress: (progress: PipelineProgress) => void;
  /** The metric store holds everything of the metrics log below this. */
  onMetricProgress: (nextOffset: number) => void;
  onDeath: (error: Error) => void;
}

type Message = { output?: PipelineOutput; progress?: PipelineProgress; metricOffset?: number } & Partial<MetricsMessage>;

export async function openPipelineThread(options: PipelineClientOptions): Promise<PipelineClient> {
  const { data, metrics } = options;
  const worker = new Worker(new URL('./pipeline-thread.ts', import.meta.url), { workerData: data });
  const rpc = new RpcClient(worker);
  let progress: PipelineProgress = { nextOffset: 0, safeOffset: 0, watermarkMs: -Infinity, caughtUp: false };
  worker.on('message', (message: Message) => {
    if (message.output) options.onOutput(message.output);
    if (message.progress) {
      progress = message.progress;
      options.onProgress(progress);
    }
    if (message.metricOffset !== undefined) options.onMetricProgress(message.metricOffset);
    if (message.metrics) applyMetrics(metrics, { metrics: message.metrics });
  });
  const stop = await startThread(worker, 'pipeline', (error) => {
    rpc.fail(error);
    options.onDeath(error);
  });
  return {
    committed(nextOffset) {
      if (publishCommitted(data.signal, nextOffset)) worker.postMessage({ wake: true });
    },
    metricsCommitted(nextOffset) {
      if (publishCommitted(data.metricSignal, nextOffset)) worker.postMessage({ wake: true });
    },
    command: (command) => rpc.call('command', command),
    retain: (beforeMs) => rpc.call('retain', beforeMs),
    progress: () => progress,
    async [Symbol.asyncDispose]() {
      await rpc.call('close');
      await stop();
    },
  };
}
