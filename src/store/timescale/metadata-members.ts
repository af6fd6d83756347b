import * as json from '../../model/json-bytes.ts';
import { KeySequence } from '../../model/key-sequence.ts';

/** Members of metadata that have a column; where the column holds the value, it need not be stored twice. */
export const LATENCY_MEMBER = 1;
export const ENDPOINT_MEMBER = 2;
const CODES = { latency_ms: LATENCY_MEMBER, endpoint: ENDPOINT_MEMBER };

/** The same of a parsed object: what is left of it without the members in `columns`, a sum of codes. */
export function withoutColumns(metadata: Record<string, unknown>, columns: number): Record<string, unknown> {
  const { latency_ms, endpoint, ...rest } = metadata;
  if (latency_ms !== undefined && (columns & LATENCY_MEMBER) === 0) rest['latency_ms'] = latency_ms;
  if (endpoint !== undefined && (columns & ENDPOINT_MEMBER) === 0) rest['endpoint'] = endpoint;
  return rest;
}

/** Metadata as it came: what the columns hold put back. */
export function withColumns(
  metadata: Record<string, unknown>,
  latency: number | null,
  endpoint: string | null,
): Record<string, unknown> {
  const columns = { ...(latency === null ? {} : { latency_ms: latency }), ...(endpoint === null ? {} : { endpoint }) };
  return { ...metadata, ...columns };
}

/** Cuts those members out of the text of an object. */
export class MetadataMembers {
  readonly #keys = new KeySequence(CODES);
  /** Start and end of what is kept, one pair a run of members. */
  readonly pieces: number[] = [];

  /** Bytes of the object that is left; 2 for an empty one. */
  get byteLength(): number {
    let bytes = Math.max(2, this.pieces.length / 2 + 1);
    for (let i = 0; i < this.pieces.length; i += 2) bytes += (this.pieces[i + 1] as number) - (this.pieces[i] as number);
    return bytes;
  }

  /**
   * Looks through the object whose brace opens at `start`; `skip` tells the index after the value at an index. False when a key has
   * escapes: that is better left to JSON.parse.
   */
  find(bytes: Uint8Array, start: number, columns: number, skip: (at: number) => number): boolean {
    const { pieces } = this;
    pieces.length = 0;
    let follows = false;
    let p = json.skipSpace(bytes, start + 1, json.IS_SPACE);
    for (let place = 0; bytes[p] !== json.CLOSE_BRACE; place++) {
      const code = this.#keys.read(bytes, p, place, json.IS_SPACE);
      if (code < 0) return false;
      const end = skip(this.#keys.value);
      const isKept = (code & columns) === 0;
      if (isKept && follows) pieces[pieces.length - 1] = end;
      else if (isKept) pieces.push(p, end);
      follows = isKept;
      p = json.skipSpace(bytes, end, json.IS_SPACE);
      if (bytes[p] === json.COMMA) p = json.skipSpace(bytes, p + 1, json.IS_SPACE);
    }
    return true;
  }
}
