import { HeliosError } from '../lib/errors.ts';

/** The memory bound of all doors: bytes of bodies being read, decompressed, or waiting for their commit. */
export class PendingBytes {
  readonly #limit: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws `overloaded` when the bound would be passed, and then reserves nothing. */
  reserve(bytes: number): void {
    if (this.#bytes + bytes > this.#limit) {
      throw new HeliosError('overloaded', 'cannot take the request: the memory bound for pending requests is reached', {
        details: { retryAfterSeconds: 1 },
      });
    }
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}
