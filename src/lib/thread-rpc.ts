import { HeliosError } from './errors.ts';
import type { ErrorCode, ErrorDetails } from './errors.ts';

/** Anything with the message side of a worker_threads port. */
export interface MessageEnd {
  postMessage(value: unknown): void;
  on(event: 'message', listener: (value: any) => void): unknown;
}

interface Call {
  rpc: 'call';
  id: number;
  method: string;
  args: unknown[];
}
interface Result {
  rpc: 'result';
  id: number;
  value: unknown;
}
interface Failure {
  rpc: 'failure';
  id: number;
  code: ErrorCode | null;
  message: string;
  details: ErrorDetails;
}

export type Methods = Record<string, (...args: never[]) => unknown>;

/** Answers calls that arrive at a port. Methods may be async; calls of one port may overlap. */
export function serveCalls(port: MessageEnd, methods: Methods): void {
  const answer = async (call: Call): Promise<void> => {
    try {
      const method = methods[call.method] as ((...args: unknown[]) => unknown) | undefined;
      if (!method) throw new Error(`no method ${call.method}`);
      const value = await method(...call.args);
      port.postMessage({ rpc: 'result', id: call.id, value } satisfies Result);
    } catch (error) {
      const known = error instanceof HeliosError ? error : null;
      const message = known ? known.message : String((error as Error)?.stack ?? error);
      port.postMessage({
        rpc: 'failure',
        id: call.id,
        code: known?.code ?? null,
        message,
        details: known?.details ?? {},
      } satisfies Failure);
    }
  };
  port.on('message', (message: Call | { rpc?: undefined }) => {
    if (message.rpc === 'call') void answer(message);
  });
}

/** The calling side. Results are structured clones; a HeliosError arrives as one. */
export class RpcClient {
  readonly #port: MessageEnd;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #nextId = 0;
  #failed: Error | null = null;

  constructor(port: MessageEnd) {
    this.#port = port;
    port.on('message', (message: Result | Failure | { rpc?: undefined }) => this.#onMessage(message));
  }

  call<T>(method: string, ...args: unknown[]): Promise<T> {
    if (this.#failed) return Promise.reject(this.#failed);
    const id = this.#nextId++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#port.postMessage({ rpc: 'call', id, method, args } satisfies Call);
    });
  }

  /** Rejects every call now waiting and every later one: the other side is gone. */
  fail(error: Error): void {
    this.#failed = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #onMessage(message: Result | Failure | { rpc?: undefined }): void {
    if (message.rpc === undefined) return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    if (message.rpc === 'result') waiting.resolve(message.value as never);
    else if (message.code === null) waiting.reject(new Error(message.message));
    else waiting.reject(new HeliosError(message.code, message.message, { details: message.details }));
  }
}
