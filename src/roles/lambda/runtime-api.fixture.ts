import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const PREFIX = '/2018-06-01/runtime/';

/** What became of an invocation, or of the start of the function. */
export interface Outcome {
  kind: 'response' | 'error' | 'init/error';
  body: unknown;
}

interface Pending {
  id: string;
  event: unknown;
  timeoutMs: number;
  settle: (outcome: Outcome) => void;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? null : (JSON.parse(text) as unknown);
}

/**
 * The part of the AWS Lambda Runtime API (version 2018-06-01) that a runtime of one function asks: the next invocation, its response or
 * error, an error of the start. One invocation at a time, as an execution environment has it.
 */
export class RuntimeApi implements AsyncDisposable {
  readonly #server: Server;
  readonly #waiting: Pending[] = [];
  readonly #running = new Map<string, Pending>();
  readonly #asked = Promise.withResolvers<void>();
  #next: ServerResponse | undefined;
  #ids = 0;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async open(): Promise<RuntimeApi> {
    const api = new RuntimeApi();
    await once(api.#server.listen(0, '127.0.0.1'), 'listening');
    return api;
  }

  /** Host and port, as AWS_LAMBDA_RUNTIME_API names them. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the runtime asks for its first invocation: the function is loaded. */
  get ready(): Promise<void> {
    return this.#asked.promise;
  }

  invoke(event: unknown, timeoutMs = 30_000): Promise<Outcome> {
    return new Promise((settle) => {
      this.#waiting.push({ id: `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, '0')}`, event, timeoutMs, settle });
      this.#serve();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.startsWith(PREFIX) ? request.url.slice(PREFIX.length) : '';
    if (request.method === 'GET' && path === 'invocation/next') {
      this.#asked.resolve();
      this.#next = response;
      this.#serve();
      return;
    }
    const body = await bodyOf(request);
    const [, id = '', kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    const pending = this.#running.get(id);
    response
      .writeHead(path === 'init/error' || pending ? 202 : 404, { 'Content-Type': 'application/json' })
      .end('{"status":"OK"}');
    this.#running.delete(id);
    pending?.settle({ kind: kind as Outcome['kind'], body });
    if (path === 'init/error') for (const each of this.#waiting.splice(0)) each.settle({ kind: 'init/error', body });
  }

  #serve(): void {
    const response = this.#next;
    const pending = response && this.#waiting.shift();
    if (!pending) return;
    this.#next = undefined;
    this.#running.set(pending.id, pending);
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': pending.id,
      'Lambda-Runtime-Deadline-Ms': String(Date.now() + pending.timeoutMs),
      'Lambda-Runtime-Invoked-Function-Arn': 'arn:aws:lambda:eu-central-1:123456789012:function:helios-reporter',
      'Lambda-Runtime-Trace-Id': 'Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0',
    });
    response.end(JSON.stringify(pending.event));
  }
}
