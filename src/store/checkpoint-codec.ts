import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HeliosError } from '../lib/errors.ts';

/** zstd's fastest usual level: a state is mostly zeros. Ten thousand services take 320 MB as they are, and 330 kB packed. */
const PARAMETERS = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };
/** RFC 8878, section 3.1.1. */
const ZSTD_MAGIC = 0xfd2fb528;

export function packCheckpoint(payload: Uint8Array): Uint8Array {
  return zstdCompressSync(payload, { params: PARAMETERS });
}

/** Also takes a checkpoint that was stored unpacked. Throws `corrupt_data` when the bytes are not those that were stored. */
export function unpackCheckpoint(stored: Uint8Array): Uint8Array {
  const head = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  if (head.length < 4 || head.readUInt32LE(0) !== ZSTD_MAGIC) return stored;
  try {
    return zstdDecompressSync(stored);
  } catch (error) {
    throw new HeliosError('corrupt_data', `cannot read the checkpoint: ${(error as Error).message}`, { cause: error });
  }
}
