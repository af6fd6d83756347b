import type { Prng } from '../src/lib/prng.ts';
import type { LoadDoor } from './load-doors.ts';
import { ID_PLACEHOLDER, KEY_PLACEHOLDER, offsetsOf, timePlacesOf, VALUE_PLACEHOLDER } from './load-placeholder.ts';
import type { TimePlaces } from './load-placeholder.ts';
import { createTimeWriter } from './load-time.ts';
import type { TimeForm, TimeWriter } from './load-time.ts';

const HEX = Buffer.from('0123456789abcdef');
/** A gRPC message has a byte that says whether it is compressed, and its length, in front. */
const GRPC_PREFIX_LENGTH = 5;

/** The bytes of a whole request, and where in them what makes it unique is written before every send. */
export interface LoadRequest {
  /** HTTP/1.1 head and body, or gRPC prefix and message. */
  bytes: Buffer;
  records: number;
  bodyLength: number;
  timeForm: TimeForm;
  times: TimePlaces;
  idOffsets: Int32Array;
  idsPerRecord: number;
  /** Of doubles; none where records are events. */
  valueOffsets: Int32Array;
  /** -1 without an Idempotency-Key. */
  keyOffset: number;
}

export interface LoadRequestOptions {
  door: LoadDoor;
  /** What the Host header names. */
  host: string;
  batch: number;
  idempotency: boolean;
  prng: Prng;
}

function httpHead({ door, host, idempotency }: LoadRequestOptions, bodyLength: number): Buffer {
  const lines = [
    `POST ${door.path} HTTP/1.1`,
    `Host: ${host}`,
    ...door.headers,
    `Content-Length: ${bodyLength}`,
    ...(idempotency && door.takesKeys ? [`Idempotency-Key: load-${KEY_PLACEHOLDER}`] : []),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function grpcPrefix(messageLength: number): Buffer {
  const prefix = Buffer.alloc(GRPC_PREFIX_LENGTH);
  prefix.writeUInt32BE(messageLength, 1);
  return prefix;
}

/** A request of `batch` records; its length never changes again. */
export function createLoadRequest(options: LoadRequestOptions): LoadRequest {
  const { door, batch, idempotency, prng } = options;
  const body = door.body(batch, prng, idempotency && door.takesKeys);
  const head = door.transport === 'http' ? httpHead(options, body.length) : grpcPrefix(body.length);
  const bytes = Buffer.concat([head, body]);
  return {
    bytes,
    records: batch,
    bodyLength: body.length,
    timeForm: door.timeForm,
    times: timePlacesOf(bytes, door.timeForm),
    idOffsets: offsetsOf(bytes, ID_PLACEHOLDER),
    idsPerRecord: door.idsPerRecord,
    valueOffsets: offsetsOf(bytes, VALUE_PLACEHOLDER),
    keyOffset: bytes.indexOf(KEY_PLACEHOLDER),
  };
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
 * Makes requests unique in place: each record gets a time and an id or value, each request a key. Two writers with different
 * seeds (small whole numbers) do not repeat each other's. Its requests are of one door.
 */
export class RequestWriter {
  readonly #seed: number;
  readonly #firstId: number;
  #time: TimeWriter | null = null;
  #records = 0;
  #requests = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#firstId = Math.imul(seed, 0x9e3779b1);
  }

  /** Records numbered so far. */
  get records(): number {
    return this.#records;
  }

  /** The ids that the request's records have now, as in the bodies. */
  idsOf({ bytes, idOffsets, idsPerRecord }: LoadRequest): string[] {
    return Array.from(idOffsets.filter((_, i) => i % idsPerRecord === 0)).map((at) => bytes.toString('latin1', at, at + 8));
  }

  /** The values that the request's points have now. */
  valuesOf({ bytes, valueOffsets }: LoadRequest): number[] {
    return Array.from(valueOffsets, (at) => bytes.readDoubleLE(at));
  }

  /** All records of the request get one moment, as from a shipper that stamps its batch. */
  stamp(request: LoadRequest, ms: number): void {
    const { bytes, times } = request;
    const time = (this.#time ??= createTimeWriter(request.timeForm));
    time.set(ms);
    const { offsets, shiftsMicros } = times;
    for (let i = 0; i < offsets.length; i++) time.write(bytes, offsets[i] as number, shiftsMicros[i] as number);
    this.#identify(request);
  }

  /** Every event gets a moment of its own, where each has one time. */
  spread(request: LoadRequest, timestampOf: TimestampOf): void {
    const { bytes, times, records } = request;
    if (times.offsets.length !== records) throw new Error('only events with one time each can be spread');
    const time = (this.#time ??= createTimeWriter(request.timeForm));
    for (const [index, at] of times.offsets.entries()) {
      time.set(Math.floor(timestampOf(this.#records + index)));
      time.write(bytes, at, 0);
    }
    this.#identify(request);
  }

  #identify(request: LoadRequest): void {
    const { bytes, idOffsets, idsPerRecord, valueOffsets, keyOffset } = request;
    for (let i = 0, n = this.#records; i < idOffsets.length; n++) {
      const id = mixId(this.#firstId + n);
      for (const end = i + idsPerRecord; i < end; i++) writeHex(bytes, idOffsets[i] as number, id);
    }
    // Values grow, so that those of a cumulative sum never seem to be reset.
    const firstValue = this.#seed * 2 ** 32 + this.#records;
    for (const [i, at] of valueOffsets.entries()) bytes.writeDoubleLE(firstValue + i, at);
    this.#records += request.records;
    if (keyOffset < 0) return;
    writeHex(bytes, keyOffset, this.#firstId);
    writeHex(bytes, keyOffset + 8, mixId(this.#requests++));
  }
}
