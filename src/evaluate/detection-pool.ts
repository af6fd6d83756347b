import { Worker } from 'node:worker_threads';
import { RpcClient } from '../lib/thread-rpc.ts';
import type { DetectionOptions, DetectorName } from './detection-job.ts';
import type { Detection } from './evaluated-stream.ts';
import type { Telemetry } from './telemetry.ts';

/** Detectors in threads of their own: what reaches them is what is sent, and labels are not. */
export class DetectionPool implements AsyncDisposable {
  readonly #workers: Worker[];
  readonly #idle: RpcClient[];
  readonly #waiting: ((client: RpcClient) => void)[] = [];

  constructor(threads: number) {
    this.#workers = Array.from({ length: threads }, () => new Worker(new URL('./detection-thread.ts', import.meta.url)));
    this.#idle = this.#workers.map((worker) => {
      const client = new RpcClient(worker);
      worker.on('error', (error) => client.fail(error));
      return client;
    });
  }

  async detect(telemetry: Telemetry, name: DetectorName, options: DetectionOptions): Promise<Detection> {
    const client = this.#idle.pop() ?? (await new Promise<RpcClient>((resolve) => this.#waiting.push(resolve)));
    try {
      return await client.call<Detection>('detect', telemetry, name, options);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(client);
      else this.#idle.push(client);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
