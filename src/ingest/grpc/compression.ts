import zlib from 'node:zlib';
import { HeliosError } from '../../lib/errors.ts';
import type { MessageEncoding } from './metadata.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * Decompresses one message, accounting for the memory as it grows. Throws `too_large` past the limit, `invalid_encoding`,
 * and what `reserve` throws; the work ends there, however much a bomb would still give.
 */
export async function decompressMessage(
  bytes: Uint8Array,
  encoding: MessageEncoding,
  limitBytes: number,
  memory: { reserve(bytes: number): void },
): Promise<Uint8Array> {
  if (encoding === 'identity') {
    throw new HeliosError('invalid_body', 'cannot read the message: it is compressed, and the call names no grpc-encoding');
  }
  const options = { chunkSize: CHUNK_BYTES };
  const stream = encoding === 'gzip' ? zlib.createGunzip(options) : zlib.createZstdDecompress(options);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    stream.end(bytes);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limitBytes) throw tooLarge(limitBytes);
      memory.reserve(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HeliosError) throw error;
    throw new HeliosError('invalid_encoding', `cannot decompress the message: it is damaged or cut short (${encoding})`, {
      cause: error,
    });
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
}

function tooLarge(limitBytes: number): HeliosError {
  return new HeliosError('too_large', `cannot take the message: it decompresses to more than ${limitBytes} bytes`, {
    details: { limitBytes },
  });
}
