import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Authorize } from '../model/access.ts';
import type { ClientEntry, ClientLedger, Settlement } from './clients.ts';
import type { Sender } from './handler.ts';
import type { PendingBytes } from './pending-bytes.ts';
import type { ClientLimits } from './token-bucket.ts';

/** What every door asks before it reads a body, and where it accounts for the memory it holds. */
export interface Admission {
  /** Who sends, by the key in the headers. Throws `unauthenticated` or `forbidden`, counted under the peer's address. */
  identify(headers: Parameters<Authorize>[0], peer: string, door: string): Sender;
  /** Throws `shutting_down`, `rate_limited` or what the log failed with. */
  admit(sender: Sender, door: string): Ticket;
}

/** One request that was let in. Disposing it releases everything it reserved and ends the request's count. */
export interface Ticket extends Disposable {
  /**
   * Accounts for bytes held on behalf of this request; throws `overloaded`, and reserves nothing then: the bound is shared by
   * all doors, and one client may hold no more than what is still free.
   */
  reserve(bytes: number): void;
  /** Counts what came of the request, for the token buckets and GET /api/v1/clients. At most once. */
  settle(result: Settlement): void;
  /** Counts a request that ends in an error after it was let in; unless it was settled, what it reserved counts as sent. */
  fail(error: HeliosError): void;
}

export interface AdmissionOptions {
  authorize: Authorize;
  /** Throws what the log failed with while its circuit is open. */
  checkOpen: () => void;
  /** True once the process is stopping. */
  isStopping: () => boolean;
  limits: ClientLimits;
  pending: PendingBytes;
  ledger: ClientLedger;
  clock: Clock;
  /** Requests in flight that one client may have. */
  maxInFlight: number;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { authorize, limits, ledger, clock, pending } = options;

  function check(client: string, entry: ClientEntry): void {
    if (options.isStopping()) {
      throw new HeliosError('shutting_down', 'cannot take the request: the process is stopping', {
        details: { retryAfterSeconds: 5 },
      });
    }
    const waitMs = limits.waitMs(client);
    if (waitMs > 0) throw rateLimited('the client is over its rate', waitMs / 1000);
    if (entry.inFlight >= options.maxInFlight) {
      throw rateLimited(`the client has ${options.maxInFlight} requests in flight, as many as one may have`, 1);
    }
    options.checkOpen();
  }

  return {
    identify(headers, peer, door) {
      try {
        const principal = authorize(headers, 'ingest');
        return { principal, client: principal.id === '' ? peer : principal.id };
      } catch (error) {
        if (error instanceof HeliosError) ledger.stranger(peer).refuse(door, error, clock.nowMs());
        throw error;
      }
    },
    admit({ client }, door) {
      const entry = ledger.seen(client);
      try {
        check(client, entry);
      } catch (error) {
        if (error instanceof HeliosError) entry.refuse(door, error, clock.nowMs());
        throw error;
      }
      return new RequestTicket(entry, client, door, { limits, pending, clock });
    },
  };
}

function rateLimited(reason: string, retryAfterSeconds: number): HeliosError {
  return new HeliosError('rate_limited', `cannot take the request: ${reason}`, { details: { retryAfterSeconds } });
}

class RequestTicket implements Ticket {
  readonly #entry: ClientEntry;
  readonly #client: string;
  readonly #door: string;
  readonly #shared: Pick<AdmissionOptions, 'limits' | 'pending' | 'clock'>;
  #reserved = 0;
  #isSettled = false;
  #isDisposed = false;

  constructor(entry: ClientEntry, client: string, door: string, shared: Pick<AdmissionOptions, 'limits' | 'pending' | 'clock'>) {
    this.#entry = entry;
    this.#client = client;
    this.#door = door;
    this.#shared = shared;
    entry.inFlight++;
  }

  reserve(bytes: number): void {
    this.#shared.pending.reserve(bytes, this.#entry);
    this.#reserved += bytes;
  }

  settle(result: Settlement): void {
    this.#isSettled = true;
    this.#entry.settle(result);
    this.#shared.limits.take(this.#client, result.accepted, result.sentBytes);
  }

  fail(error: HeliosError): void {
    this.#entry.refuse(this.#door, error, this.#shared.clock.nowMs());
    if (!this.#isSettled) this.#shared.limits.take(this.#client, 0, this.#reserved);
    this.#isSettled = true;
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#entry.inFlight--;
    this.#shared.pending.release(this.#reserved, this.#entry);
  }
}
