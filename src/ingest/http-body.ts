import type { IncomingMessage } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import { HeliosError } from '../lib/errors.ts';
import type { Ticket } from './admission.ts';
import { releaseBytes } from './owned-bytes.ts';
import type { Compression } from './decompression.ts';

/** Content codings (RFC 9110, section 8.4.1, and RFC 8878) that the exchange takes off a body. */
const COMPRESSIONS: readonly string[] = ['gzip', 'deflate', 'zstd'] satisfies Compression[];
const ALIASES: Record<string, string> = { '': 'identity', 'x-gzip': 'gzip' };

/** Content codings that a door may take; those that are not taken off here are left to it. */
export type Encoding = Compression | 'snappy';

export function isTakenOff(encoding: Encoding | 'identity'): encoding is Compression {
  return COMPRESSIONS.includes(encoding);
}

/** The encoding that a Content-Encoding names, when it is one of `allowed`. */
export function encodingOf<T extends string>(header: string | undefined, allowed: readonly T[]): T | 'identity' {
  if (header === undefined) return 'identity';
  const name = header.trim().toLowerCase();
  const encoding = ALIASES[name] ?? name;
  if (encoding === 'identity') return 'identity';
  const known = allowed.find((candidate) => candidate === encoding);
  if (known !== undefined) return known;
  throw new HeliosError(
    'unsupported_media_type',
    `cannot read the body: the content encoding "${name.slice(0, 64)}" is not ${allowed.join(' or ')}`,
    { details: { field: 'Content-Encoding' } },
  );
}

export function tooLarge(limitBytes: number): HeliosError {
  return new HeliosError('too_large', `cannot take the body: it is larger than ${limitBytes} bytes`, { details: { limitBytes } });
}

/** A client that went away before its body was complete: nobody is left to answer. */
export class ClientGone extends Error {}

const MAX_LOOSE_CHUNKS = 256;

/**
 * What has come of a body; a small one comes in one piece. Chunks are joined now and then: a million of one byte each would
 * take a gigabyte.
 */
class BodyChunks {
  length = 0;
  #first: Buffer | null = null;
  #joined: Buffer[] | null = null;
  #loose: Buffer[] = [];

  add(chunk: Buffer): void {
    this.length += chunk.length;
    if (this.#first === null) {
      this.#first = chunk;
      return;
    }
    this.#joined ??= [this.#first];
    this.#loose.push(chunk);
    if (this.#loose.length < MAX_LOOSE_CHUNKS) return;
    this.#joined.push(Buffer.concat(this.#loose));
    this.#loose = [];
  }

  join(): Buffer {
    if (this.#joined === null) return this.#first ?? Buffer.alloc(0);
    const parts = [...this.#joined, ...this.#loose];
    const whole = Buffer.concat(parts, this.length);
    for (const part of parts) releaseBytes(part);
    return whole;
  }
}

export interface BodyLimits {
  maxBytes: number;
  /** For a body to be complete, milliseconds from now; null when the server's own limit is the one. */
  timeoutMs: number | null;
}

/**
 * Reads a body, reserving memory as it grows, and all at once when its length is announced. Calls `proceed` once it is known
 * that the body is wanted. Throws `too_large`, `overloaded`, `timeout` or ClientGone.
 */
export function readBody(
  request: IncomingMessage,
  limits: BodyLimits,
  ticket: Ticket,
  clock: Clock,
  proceed: () => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const { maxBytes, timeoutMs } = limits;
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > maxBytes) throw tooLarge(maxBytes);
    if (announced > 0) ticket.reserve(announced);
    proceed();
    let reserved = announced;
    const chunks = new BodyChunks();
    let isDone = false;
    const stopTimer = timeoutMs === null ? null : clock.after(timeoutMs, () => fail(tooSlow()));
    const finish = (): void => {
      isDone = true;
      stopTimer?.();
    };
    const fail = (error: Error): void => {
      if (isDone) return;
      finish();
      reject(error);
    };
    // Listeners stay until the request is gone: taking them off costs more than asking whether they are still of use.
    request.on('data', (chunk: Buffer) => {
      if (isDone) return;
      chunks.add(chunk);
      if (chunks.length <= reserved) return;
      try {
        if (chunks.length > maxBytes) throw tooLarge(maxBytes);
        ticket.reserve(chunks.length - reserved);
        reserved = chunks.length;
      } catch (error) {
        fail(error as Error);
      }
    });
    request.on('end', () => {
      if (isDone) return;
      finish();
      resolve(chunks.join());
    });
    // Also of a body that stops being HTTP: the server answers it and ends the connection under the request.
    request.on('close', () => {
      if (!isDone) fail(new ClientGone('the client closed the connection'));
    });
  });
}

function tooSlow(): HeliosError {
  return new HeliosError('timeout', 'cannot take the request: its body did not arrive in time');
}
