import { HeliosError } from '../../lib/errors.ts';
import { ByteReader } from './byte-stream.ts';
import { COLUMN_DICTIONARY, COLUMN_FIXED, COLUMN_HEX, COLUMN_TEXT, COLUMN_TIMESTAMPS } from './column-format.ts';
import { readTimestamps } from './timestamp-column.ts';

const NEWLINE = 10;
const HEX_DIGITS = Buffer.from('0123456789abcdef');

/** Writes a column's next value into `target` at `at` and returns where it ends; `target` must have the room. */
export type ValueWriter = (target: Buffer, at: number) => number;

/** Reads the `count` values of a column from its body. The writer must be called exactly once a value. */
export function readColumn(tag: number, body: Uint8Array, count: number): ValueWriter {
  const source = new ByteReader(body);
  switch (tag) {
    case COLUMN_TEXT:
      return textWriter(source);
    case COLUMN_TIMESTAMPS:
      return readTimestamps(source);
    case COLUMN_DICTIONARY:
      return dictionaryWriter(source, count);
    case COLUMN_FIXED:
    case COLUMN_HEX:
      return fixedWriter(source, count, tag);
    default:
      throw new HeliosError('corrupt_data', `cannot decode block: column encoding ${tag} is unknown`);
  }
}

function copyShort(source: Buffer, from: number, end: number, target: Buffer, at: number): number {
  if (end - from > 48) return at + source.copy(target, at, from, end);
  let to = at;
  for (let i = from; i < end; i++) target[to++] = source[i] as number;
  return to;
}

function textWriter({ source }: ByteReader): ValueWriter {
  let next = 0;
  return (target, at) => {
    const newline = lineEnd(source, next);
    const to = copyShort(source, next, newline, target, at);
    next = newline + 1;
    return to;
  };
}

function lineEnd(source: Buffer, from: number): number {
  for (let i = from; i < source.length; i++) if (source[i] === NEWLINE) return i;
  throw new HeliosError('corrupt_data', 'cannot decode block: a text column ends too early');
}

function dictionaryWriter(reader: ByteReader, count: number): ValueWriter {
  const { source } = reader;
  const kinds = reader.byte() + 1;
  const ends = new Uint32Array(kinds + 1);
  ends[0] = reader.position;
  for (let i = 1; i <= kinds; i++) ends[i] = lineEnd(source, ends[i - 1] as number) + 1;
  reader.position = ends[kinds] as number;
  const ids = kinds > 1 ? reader.bytes(count) : null;
  let next = 0;
  return (target, at) => {
    const id = ids === null ? 0 : (ids[next++] as number);
    return copyShort(source, ends[id] as number, (ends[id + 1] as number) - 1, target, at);
  };
}

function fixedWriter(reader: ByteReader, count: number, tag: number): ValueWriter {
  const length = reader.byte();
  const prefix = reader.bytes(reader.byte());
  const width = length - prefix.length;
  const stored = tag === COLUMN_HEX ? width / 2 : width;
  const rest = reader.bytes(stored * count);
  let next = 0;
  return (target, at) => {
    let to = copyShort(prefix, 0, prefix.length, target, at);
    if (tag === COLUMN_FIXED) to = copyShort(rest, next, next + stored, target, to);
    else {
      for (let i = next; i < next + stored; i++) {
        const byte = rest[i] as number;
        target[to++] = HEX_DIGITS[byte >> 4] as number;
        target[to++] = HEX_DIGITS[byte & 15] as number;
      }
    }
    next += stored;
    return to;
  };
}
