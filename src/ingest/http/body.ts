import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { HeliosError, systemCode } from '../../lib/errors.ts';
import type { Ticket } from '../admission.ts';

const gunzip = promisify(zlib.gunzip);
const zstdDecompress = promisify(zlib.zstdDecompress);

export type Encoding = 'identity' | 'gzip' | 'zstd';

export function encodingOf(header: string | undefined): Encoding {
  const name = (header ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return 'identity';
  if (name === 'gzip' || name === 'x-gzip') return 'gzip';
  if (name === 'zstd') return 'zstd';
  throw new HeliosError(
    'unsupported_media_type',
    `cannot read the body: the content encoding "${name.slice(0, 64)}" is not gzip or zstd`,
    {
      details: { field: 'Content-Encoding' },
    },
  );
}

/** An absent content type, parameters, and curl's default form type are all read as JSON. */
const JSON_TYPES =
  /^(application\/([\w.-]+\+)?(json|x-ndjson|ndjson|jsonl|x-jsonlines|json-lines|octet-stream|x-www-form-urlencoded)|text\/(plain|json|x-json))$/;

export function checkContentType(header: string | undefined): void {
  const type = (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '' || JSON_TYPES.test(type)) return;
  throw new HeliosError(
    'unsupported_media_type',
    `cannot read the body: the content type "${type.slice(0, 64)}" is not JSON or NDJSON`,
    {
      details: { field: 'Content-Type' },
    },
  );
}

export function tooLarge(limitBytes: number): HeliosError {
  return new HeliosError('too_large', `cannot take the body: it is larger than ${limitBytes} bytes`, { details: { limitBytes } });
}

/** A body in memory; its ticket has reserved the bytes. */
export interface HeldBody {
  bytes: Buffer;
  /** Bytes on the wire. */
  sentBytes: number;
}

const MAX_LOOSE_CHUNKS = 256;

/** What has come of a body. Chunks are joined now and then: a million of one byte each would take a gigabyte. */
class BodyChunks {
  length = 0;
  readonly #joined: Buffer[] = [];
  #loose: Buffer[] = [];

  add(chunk: Buffer): void {
    this.length += chunk.length;
    this.#loose.push(chunk);
    if (this.#loose.length < MAX_LOOSE_CHUNKS) return;
    this.#joined.push(Buffer.concat(this.#loose));
    this.#loose = [];
  }

  join(): Buffer {
    const chunks = [...this.#joined, ...this.#loose];
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, this.length);
  }
}

/** A client that went away before its body was complete: nobody is left to answer. */
export class ClientGone extends Error {}

/**
 * Reads a body of at most `limitBytes`, reserving memory as it grows (all at once when its length is announced).
 * Calls `proceed` once it is known that the body is wanted. Throws `too_large`, `overloaded` or ClientGone.
 */
export async function readBody(
  request: IncomingMessage,
  limitBytes: number,
  ticket: Ticket,
  proceed: () => void,
): Promise<HeldBody> {
  const announced = Number(request.headers['content-length'] ?? NaN);
  if (announced > limitBytes) throw tooLarge(limitBytes);
  let reserved = 0;
  if (announced > 0) {
    ticket.reserve(announced);
    reserved = announced;
  }
  proceed();
  return new Promise((resolve, reject) => {
    const chunks = new BodyChunks();
    const detach = (): void => {
      request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
    };
    const fail = (error: Error): void => {
      detach();
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      chunks.add(chunk);
      try {
        if (chunks.length > limitBytes) throw tooLarge(limitBytes);
        if (chunks.length > reserved) {
          ticket.reserve(chunks.length - reserved);
          reserved = chunks.length;
        }
      } catch (error) {
        fail(error as Error);
      }
    };
    const onEnd = (): void => {
      detach();
      resolve({ bytes: chunks.join(), sentBytes: chunks.length });
    };
    // A body that stops being HTTP is answered by the server, which ends the connection under the request.
    const onGone = (): void => fail(new ClientGone('the client closed the connection'));
    request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

/** Replaces the body by what it decompresses to, within `limitBytes` and the memory bound. */
export async function decompress(held: HeldBody, encoding: Encoding, limitBytes: number, ticket: Ticket): Promise<void> {
  if (encoding === 'identity') return;
  let bytes: Buffer;
  try {
    bytes = await (encoding === 'gzip' ? gunzip : zstdDecompress)(held.bytes, { maxOutputLength: limitBytes });
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limitBytes);
    throw new HeliosError('invalid_encoding', `cannot decompress the body: it is damaged or cut short (${encoding})`, {
      cause: error,
      details: { field: 'body' },
    });
  }
  ticket.reserve(bytes.length);
  held.bytes = bytes;
}
