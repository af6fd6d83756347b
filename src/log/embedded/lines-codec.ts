import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { HeliosError } from '../../lib/errors.ts';
import { ByteReader, ByteWriter } from './byte-stream.ts';
import { readColumn, type ValueWriter } from './column-decoder.ts';
import { ColumnEncoder, type ColumnValues } from './column-encoder.ts';
import { EntityCollector } from './entity-collector.ts';
import { LineSplitter } from './line-splitter.ts';
import { readSkeletons, writeSkeletons } from './skeleton.ts';

/**
 * NDJSON lines as columns. Encoded: u32 length of the compressed directory, the directory, then the large columns, each
 * compressed by itself because unlike columns spoil each other's entropy tables. The directory holds the skeletons, the
 * skeleton of every line, and per column its encoding, its length and either its body or its stored length.
 */
const LARGE_COLUMN_BYTES = 2048;
const STORED_INLINE = 0;

/** What compresses a stretch of NDJSON; reuses its memory. */
export class LinesEncoder {
  readonly #splitter = new LineSplitter();
  readonly #columns = new ColumnEncoder();
  readonly #directory = new ByteWriter();
  readonly #column = new ByteWriter();
  readonly #level: number;

  /** `level` is zstd's, 1 to 19. */
  constructor(level: number) {
    this.#level = level;
  }

  /** Appends `lines` (each ending with a newline) to `out`; returns the entities inside, null when they are not certain. */
  encode(lines: Buffer, out: ByteWriter): Set<string> | null {
    const splitter = this.#splitter;
    const directory = this.#directory;
    splitter.split(lines);
    directory.reset();
    writeSkeletons(directory, splitter.skeletons);
    directory.bytes(splitter.lineSkeleton.subarray(0, splitter.lines));
    const stored: Uint8Array[] = [];
    const entities = new EntityCollector(lines);
    for (const [id, skeleton] of splitter.skeletons.entries()) {
      if (skeleton.lines === 0) continue;
      const rows = this.#rowsOf(id, skeleton.lines);
      entities.begin(skeleton);
      for (let i = 0; i < skeleton.values; i++) {
        const column = this.#gather(rows, i);
        stored.push(...this.#writeColumn(column));
        entities.column(i, column, this.#columns);
      }
      entities.end(skeleton.lines);
    }
    const head = this.#compress(directory.view());
    out.reserve(4).writeUInt32LE(head.length, out.length);
    out.length += 4;
    out.bytes(head);
    for (const bytes of stored) out.bytes(bytes);
    return entities.result();
  }

  #rowsOf(id: number, count: number): Uint32Array {
    const { lineSkeleton, lines, lineFirstValue } = this.#splitter;
    const rows = new Uint32Array(count);
    let next = 0;
    for (let line = 0; line < lines; line++) if (lineSkeleton[line] === id) rows[next++] = lineFirstValue[line] as number;
    return rows;
  }

  #gather(rows: Uint32Array, value: number): ColumnValues {
    const { source, starts, ends } = this.#splitter;
    const column = { source, starts: new Uint32Array(rows.length), ends: new Uint32Array(rows.length), count: rows.length };
    for (let i = 0; i < rows.length; i++) {
      const at = (rows[i] as number) + value;
      column.starts[i] = starts[at] as number;
      column.ends[i] = ends[at] as number;
    }
    return column;
  }

  /** Describes the column in the directory; returns its stored bytes when it is large. */
  #writeColumn(values: ColumnValues): Uint8Array[] {
    this.#column.reset();
    const encoding = this.#columns.encode(this.#column, values);
    const body = this.#column.view();
    this.#directory.byte(encoding);
    this.#directory.varint(body.length);
    if (body.length < LARGE_COLUMN_BYTES) {
      this.#directory.varint(STORED_INLINE);
      this.#directory.bytes(body);
      return [];
    }
    const compressed = this.#compress(body);
    const bytes = compressed.length < body.length ? compressed : Buffer.from(body);
    this.#directory.varint(bytes.length);
    return [bytes];
  }

  #compress(bytes: Buffer): Buffer {
    return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: this.#level } });
  }
}

/** The lines that `encode` was given; `size` is their length in bytes. Throws `corrupt_data`. */
export function decodeLines(encoded: Buffer, size: number): Buffer {
  const headEnd = 4 + encoded.readUInt32LE(0);
  const directory = new ByteReader(zstdDecompressSync(encoded.subarray(4, headEnd)));
  const large = new ByteReader(encoded.subarray(headEnd));
  const skeletons = readSkeletons(directory);
  const lines = skeletons.reduce((sum, skeleton) => sum + skeleton.lines, 0);
  const lineSkeleton = directory.bytes(lines);
  const columns = skeletons.map((skeleton) =>
    skeleton.lines === 0 ? [] : skeleton.parts.slice(1).map(() => openColumn(directory, large, skeleton.lines)),
  );
  const out = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const id of lineSkeleton) {
    const { literal, partEnds } = skeletons[id] as (typeof skeletons)[number];
    const writers = columns[id] as ValueWriter[];
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

function openColumn(directory: ByteReader, large: ByteReader, count: number): ValueWriter {
  const encoding = directory.byte();
  const length = directory.varint();
  const stored = directory.varint();
  if (stored === STORED_INLINE) return readColumn(encoding, directory.bytes(length), count);
  const bytes = large.bytes(stored);
  return readColumn(encoding, stored === length ? bytes : zstdDecompressSync(bytes, { maxOutputLength: length }), count);
}
