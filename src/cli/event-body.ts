const NEWLINE = 10;
const RETURN = 13;

/** Some events as NDJSON, ready to post. */
export interface EventBody {
  bytes: Buffer;
  count: number;
}

/** Far below the server's limit of a body, so that large events make more bodies, not refused ones. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Collects events into bodies of at most `batchEvents`. */
export class EventBodyBuilder {
  readonly #batchEvents: number;
  #lines: Uint8Array[] = [];
  #bytes = 0;

  constructor(batchEvents: number) {
    this.#batchEvents = batchEvents;
  }

  /** Adds one event; returns the body that is now complete, if one is. The bytes are kept, not copied. */
  add(event: Uint8Array): EventBody | undefined {
    this.#lines.push(event, NEWLINE_BYTES);
    this.#bytes += event.length + 1;
    return this.#lines.length >= 2 * this.#batchEvents || this.#bytes >= MAX_BODY_BYTES ? this.flush() : undefined;
  }

  /** What has been collected since the last body, if anything. */
  flush(): EventBody | undefined {
    if (this.#lines.length === 0) return undefined;
    const body = { bytes: Buffer.concat(this.#lines, this.#bytes), count: this.#lines.length / 2 };
    this.#lines = [];
    this.#bytes = 0;
    return body;
  }
}

const NEWLINE_BYTES = Buffer.from('\n');

/** Splits a stream of bytes at newlines; drops blank lines and carriage returns; the last line needs no newline. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = trimmed(bytes, start, end);
      if (line.length > 0) yield line;
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  const last = trimmed(rest, 0, rest.length);
  if (last.length > 0) yield last;
}

function trimmed(bytes: Buffer, start: number, end: number): Buffer {
  let from = start;
  let to = end;
  while (from < to && isSpace(bytes[from] as number)) from++;
  while (to > from && isSpace(bytes[to - 1] as number)) to--;
  return bytes.subarray(from, to);
}

function isSpace(byte: number): boolean {
  return byte === RETURN || byte === 32 || byte === 9 || byte === NEWLINE;
}
