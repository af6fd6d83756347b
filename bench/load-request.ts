import type { Prng } from '../src/lib/prng.ts';
import { ID_PLACEHOLDER, loadEvent, TIMESTAMP_PLACEHOLDER } from './load-event.ts';

/** Placeholder of the Idempotency-Key: 16 hex digits. */
const KEY_PLACEHOLDER = '@@KEY-OF-64-BIT@';
const ZERO = 48;
const HEX = Buffer.from('0123456789abcdef');
const TIMESTAMP_LENGTH = TIMESTAMP_PLACEHOLDER.length;

/** The bytes of a whole HTTP request, and where in them what makes it unique is written before every send. */
export interface LoadRequest {
  bytes: Buffer;
  events: number;
  bodyLength: number;
  timestampOffsets: Int32Array;
  idOffsets: Int32Array;
  /** -1 without an Idempotency-Key. */
  keyOffset: number;
}

export interface LoadRequestOptions {
  url: URL;
  batch: number;
  idempotency: boolean;
  prng: Prng;
}

function offsetsOf(bytes: Buffer, placeholder: string): Int32Array {
  const found: number[] = [];
  for (let at = bytes.indexOf(placeholder); at >= 0; at = bytes.indexOf(placeholder, at + placeholder.length)) found.push(at);
  return Int32Array.from(found);
}

/** A request of `batch` events as NDJSON; its length never changes again. */
export function createLoadRequest({ url, batch, idempotency, prng }: LoadRequestOptions): LoadRequest {
  const body = Array.from({ length: batch }, () => `${loadEvent(prng)}\n`).join('');
  const head = [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Content-Type: application/x-ndjson',
    `Content-Length: ${body.length}`,
    ...(idempotency ? [`Idempotency-Key: load-${KEY_PLACEHOLDER}`] : []),
  ];
  const bytes = Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1');
  return {
    bytes,
    events: batch,
    bodyLength: body.length,
    timestampOffsets: offsetsOf(bytes, TIMESTAMP_PLACEHOLDER),
    idOffsets: offsetsOf(bytes, ID_PLACEHOLDER),
    keyOffset: bytes.indexOf(KEY_PLACEHOLDER),
  };
}

/** The text of a moment, `YYYY-MM-DDTHH:MM:SS.mmmZ`, as bytes; the date is written anew once a day only. */
export class TimestampText {
  readonly bytes = Buffer.alloc(TIMESTAMP_LENGTH);
  #day = NaN;
  #ms = NaN;

  set(ms: number): void {
    if (ms === this.#ms) return;
    this.#ms = ms;
    const day = Math.floor(ms / 86_400_000);
    if (day !== this.#day) {
      this.#day = day;
      this.bytes.write(new Date(ms).toISOString(), 'latin1');
    }
    const inDay = ms - day * 86_400_000;
    this.#digits(11, Math.floor(inDay / 3_600_000));
    this.#digits(14, Math.floor(inDay / 60_000) % 60);
    this.#digits(17, Math.floor(inDay / 1000) % 60);
    this.bytes[20] = ZERO + (Math.floor(inDay / 100) % 10);
    this.#digits(21, inDay % 100);
  }

  #digits(at: number, value: number): void {
    this.bytes[at] = ZERO + Math.floor(value / 10);
    this.bytes[at + 1] = ZERO + Math.floor(value % 10);
  }
}

/** Writes 8 hex digits of a 32-bit number. */
function writeHex(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 8; i++) bytes[at + i] = HEX[(value >>> (28 - 4 * i)) & 15] as number;
}

/** A bijection of 32-bit numbers (the finaliser of MurmurHash3): ids look random and never repeat in 2^32 events. */
export function mixId(n: number): number {
  let x = n >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Timestamps of events by their number in the run, milliseconds since the epoch. */
export type TimestampOf = (eventNumber: number) => number;

/**
 * Makes requests unique in place: each event gets a timestamp and a request id, each request a key.
 * Two writers with different seeds do not repeat each other's keys.
 */
export class RequestWriter {
  readonly #text = new TimestampText();
  readonly #seed: number;
  #events = 0;
  #requests = 0;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
  }

  /** Events numbered so far. */
  get events(): number {
    return this.#events;
  }

  /** All events of the request get one moment, as from a shipper that stamps its batch. */
  stamp(request: LoadRequest, ms: number): void {
    this.#text.set(ms);
    const { bytes, timestampOffsets } = request;
    for (const at of timestampOffsets) this.#writeTimestamp(bytes, at);
    this.#identify(request);
  }

  /** Every event gets a moment of its own. */
  spread(request: LoadRequest, timestampOf: TimestampOf): void {
    const { bytes, timestampOffsets } = request;
    for (const [index, at] of timestampOffsets.entries()) {
      this.#text.set(Math.floor(timestampOf(this.#events + index)));
      this.#writeTimestamp(bytes, at);
    }
    this.#identify(request);
  }

  #identify({ bytes, idOffsets, keyOffset }: LoadRequest): void {
    for (const at of idOffsets) writeHex(bytes, at, mixId(this.#seed + this.#events++));
    if (keyOffset < 0) return;
    writeHex(bytes, keyOffset, this.#seed);
    writeHex(bytes, keyOffset + 8, mixId(this.#requests++));
  }

  #writeTimestamp(bytes: Uint8Array, at: number): void {
    const text = this.#text.bytes;
    for (let i = 0; i < TIMESTAMP_LENGTH; i++) bytes[at + i] = text[i] as number;
  }
}
