import { ByteWriter } from './byte-stream.ts';
import { ColumnEncoder, type ColumnValues } from './column-encoder-oracle.ts';
import type { ColumnBody, ColumnDictionary, LineColumns } from './line-columns.ts';
import { LineSplitter } from './line-splitter-oracle.ts';

/** What the kernel has to do, in plain JavaScript. */
export class OracleLineColumns implements LineColumns {
  readonly #splitter = new LineSplitter();
  readonly #encoder = new ColumnEncoder();
  readonly #body = new ByteWriter();
  #columns: ColumnValues[] = [];
  #encoded: ColumnValues | null = null;

  get skeletons(): number {
    return this.#splitter.skeletons.length;
  }

  split(lines: Uint8Array): number {
    this.#splitter.split(Buffer.from(lines));
    return this.#splitter.lines;
  }

  lineSkeletons(): Uint16Array {
    return this.#splitter.lineSkeleton.subarray(0, this.#splitter.lines);
  }

  skeletonLines(skeleton: number): number {
    return this.#splitter.skeletons[skeleton]?.lines ?? 0;
  }

  skeletonText(skeleton: number): Buffer {
    const parts = this.#splitter.skeletons[skeleton]?.parts ?? [];
    return Buffer.concat(parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.from('\n'), part])));
  }

  gather(columnsOf: readonly Uint32Array[], sizes: Uint32Array): void {
    const { source, starts, ends, lines, lineSkeleton, lineFirstValue } = this.#splitter;
    this.#columns = Array.from(sizes, (size) => ({
      source,
      starts: new Uint32Array(size),
      ends: new Uint32Array(size),
      count: 0,
    }));
    for (let line = 0; line < lines; line++) {
      for (const [i, id] of (columnsOf[lineSkeleton[line] as number] as Uint32Array).entries()) {
        const column = this.#columns[id] as ColumnValues;
        const at = (lineFirstValue[line] as number) + i;
        column.starts[column.count] = starts[at] as number;
        column.ends[column.count++] = ends[at] as number;
      }
    }
  }

  encode(column: number): ColumnBody {
    this.#body.reset();
    this.#encoded = this.#columns[column] as ColumnValues;
    const encoding = this.#encoder.encode(this.#body, this.#encoded);
    return { encoding, body: this.#body.view() };
  }

  dictionary(): ColumnDictionary | null {
    const values = this.#encoded as ColumnValues;
    const names = this.#encoder.dictionary(values);
    return names && { names, ids: this.#encoder.ids.slice(0, values.count) };
  }
}
