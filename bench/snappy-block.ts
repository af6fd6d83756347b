import { varint } from './protobuf-fields.ts';

/** A copy with a two-byte offset reaches so far back and is so long at most; shorter than four bytes is not worth one. */
const MAX_OFFSET = 65_535;
const MAX_COPY = 64;
const MIN_MATCH = 4;

/**
 * Snappy's block format (google/snappy, format_description.txt) by greedy matching. Bytes for which `isVariable` is set stand
 * in literals, are never copied and never copied from: they may be rewritten in the compressed bytes.
 */
export function snappyBlock(bytes: Buffer, isVariable: Uint8Array): Buffer {
  const parts: Buffer[] = [varint(bytes.length)];
  const lastSeen = new Map<number, number>();
  let literalFrom = 0;
  let at = 0;
  while (at + MIN_MATCH <= bytes.length) {
    const word = bytes.readUInt32LE(at);
    const candidate = lastSeen.get(word);
    lastSeen.set(word, at);
    const length = candidate === undefined || at - candidate > MAX_OFFSET ? 0 : matchLength(bytes, isVariable, candidate, at);
    if (candidate === undefined || length < MIN_MATCH) {
      at++;
      continue;
    }
    parts.push(literal(bytes.subarray(literalFrom, at)), copy(at - candidate, length));
    at += length;
    literalFrom = at;
  }
  parts.push(literal(bytes.subarray(literalFrom)));
  return Buffer.concat(parts);
}

function matchLength(bytes: Buffer, isVariable: Uint8Array, from: number, at: number): number {
  let length = 0;
  while (length < MAX_COPY && at + length < bytes.length) {
    if (bytes[from + length] !== bytes[at + length] || isVariable[from + length] || isVariable[at + length]) break;
    length++;
  }
  return length;
}

function copy(offset: number, length: number): Buffer {
  return Buffer.from([((length - 1) << 2) | 2, offset & 255, offset >> 8]);
}

function literal(bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes;
  const last = bytes.length - 1;
  if (last < 60) return Buffer.concat([Buffer.from([last << 2]), bytes]);
  return Buffer.concat([Buffer.from([62 << 2, last & 255, (last >> 8) & 255, last >> 16]), bytes]);
}
