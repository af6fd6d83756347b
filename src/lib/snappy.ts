import { HeliosError } from './errors.ts';

/** The longest preamble: 2^32 - 1 as a varint. */
const MAX_PREAMBLE_BYTES = 5;
/** Literals up to this length carry it in their tag; longer ones in the one to four bytes behind it. */
const MAX_SHORT_LITERAL = 60;
/** A copy shorter than this is cheaper byte by byte than as a call. */
const MIN_BULK_COPY = 16;

function damaged(what: string): HeliosError {
  return new HeliosError('invalid_encoding', `cannot decompress the body as snappy: ${what}`);
}

/** Length that the preamble states, and where the elements start. */
function readPreamble(bytes: Uint8Array): { length: number; start: number } {
  let length = 0;
  for (let i = 0; i < MAX_PREAMBLE_BYTES; i++) {
    const byte = bytes[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80 && length < 2 ** 32) return { length, start: i + 1 };
  }
  throw damaged('it does not start with its length');
}

/** Copies what was written `offset` bytes ago; source and target may overlap, then the bytes between repeat. */
function copyWithin(out: Uint8Array, at: number, offset: number, length: number): void {
  if (length >= MIN_BULK_COPY && offset >= length) {
    out.copyWithin(at, at - offset, at - offset + length);
    return;
  }
  for (let i = at; i < at + length; i++) out[i] = out[i - offset] as number;
}

/**
 * Decompresses snappy's block format (google/snappy, format_description.txt), the one of Prometheus remote write.
 * `limitBytes` bounds the result and is judged by the preamble, before anything is allocated. Throws `too_large` beyond it and
 * `invalid_encoding` for every damage: nothing is read outside `bytes` or written outside the stated length.
 */
export function decompressSnappy(bytes: Uint8Array, limitBytes: number): Uint8Array {
  const { length, start } = readPreamble(bytes);
  if (length > limitBytes) {
    throw new HeliosError('too_large', `cannot take the body: it is over ${limitBytes} bytes after decompression`);
  }
  // A three-byte copy makes 64 bytes at most, so a small body cannot have a large allocation.
  if (length > (bytes.length - start) * 32) throw damaged('it is cut short');
  const out = Buffer.allocUnsafe(length);
  let from = start;
  let to = 0;
  while (from < bytes.length) {
    const tag = bytes[from++] as number;
    const kind = tag & 3;
    let size = (tag >> 2) + 1;
    if (kind === 0) {
      if (size > MAX_SHORT_LITERAL) {
        const width = size - MAX_SHORT_LITERAL;
        if (from + width > bytes.length) throw damaged('it is cut short');
        size = 1;
        for (let i = 0; i < width; i++) size += (bytes[from + i] as number) * 2 ** (8 * i);
        from += width;
      }
      if (from + size > bytes.length) throw damaged('it is cut short');
      if (to + size > length) throw damaged('it is longer than it states');
      out.set(bytes.subarray(from, from + size), to);
      from += size;
    } else {
      const width = kind === 3 ? 4 : kind;
      if (from + width > bytes.length) throw damaged('it is cut short');
      let offset = bytes[from] as number;
      if (kind === 1) {
        size = ((tag >> 2) & 7) + 4;
        offset += (tag >> 5) << 8;
      } else for (let i = 1; i < width; i++) offset += (bytes[from + i] as number) * 2 ** (8 * i);
      from += width;
      if (offset === 0 || offset > to) throw damaged('a copy reaches before its start');
      if (to + size > length) throw damaged('it is longer than it states');
      copyWithin(out, to, offset, size);
    }
    to += size;
  }
  if (to !== length) throw damaged('it is cut short');
  return out;
}
