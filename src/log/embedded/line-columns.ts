import fs from 'node:fs';

/** A column as it is to be stored; the body is valid until the next call of anything. */
export interface ColumnBody {
  /** A tag of column-format.ts. */
  encoding: number;
  body: Uint8Array;
}

/** The distinct values of a column, and which of them each of its values is. */
export interface ColumnDictionary {
  names: string[];
  ids: Uint8Array;
}

/**
 * Lines taken apart, losslessly and for any bytes: a line is its skeleton's literal parts with the line's values between them.
 * Skeleton 0 is the whole line as one value. Holds one stretch of lines at a time; each step needs the one before.
 */
export interface LineColumns {
  /** Takes lines that each end with a newline; returns their number. */
  split(lines: Uint8Array): number;
  /** Number of skeletons, up to 1023; a line of any other shape is kept whole. */
  readonly skeletons: number;
  /** The skeleton of each line. */
  lineSkeletons(): Uint16Array;
  skeletonLines(skeleton: number): number;
  /** The literal parts with a newline between each two, where the values stand. */
  skeletonText(skeleton: number): Buffer;
  /** Sorts the values: `columnsOf[skeleton]` is the column of each of its values, `sizes` the number of values of each column. */
  gather(columnsOf: readonly Uint32Array[], sizes: Uint32Array): void;
  encode(column: number): ColumnBody;
  /** Of the column encoded last, when it became a dictionary. */
  dictionary(): ColumnDictionary | null;
}

/** Past this much memory a kernel is replaced by a fresh one after use: WebAssembly memory never shrinks. */
const MAX_KEPT_BYTES = 128 * 1024 * 1024;

interface Kernel {
  memory: { buffer: ArrayBuffer };
  skeletons: { value: number };
  body: { value: number };
  ids: { value: number };
  reserve(bytes: number): number;
  split(length: number): number;
  lineSkeleton(): number;
  skeletonLines(skeleton: number): number;
  skeletonText(skeleton: number): number;
  columnsOf(skeleton: number): number;
  columnStarts(): number;
  gather(): void;
  encode(first: number, count: number): number;
  bodySize(): number;
  dictionarySize(): number;
  dictionaryEntry(id: number): number;
}

let compiled: WebAssembly.Module | undefined;

function instantiate(): Kernel {
  compiled ??= new WebAssembly.Module(fs.readFileSync(new URL('./line-columns.wasm', import.meta.url)));
  const { exports } = new WebAssembly.Instance(compiled, {});
  return exports as unknown as Kernel;
}

/** The kernel of line-columns.as.ts. One instance has one stretch of lines; threads have their own. */
export function createLineColumns(): LineColumns {
  return new KernelLineColumns();
}

class KernelLineColumns implements LineColumns {
  #kernel = instantiate();
  #memory: Buffer = Buffer.alloc(0);
  #lines = 0;
  /** Index of each column's first value; one more entry than columns. */
  #starts = new Uint32Array(1);
  #encoded = 0;

  get skeletons(): number {
    return this.#kernel.skeletons.value;
  }

  split(lines: Uint8Array): number {
    if (this.#kernel.memory.buffer.byteLength > MAX_KEPT_BYTES) this.#kernel = instantiate();
    const source = this.#kernel.reserve(lines.length);
    if (source === 0) throw new RangeError(`no memory for a block of ${lines.length} bytes`);
    this.#memory = Buffer.from(this.#kernel.memory.buffer);
    this.#memory.set(lines, source);
    this.#lines = this.#kernel.split(lines.length);
    return this.#lines;
  }

  lineSkeletons(): Uint16Array {
    return new Uint16Array(this.#kernel.memory.buffer, this.#kernel.lineSkeleton(), this.#lines);
  }

  skeletonLines(skeleton: number): number {
    return this.#kernel.skeletonLines(skeleton);
  }

  skeletonText(skeleton: number): Buffer {
    return this.#view(this.#kernel.body.value, this.#kernel.skeletonText(skeleton));
  }

  gather(columnsOf: readonly Uint32Array[], sizes: Uint32Array): void {
    const { buffer } = this.#kernel.memory;
    for (const [skeleton, columns] of columnsOf.entries()) {
      new Uint32Array(buffer, this.#kernel.columnsOf(skeleton), columns.length).set(columns);
    }
    this.#starts = new Uint32Array(sizes.length + 1);
    for (const [column, size] of sizes.entries()) this.#starts[column + 1] = (this.#starts[column] as number) + size;
    new Uint32Array(buffer, this.#kernel.columnStarts(), sizes.length).set(this.#starts.subarray(0, -1));
    this.#kernel.gather();
  }

  encode(column: number): ColumnBody {
    const start = this.#starts[column] as number;
    this.#encoded = (this.#starts[column + 1] as number) - start;
    const encoding = this.#kernel.encode(start, this.#encoded);
    return { encoding, body: this.#view(this.#kernel.body.value, this.#kernel.bodySize()) };
  }

  dictionary(): ColumnDictionary | null {
    const kinds = this.#kernel.dictionarySize();
    if (kinds === 0) return null;
    const names = Array.from({ length: kinds }, (_, id) => {
      const example = this.#kernel.dictionaryEntry(id);
      return this.#memory.toString('utf8', this.#memory.readUInt32LE(example), this.#memory.readUInt32LE(example + 4));
    });
    return { names, ids: new Uint8Array(this.#view(this.#kernel.ids.value, this.#encoded)) };
  }

  #view(start: number, length: number): Buffer {
    return this.#memory.subarray(start, start + length);
  }
}
