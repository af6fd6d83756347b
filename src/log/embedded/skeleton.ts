import type { ByteReader } from './byte-stream.ts';

const NEWLINE = 10;

/** The literal parts of lines of one shape, as a reader needs them; value i stands between parts i and i + 1. */
export interface Skeleton {
  /** Number of lines of this shape in the block. */
  lines: number;
  /** All parts in one buffer, and where each ends. */
  literal: Buffer;
  partEnds: Uint32Array;
  /** Column of each value; none when the block has no such line. */
  columns: Uint32Array;
}

/**
 * A skeleton is stored as its number of lines, the length of its text, the text (the parts with a newline between each two), and
 * the column of each value if it has lines. In version 1: the number of lines, of parts, and each part with its length.
 */
export function readSkeletons(source: ByteReader, version: number): Skeleton[] {
  let columns = 0;
  return Array.from({ length: source.varint() }, () => {
    const lines = source.varint();
    const parts = version === 1 ? lengthPrefixed(source) : split(source.bytes(source.varint()));
    const values = lines > 0 ? parts.length - 1 : 0;
    const columnOf = Uint32Array.from({ length: values }, () => (version === 1 ? columns++ : source.varint()));
    return { lines, ...joined(parts), columns: columnOf };
  });
}

function lengthPrefixed(source: ByteReader): Buffer[] {
  return Array.from({ length: source.varint() }, () => source.bytes(source.varint()));
}

function split(text: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
    parts.push(text.subarray(start, end));
    start = end + 1;
  }
  parts.push(text.subarray(start));
  return parts;
}

function joined(parts: readonly Buffer[]): Pick<Skeleton, 'literal' | 'partEnds'> {
  const partEnds = new Uint32Array(parts.length);
  let end = 0;
  for (const [i, part] of parts.entries()) partEnds[i] = end += part.length;
  return { literal: Buffer.concat(parts), partEnds };
}
