import { createPrng } from '../src/lib/prng.ts';
import type { Prng } from '../src/lib/prng.ts';
import { LoadConnection } from './load-connection.ts';
import { LOAD_DOORS } from './load-doors.ts';
import { createLoadRequest, RequestWriter } from './load-request.ts';
import type { LoadRequest } from './load-request.ts';

const BATCH = 50;
const RETRY_MS = 20;

interface SentEvent {
  service: string;
  metadata: { request_id: string };
}

/** What has been acknowledged, by request id and by service. */
export interface Ledger {
  ids: Set<string>;
  byService: Map<string, number>;
  requests: number;
  /** Requests that were sent more than once because a crash left them without an answer. */
  retried: number;
}

/**
 * Posts events with an Idempotency-Key each request, and repeats a request without an answer, the same bytes under the same
 * key, until it is acknowledged. `url` may change between tries: it is where the server listens now.
 */
export class CrashClient {
  readonly ledger: Ledger = { ids: new Set(), byService: new Map(), requests: 0, retried: 0 };
  readonly #url: () => URL;
  readonly #writer: RequestWriter;
  readonly #prng: Prng;
  #isStopping = false;
  #running: Promise<void>[] = [];

  constructor(seed: number, url: () => URL) {
    this.#url = url;
    this.#writer = new RequestWriter(Math.imul(seed, 0x9e3779b1));
    this.#prng = createPrng(seed);
  }

  start(connections: number): void {
    this.#running = Array.from({ length: connections }, () => this.#drive());
    // Whoever calls finish() hears of it.
    for (const running of this.#running) running.catch(() => undefined);
  }

  /** Stops sending new requests and waits until the last is acknowledged. Rejects when a request was refused. */
  async finish(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#running);
  }

  async #drive(): Promise<void> {
    // The path does not change with the port, and the Host header may name the first one.
    const request = createLoadRequest({
      door: LOAD_DOORS.http,
      host: this.#url().host,
      batch: BATCH,
      idempotency: true,
      prng: this.#prng,
    });
    let connection: LoadConnection | null = null;
    try {
      while (!this.#isStopping) {
        this.#writer.stamp(request, Date.now());
        connection = await this.#acknowledge(request, connection);
        this.#record(request);
      }
    } finally {
      connection?.close();
    }
  }

  async #acknowledge(request: LoadRequest, open: LoadConnection | null): Promise<LoadConnection> {
    let connection = open;
    for (let tries = 0; ; tries++) {
      if (tries === 1) this.ledger.retried++;
      try {
        connection = connection?.usable ? connection : await LoadConnection.open(this.#url());
        const { status, body } = await connection.send(request.bytes);
        if (status === 202) return connection;
        // 409: the first try is still being answered; 503: it asks for patience.
        if (status !== 409 && status !== 503) throw new RefusedError(`${status} ${body}`);
      } catch (error) {
        if (error instanceof RefusedError) throw error;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, RETRY_MS);
      });
    }
  }

  #record({ bytes, bodyLength }: LoadRequest): void {
    const { ids, byService } = this.ledger;
    for (const line of bytes.toString('latin1', bytes.length - bodyLength).split('\n')) {
      if (line === '') continue;
      const { service, metadata } = JSON.parse(line) as SentEvent;
      ids.add(metadata.request_id);
      byService.set(service, (byService.get(service) ?? 0) + 1);
    }
    this.ledger.requests++;
  }
}

class RefusedError extends Error {}
