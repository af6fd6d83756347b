import { HeliosError } from '../../lib/errors.ts';

/** A flag byte, 1 when the message is compressed, and its length in big endian (gRPC over HTTP/2, "Length-Prefixed-Message"). */
export const PREFIX_BYTES = 5;
/** What is allocated for a message at first, if it announces so much: beyond, memory follows what has come. */
const FIRST_CAPACITY_BYTES = 256 * 1024;
const EMPTY: Uint8Array = new Uint8Array(0);

export interface MessageHooks {
  /** The first byte of a message is there; what comes back accounts for its bytes. Throws to refuse it. */
  begin(): { reserve(bytes: number): void };
  /** A complete message; false: nothing more is wanted until `resume`. */
  take(bytes: Uint8Array, isCompressed: boolean): boolean;
}

/**
 * DATA frames, cut anywhere, to messages. A message over the limit is refused as soon as its prefix is there. Throws
 * HeliosError, after which nothing more may be pushed.
 */
export class MessageReader {
  readonly #limitBytes: number;
  readonly #hooks: MessageHooks;
  readonly #prefix = new Uint8Array(PREFIX_BYTES);
  #prefixBytes = 0;
  #isCompressed = false;
  #length = 0;
  #buffer: Uint8Array = EMPTY;
  #filled = 0;
  #memory: { reserve(bytes: number): void } | null = null;
  #isWanted = true;
  /** What was pushed and not read because nothing was wanted. */
  #rest: Uint8Array = EMPTY;

  constructor(limitBytes: number, hooks: MessageHooks) {
    this.#limitBytes = limitBytes;
    this.#hooks = hooks;
  }

  /** Whether a message has begun and is not complete. */
  get isInside(): boolean {
    return this.#memory !== null;
  }

  get isWanted(): boolean {
    return this.#isWanted;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#isWanted) {
      this.#memory ??= this.#hooks.begin();
      at = this.#prefixBytes < PREFIX_BYTES ? this.#readPrefix(chunk, at) : this.#readBody(chunk, at);
    }
    this.#rest = at < chunk.length ? chunk.subarray(at) : EMPTY;
  }

  /** Reads on, as far as there is something left of what was pushed. */
  resume(): void {
    this.#isWanted = true;
    this.push(this.#rest);
  }

  #readPrefix(chunk: Uint8Array, start: number): number {
    const prefix = this.#prefix;
    let at = start;
    while (at < chunk.length && this.#prefixBytes < PREFIX_BYTES) prefix[this.#prefixBytes++] = chunk[at++] as number;
    if (this.#prefixBytes < PREFIX_BYTES) return at;
    const flag = prefix[0] as number;
    if (flag > 1) throw new HeliosError('invalid_body', `cannot read the message: its compressed flag is ${flag}`);
    this.#isCompressed = flag === 1;
    this.#length = new DataView(prefix.buffer).getUint32(1);
    if (this.#length > this.#limitBytes) {
      throw new HeliosError('too_large', `cannot take the message: its ${this.#length} bytes are over ${this.#limitBytes}`, {
        details: { limitBytes: this.#limitBytes },
      });
    }
    if (this.#length === 0) this.#complete(EMPTY);
    return at;
  }

  #readBody(chunk: Uint8Array, start: number): number {
    const missing = this.#length - this.#filled;
    const end = Math.min(chunk.length, start + missing);
    if (this.#filled === 0 && end - start === missing) {
      this.#memory?.reserve(missing);
      this.#complete(chunk.subarray(start, end));
      return end;
    }
    this.#grow(this.#filled + end - start);
    this.#buffer.set(chunk.subarray(start, end), this.#filled);
    this.#filled += end - start;
    if (this.#filled === this.#length) this.#complete(this.#buffer);
    return end;
  }

  #grow(neededBytes: number): void {
    const { length: capacity } = this.#buffer;
    if (neededBytes <= capacity) return;
    const grown = Math.min(this.#length, Math.max(neededBytes, 2 * capacity, FIRST_CAPACITY_BYTES));
    this.#memory?.reserve(grown - capacity);
    const buffer = Buffer.allocUnsafeSlow(grown);
    buffer.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = buffer;
  }

  #complete(bytes: Uint8Array): void {
    this.#prefixBytes = 0;
    this.#buffer = EMPTY;
    this.#filled = 0;
    this.#memory = null;
    this.#isWanted = this.#hooks.take(bytes, this.#isCompressed);
  }
}
