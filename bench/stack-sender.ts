import { Agent, request } from 'undici';
import { HeliosError } from '../src/lib/errors.ts';

const RETRY_MS = 100;
const REQUEST_TIMEOUT_MS = 30_000;

export interface StackSenderOptions {
  /** Where the doors are; what is not answered by one is sent to the next. */
  urls: () => readonly string[];
}

/** Sends one body after the other, each under its own key until it is acknowledged: the order of events is kept whatever dies. */
export class StackSender implements AsyncDisposable {
  readonly #options: StackSenderOptions;
  readonly #agent = new Agent({ connections: 4, headersTimeout: REQUEST_TIMEOUT_MS, bodyTimeout: REQUEST_TIMEOUT_MS });
  #turn = 0;
  acknowledged = 0;
  retries = 0;

  constructor(options: StackSenderOptions) {
    this.#options = options;
  }

  async send(body: Uint8Array, count: number, key: string): Promise<void> {
    while (!(await this.#try(body, count, key))) {
      this.retries++;
      this.#turn++;
      await new Promise((resolve) => {
        setTimeout(resolve, RETRY_MS);
      });
    }
    this.acknowledged += count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  async #try(body: Uint8Array, count: number, key: string): Promise<boolean> {
    const urls = this.#options.urls();
    const url = urls[this.#turn % urls.length] as string;
    let status: number;
    let text: string;
    try {
      const answer = await request(new URL('/api/v1/events', url), {
        method: 'POST',
        dispatcher: this.#agent,
        headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': key },
        body,
      });
      status = answer.statusCode;
      text = await answer.body.text();
    } catch {
      return false;
    }
    if (status === 202 && (JSON.parse(text) as { accepted: number }).accepted === count) return true;
    if (status === 503 || status === 409 || status === 429 || status >= 500) return false;
    throw new HeliosError('internal', `the events were answered ${status}: ${text.slice(0, 300)}`);
  }
}
