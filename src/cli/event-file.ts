import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { HeliosError, systemCode } from '../lib/errors.ts';
import { readLines } from './event-body.ts';
import { readJsonValues } from './json-values.ts';

const SYSTEM_REASONS: Record<string, string> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  Z_DATA_ERROR: 'the compressed data is damaged',
  Z_BUF_ERROR: 'the compressed data is cut short',
};

/** A file of events opened for reading, whichever of its spellings it has. */
export interface EventFile extends AsyncDisposable {
  sizeBytes: number;
  /** Bytes of the file read so far, for progress. */
  readonly readBytes: number;
  /** The events, each the bytes of one line. Throws `invalid_argument` when the file cannot be read to its end. */
  events(): AsyncGenerator<Buffer>;
}

/** Opens NDJSON or a JSON array, plain, gzip or zstd, told apart by the first bytes. Throws `invalid_argument`. */
export async function openEventFile(path: string): Promise<EventFile> {
  const handle = await open(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(4);
    await handle.read(head, 0, 4, 0);
    return new OpenEventFile(path, handle, size, head);
  } catch (error) {
    await handle.close();
    throw unreadable(path, error);
  }
}

class OpenEventFile implements EventFile {
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #head: Buffer;
  readBytes = 0;

  constructor(path: string, handle: FileHandle, sizeBytes: number, head: Buffer) {
    this.#path = path;
    this.#handle = handle;
    this.sizeBytes = sizeBytes;
    this.#head = head;
  }

  async *events(): AsyncGenerator<Buffer> {
    try {
      const chunks = this.#decompressed()[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      const first = await chunks.next();
      const firstBytes = first.done ? Buffer.alloc(0) : first.value;
      const all = resumed(firstBytes, chunks);
      yield* isOneJsonText(this.#path, firstBytes) ? readJsonValues(all) : readLines(all);
    } catch (error) {
      throw unreadable(this.#path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  #decompressed(): Readable {
    const raw = this.#handle.createReadStream({ autoClose: false, highWaterMark: 256 * 1024, start: 0 });
    raw.on('data', (chunk: Buffer | string) => {
      this.readBytes += chunk.length;
    });
    const isGzip = this.#head.readUInt16BE(0) === 0x1f8b;
    const isZstd = this.#head.readUInt32LE(0) === 0xfd2fb528;
    if (!isGzip && !isZstd) return raw;
    const plain = isGzip ? createGunzip({ chunkSize: 256 * 1024 }) : createZstdDecompress({ chunkSize: 256 * 1024 });
    // A failure destroys `plain` with its error, which is where the reader sees it.
    pipeline(raw, plain).catch(() => {});
    return plain;
  }
}

async function* resumed(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest };
}

/** A .json file, or one that begins like an array, is one JSON text; anything else is judged line by line. */
function isOneJsonText(path: string, first: Buffer): boolean {
  return /\.json(\.gz|\.zst)?$/.test(path) || /^\s*\[/.test(first.toString('latin1', 0, 1024));
}

function unreadable(path: string, error: unknown): HeliosError {
  if (error instanceof HeliosError) return error;
  const reason = SYSTEM_REASONS[systemCode(error)] ?? (error instanceof Error ? error.message : String(error));
  return new HeliosError('invalid_argument', `cannot read ${path}: ${reason}`, { cause: error, details: { field: path } });
}
