import { createPrng } from '../src/lib/prng.ts';
import type { Prng } from '../src/lib/prng.ts';
import type { CrashLedger } from './crash-ledger.ts';
import { doorAddress } from './door-address.ts';
import type { LoadChannel } from './load-channel.ts';
import { LOAD_DOORS } from './load-doors.ts';
import type { DoorName, LoadDoor } from './load-doors.ts';
import { ChannelOpener } from './load-opener.ts';
import { createLoadRequest, RequestWriter } from './load-request.ts';
import type { LoadRequest } from './load-request.ts';
import type { ReadyLine } from './server-process.ts';

const BATCH = 20;
const RETRY_MS = 20;

export interface CrashClientOptions {
  door: DoorName;
  /** Repeats what has no answer, the same bytes under the same key, until it is acknowledged. */
  withKey: boolean;
  seed: number;
  /** Mean pause between two requests, milliseconds. */
  paceMs: number;
  /** Where the server listens now. */
  server: () => ReadyLine;
  ledger: CrashLedger;
}

/** One request after the other through one door, to a server that ends and comes back elsewhere. */
export class CrashClient {
  readonly #options: CrashClientOptions;
  readonly #door: LoadDoor;
  readonly #prng: Prng;
  readonly #writer: RequestWriter;
  readonly #request: LoadRequest;
  #opener: { address: string; opener: ChannelOpener } | null = null;
  #channel: LoadChannel | null = null;
  #lastMs = 0;

  constructor(options: CrashClientOptions) {
    const { door, withKey, seed } = options;
    this.#options = options;
    this.#door = LOAD_DOORS[door];
    this.#prng = createPrng(seed);
    this.#writer = new RequestWriter(seed);
    const request = { door: this.#door, host: 'localhost', batch: BATCH, idempotency: withKey, prng: this.#prng };
    this.#request = createLoadRequest(request);
  }

  /** Ends at the answer after `stopping`. Rejects when a request was refused for good. */
  async run(stopping: AbortSignal): Promise<void> {
    const { door, ledger, withKey, paceMs } = this.#options;
    try {
      while (!stopping.aborted) {
        this.#renew();
        const names = this.#names();
        const isAcknowledged = withKey ? await this.#repeat() : (await this.#try()) === 'stored';
        if (isAcknowledged) ledger.acknowledge(door, names);
        else ledger.leaveOpen(names);
        await pause(isAcknowledged ? 2 * paceMs * this.#prng.next() : RETRY_MS);
      }
    } finally {
      this.#channel?.close();
      this.#opener?.opener.close();
    }
  }

  /** Times of a series never stand still. */
  #renew(): void {
    this.#lastMs = Math.max(Date.now(), this.#lastMs + 1);
    this.#writer.stamp(this.#request, this.#lastMs);
  }

  #names(): string[] {
    return this.#door.isMetrics ? this.#writer.valuesOf(this.#request).map(String) : this.#writer.idsOf(this.#request);
  }

  async #repeat(): Promise<true> {
    for (let tries = 0; ; tries++) {
      if (tries === 1) this.#options.ledger.retried++;
      if ((await this.#try()) === 'stored') return true;
      await pause(RETRY_MS);
    }
  }

  async #try(): Promise<'stored' | 'open'> {
    let answer;
    try {
      this.#channel = this.#channel?.usable ? this.#channel : await this.#openChannel();
      answer = await this.#channel.post(this.#request.bytes);
    } catch {
      return 'open';
    }
    if (answer.outcome === 'refused') throw new Error(`${this.#options.door}: ${answer.text}`);
    return answer.outcome === 'stored' ? 'stored' : 'open';
  }

  #openChannel(): Promise<LoadChannel> {
    const address = doorAddress(this.#options.server(), this.#options.door);
    if (this.#opener?.address !== address) {
      this.#opener?.opener.close();
      this.#opener = { address, opener: new ChannelOpener(this.#door, new URL(address), 1) };
    }
    return this.#opener.opener.open();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
