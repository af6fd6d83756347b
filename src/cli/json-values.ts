const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

/**
 * Cuts a JSON text into the elements of its outermost array, or into objects written one after the other, each on one
 * line. It only finds the ends; whether an element is good JSON is for the server to say.
 */
export async function* readJsonValues(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const splitter = new JsonSplitter();
  for await (const chunk of chunks) yield* splitter.push(chunk);
  yield* splitter.end();
}

class JsonSplitter {
  /** Bytes of the value under way that came with earlier chunks. */
  #parts: Buffer[] = [];
  #depth = 0;
  /** 1 inside an outermost array, where values are separated by commas; else 0. */
  #base = 0;
  #inString = false;
  #escaped = false;
  #seenAny = false;

  *push(chunk: Uint8Array): Generator<Buffer> {
    // Newlines between tokens become spaces: a value is one line of NDJSON. Inside strings they would not be JSON.
    const bytes = Buffer.from(chunk);
    let start = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (byte === 10 || byte === 13) bytes[i] = SPACE;
      if (this.#inString) {
        this.#stringByte(byte);
        continue;
      }
      const end = this.#tokenByte(byte, i);
      if (end === undefined) continue;
      if (end.value) yield* this.#take(bytes.subarray(start, end.at));
      start = end.next;
    }
    if (start < bytes.length) this.#parts.push(bytes.subarray(start));
  }

  *end(): Generator<Buffer> {
    yield* this.#take(Buffer.alloc(0));
  }

  #stringByte(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  /** Where the value under way ends because of this byte, and where the next one may begin. */
  #tokenByte(byte: number, i: number): { at: number; next: number; value: boolean } | undefined {
    if (byte === QUOTE) this.#inString = true;
    else if (byte === OPEN_ARRAY && !this.#seenAny) {
      this.#seenAny = true;
      this.#base = this.#depth = 1;
      return { at: i, next: i + 1, value: false };
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      this.#seenAny = true;
      this.#depth++;
    } else if (byte === COMMA && this.#depth === this.#base) return { at: i, next: i + 1, value: true };
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) return this.#close(i);
    return undefined;
  }

  #close(i: number): { at: number; next: number; value: boolean } | undefined {
    this.#depth--;
    if (this.#depth < this.#base) {
      this.#base = this.#depth = 0;
      return { at: i, next: i + 1, value: true };
    }
    return this.#depth === 0 && this.#base === 0 ? { at: i + 1, next: i + 1, value: true } : undefined;
  }

  *#take(last: Buffer): Generator<Buffer> {
    const value = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    const text = value.toString('latin1').trim();
    if (text !== '') yield Buffer.from(text, 'latin1');
  }
}
