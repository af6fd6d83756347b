import type { MessagePort, Worker } from 'node:worker_threads';
import { HeliosError } from '../lib/errors.ts';
import type { ErrorCode } from '../lib/errors.ts';

/** What a worker posts when it cannot start or go on for a reason that a person can mend. */
interface ThreadFailure {
  failed: { code: ErrorCode; message: string };
}

/** Worker side: a thrown error would lose its code on the way. */
export function reportFailure(port: MessagePort, { code, message }: HeliosError): void {
  port.postMessage({ failed: { code, message } } satisfies ThreadFailure);
}

/**
 * Waits for a worker's `{ready: true}`; rejects with the error that its start failed with. Later, `onDeath` is called
 * once when it ends without having been stopped. Returns how to stop it.
 */
export function startThread(worker: Worker, name: string, onDeath: (error: Error) => void): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    let isReady = false;
    let isStopping = false;
    let cause: Error | null = null;
    let failure: HeliosError | null = null;
    worker.on('message', (message: { ready?: true } & Partial<ThreadFailure>) => {
      if (message.failed) {
        failure = new HeliosError(message.failed.code, message.failed.message);
        reject(failure);
      }
      if (!message.ready) return;
      isReady = true;
      resolve(async () => {
        isStopping = true;
        await worker.terminate();
      });
    });
    worker.on('error', (error: Error) => {
      cause = error;
    });
    worker.on('exit', () => {
      const error = failure ?? cause ?? new Error(`the ${name} thread ended`);
      if (!isReady) reject(error);
      else if (failure) onDeath(failure);
      else if (!isStopping) onDeath(new Error(`the ${name} thread failed: ${error.message}`, { cause: error }));
    });
  });
}
