/** What one commit of points brought: columns series id (u32), time, value and start (f64), little-endian, packed by zstd. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HeliosError } from '../../lib/errors.ts';

/** The fastest usual level: a tail lives for minutes. The checksum makes damage an error. */
const PARAMETERS = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };
const FLOAT_BYTES = 8;
const POINT_BYTES = 4 + 3 * FLOAT_BYTES;

export interface Tail {
  count: number;
  series: Uint32Array;
  times: Float64Array;
  values: Float64Array;
  starts: Float64Array;
}

export function encodeTail({ count, series, times, values, starts }: Tail): Uint8Array {
  const bytes = new Uint8Array(count * POINT_BYTES);
  for (const [i, column] of [times, values, starts].entries()) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, count * FLOAT_BYTES), i * count * FLOAT_BYTES);
  }
  bytes.set(new Uint8Array(series.buffer, series.byteOffset, count * 4), 3 * count * FLOAT_BYTES);
  return zstdCompressSync(bytes, { params: PARAMETERS });
}

/** Throws `corrupt_data` when the bytes are not those that were stored. */
export function decodeTail(stored: Uint8Array): Tail {
  let bytes: Uint8Array;
  try {
    // Copied: columns need aligned memory of their own.
    bytes = Uint8Array.from(zstdDecompressSync(stored));
  } catch (error) {
    throw new HeliosError('corrupt_data', `cannot read a tail of points: ${(error as Error).message}`, { cause: error });
  }
  const count = bytes.length / POINT_BYTES;
  if (!Number.isInteger(count)) throw new HeliosError('corrupt_data', 'cannot read a tail of points: odd length');
  const column = (i: number): Float64Array => new Float64Array(bytes.buffer, i * count * FLOAT_BYTES, count);
  const series = new Uint32Array(bytes.buffer, 3 * count * FLOAT_BYTES, count);
  return { count, series, times: column(0), values: column(1), starts: column(2) };
}
