import { zstdDecompressSync } from 'node:zlib';
import { HeliosError } from '../../lib/errors.ts';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import { readColumn, type ValueWriter } from './column-decoder.ts';
import { collectEntities, entityColumns, type PlacedSkeleton } from './entity-collector.ts';
import { createLineColumns, type ColumnBody, type ColumnDictionary, type LineColumns } from './line-columns.ts';
import { readSkeletons, type Skeleton } from './skeleton.ts';
import { SkeletonShapes } from './skeleton-shape.ts';
import { zstdBlock } from './zstd-block.ts';

/**
 * NDJSON lines as columns. Encoded: u32 length of the compressed directory, the directory, then the large columns, each
 * compressed by itself because unlike columns spoil each other's entropy tables. The directory holds the skeletons (skeleton.ts),
 * the skeleton of every line as u16, and per column its encoding, its length and either its body or its stored length.
 * Values of one name share a column whatever skeleton they stand in, in the order of the lines. In version 1 each skeleton had
 * columns of its own, and ids were bytes.
 */
export const LINES_VERSION = 2;
const LARGE_COLUMN_BYTES = 2048;
const STORED_INLINE = 0;

/** What compresses a stretch of NDJSON; reuses its memory. */
export class LinesEncoder {
  readonly #columns: LineColumns;
  readonly #shapes = new SkeletonShapes();
  readonly #directory = new ByteWriter();
  readonly #level: number;

  /** `level` is zstd's, 1 to 19. */
  constructor(level: number, columns: LineColumns = createLineColumns()) {
    this.#level = level;
    this.#columns = columns;
  }

  /** Appends `lines` (each ending with a newline) to `out`; returns the entities inside, null when they are not certain. */
  encode(lines: Uint8Array, out: ByteWriter): Set<string> | null {
    const columns = this.#columns;
    const directory = this.#directory;
    const count = columns.split(lines);
    directory.reset();
    const { skeletons, sizes } = this.#placeSkeletons();
    writeLineSkeletons(directory, columns.lineSkeletons());
    columns.gather(
      skeletons.map((skeleton) => skeleton.columns),
      sizes,
    );
    const used = skeletons.filter((_, id) => columns.skeletonLines(id) > 0);
    const naming = entityColumns(used);
    const dictionaries = new Map<number, ColumnDictionary | null>();
    const stored: Uint8Array[] = [];
    for (let column = 0; column < sizes.length; column++) {
      const bytes = this.#writeColumn(columns.encode(column));
      if (bytes) stored.push(bytes);
      if (naming?.has(column)) dictionaries.set(column, columns.dictionary());
    }
    const head = zstdBlock(directory.view(), this.#level);
    out.reserve(4).writeUInt32LE(head.length, out.length);
    out.length += 4;
    out.bytes(head);
    for (const bytes of stored) out.bytes(bytes);
    return naming && count > 0 ? collectEntities(columns.lineSkeletons(), skeletons, dictionaries) : null;
  }

  /** Writes the skeletons to the directory, and gives each of their values a column; `sizes` are the columns' numbers of values. */
  #placeSkeletons(): { skeletons: PlacedSkeleton[]; sizes: Uint32Array } {
    const columns = this.#columns;
    const directory = this.#directory;
    const ids = new Map<string, number>();
    const sizes: number[] = [];
    directory.varint(columns.skeletons);
    const skeletons = Array.from({ length: columns.skeletons }, (_, skeleton) => {
      const lines = columns.skeletonLines(skeleton);
      const text = columns.skeletonText(skeleton);
      directory.varint(lines);
      directory.varint(text.length);
      directory.bytes(text);
      const shape = this.#shapes.of(text);
      if (lines === 0) return { shape, columns: new Uint32Array(shape.columns.length) };
      const placed = new Uint32Array(shape.columns.length);
      for (let value = 0; value < placed.length; value++) {
        const name = shape.columns[value] as string;
        const column = ids.get(name) ?? ids.size;
        if (column === ids.size) ids.set(name, column);
        sizes[column] = (sizes[column] ?? 0) + lines;
        placed[value] = column;
        directory.varint(column);
      }
      return { shape, columns: placed };
    });
    return { skeletons, sizes: Uint32Array.from(sizes) };
  }

  /** Describes the column in the directory; returns its stored bytes when it is large. */
  #writeColumn({ encoding, body }: ColumnBody): Uint8Array | null {
    this.#directory.byte(encoding);
    this.#directory.varint(body.length);
    if (body.length < LARGE_COLUMN_BYTES) {
      this.#directory.varint(STORED_INLINE);
      this.#directory.bytes(body);
      return null;
    }
    const compressed = zstdBlock(body, this.#level);
    const bytes = compressed.length < body.length ? compressed : Buffer.from(body);
    this.#directory.varint(bytes.length);
    return bytes;
  }
}

/** The lines that `encode` was given, written by any version so far; `size` is their length in bytes. Throws `corrupt_data`. */
export function decodeLines(encoded: Buffer, size: number, version = LINES_VERSION): Buffer {
  const headEnd = 4 + encoded.readUInt32LE(0);
  const directory = new ByteReader(zstdDecompressSync(encoded.subarray(4, headEnd)));
  const large = new ByteReader(encoded.subarray(headEnd));
  const skeletons = readSkeletons(directory, version);
  const lines = skeletons.reduce((sum, skeleton) => sum + skeleton.lines, 0);
  const lineSkeletons = version === 1 ? directory.bytes(lines) : readLineSkeletons(directory, lines);
  const columns: ValueWriter[] = Array.from(columnSizes(skeletons), (count) => openColumn(directory, large, count));
  const writersOf = skeletons.map((skeleton) => Array.from(skeleton.columns, (column) => columns[column] as ValueWriter));
  const out = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const id of lineSkeletons) {
    const { literal, partEnds } = skeletons[id] as Skeleton;
    const writers = writersOf[id] as ValueWriter[];
    let from = 0;
    for (let part = 0; part < partEnds.length; part++) {
      if (part > 0) at = (writers[part - 1] as ValueWriter)(out, at);
      const end = partEnds[part] as number;
      while (from < end) out[at++] = literal[from++] as number;
    }
    out[at++] = 10;
  }
  if (at !== size) throw new HeliosError('corrupt_data', `cannot decode block: ${at} bytes instead of ${size}`);
  return out;
}

function writeLineSkeletons(out: ByteWriter, ids: Uint16Array): void {
  const target = out.reserve(2 * ids.length);
  let at = out.length;
  for (const id of ids) {
    target[at++] = id & 255;
    target[at++] = id >> 8;
  }
  out.length = at;
}

function readLineSkeletons(source: ByteReader, lines: number): Uint16Array {
  const bytes = source.bytes(2 * lines);
  return Uint16Array.from({ length: lines }, (_, line) => bytes.readUInt16LE(2 * line));
}

/** Number of values of each column. */
function columnSizes(skeletons: readonly Skeleton[]): number[] {
  const sizes: number[] = [];
  for (const { columns, lines } of skeletons) for (const column of columns) sizes[column] = (sizes[column] ?? 0) + lines;
  return sizes;
}

function openColumn(directory: ByteReader, large: ByteReader, count: number): ValueWriter {
  const encoding = directory.byte();
  const length = directory.varint();
  const stored = directory.varint();
  if (stored === STORED_INLINE) return readColumn(encoding, directory.bytes(length), count);
  const bytes = large.bytes(stored);
  return readColumn(encoding, stored === length ? bytes : zstdDecompressSync(bytes, { maxOutputLength: length }), count);
}
