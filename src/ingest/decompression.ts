import zlib from 'node:zlib';
import { HeliosError } from '../lib/errors.ts';
import type { MemoryAccount } from './pending-bytes.ts';

export type Compression = 'gzip' | 'deflate' | 'zstd';

export interface DecompressionLimits {
  limitBytes: number;
  /** Accounts for the result as it grows; its `reserve` may throw. */
  memory: MemoryAccount;
  /** What is decompressed, for errors. */
  what: 'body' | 'message';
}

const OPTIONS = { chunkSize: 64 * 1024 };
const DECOMPRESSORS = {
  gzip: () => zlib.createGunzip(OPTIONS),
  deflate: () => zlib.createInflate(OPTIONS),
  zstd: () => zlib.createZstdDecompress(OPTIONS),
};

/**
 * Decompresses a body or message. Throws `too_large` past the limit, `invalid_encoding`, and what `reserve` throws; the work
 * ends there, however much a bomb would still give.
 */
export function decompress(bytes: Uint8Array, encoding: Compression, limits: DecompressionLimits): Promise<Uint8Array> {
  const { limitBytes, memory, what } = limits;
  const stream = DECOMPRESSORS[encoding]();
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      stream.destroy();
      reject(error);
    };
    stream.on('data', (chunk: Buffer) => {
      if (stream.destroyed) return;
      length += chunk.length;
      try {
        if (length > limitBytes) throw tooLarge(what, limitBytes);
        memory.reserve(chunk.length);
      } catch (error) {
        fail(error);
        return;
      }
      chunks.push(chunk);
    });
    stream.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)));
    stream.on('error', (cause) => fail(damaged(what, encoding, cause)));
    stream.end(bytes);
  });
}

function tooLarge(what: string, limitBytes: number): HeliosError {
  return new HeliosError('too_large', `cannot take the ${what}: it decompresses to more than ${limitBytes} bytes`, {
    details: { limitBytes },
  });
}

function damaged(what: string, encoding: string, cause: unknown): HeliosError {
  return new HeliosError('invalid_encoding', `cannot decompress the ${what}: it is damaged or cut short (${encoding})`, {
    cause,
    details: { field: what },
  });
}
