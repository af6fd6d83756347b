import { BACKSLASH } from '../model/json-bytes.ts';

function hasBackslash(bytes: Uint8Array, start: number, end: number): boolean {
  for (let p = start; p < end; p++) if (bytes[p] === BACKSLASH) return true;
  return false;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** The string whose raw JSON content is `bytes[start, end)`. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  const raw = decoder.decode(bytes.subarray(start, end));
  return hasBackslash(bytes, start, end) ? (JSON.parse(`"${raw}"`) as string) : raw;
}

/** The last index in (start, start + limit] at which raw JSON text may be cut: not inside an escape or a character. */
export function cutText(bytes: Uint8Array, start: number, end: number, limit: number): number {
  if (end - start <= limit) return end;
  let cut = start;
  for (let p = start; p <= start + limit;) {
    const byte = bytes[p] as number;
    if ((byte & 0xc0) !== 0x80) cut = p;
    if (byte === BACKSLASH) p += bytes[p + 1] === 0x75 ? 6 : 2;
    else p++;
  }
  return cut;
}
