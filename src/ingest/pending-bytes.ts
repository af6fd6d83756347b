import { HeliosError } from '../lib/errors.ts';

/** Where the bytes that are held on behalf of one request are accounted for: its ticket. */
export interface MemoryAccount {
  /** Throws `overloaded`, and reserves nothing then. */
  reserve(bytes: number): void;
}

/** Of what is small, or bounded otherwise. */
export const NOT_ACCOUNTED: MemoryAccount = { reserve() {} };

/** Who holds memory: one client, with all its requests in flight. */
export interface MemoryHolder {
  heldBytes: number;
  inFlight: number;
}

function overloaded(reason: string): HeliosError {
  return new HeliosError('overloaded', `cannot take the request: ${reason}`, { details: { retryAfterSeconds: 1 } });
}

/**
 * The memory bound of all doors: bytes of bodies being read, decompressed, or waiting for their commit. It is shared fairly by
 * a dynamic threshold (Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", 1998,
 * alpha = 1): no client may hold more than what is still free, so that n greedy clients leave 1/(n+1) to one that comes later.
 */
export class PendingBytes {
  readonly #limit: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws `overloaded` when a bound would be passed, and then reserves nothing. */
  reserve(bytes: number, holder: MemoryHolder): void {
    const total = this.#bytes + bytes;
    const held = holder.heldBytes + bytes;
    if (total > this.#limit) throw overloaded('the memory bound for pending requests is reached');
    // A request that is alone may take all there is, or a small bound could never take a large body.
    const isAlone = held === total && holder.inFlight <= 1;
    if (held > this.#limit - total && !isAlone) throw overloaded('the client holds its share of the memory for pending requests');
    this.#bytes = total;
    holder.heldBytes = held;
  }

  release(bytes: number, holder: MemoryHolder): void {
    this.#bytes -= bytes;
    holder.heldBytes -= bytes;
  }
}
