import type { TimeForm } from './load-time.ts';

/** What prepared bodies carry where something is written before every send; none occurs anywhere else in a body. */
export const ID_PLACEHOLDER = '@@ID-32@';
/** A double, the record's number. */
export const VALUE_PLACEHOLDER = Buffer.from('@@VALUE@');
/** 16 hex digits. */
export const KEY_PLACEHOLDER = '@@KEY-OF-64-BIT@';
export const TEXT_TIME_PLACEHOLDER = '2025-10-08T10:30:45.123Z';
export const VARINT_TIME_PLACEHOLDER = Buffer.from('@TIME@');
/** The fields of a google.protobuf.Timestamp. */
export const TIMESTAMP_PLACEHOLDER = Buffer.from('@TIMESTAMP@@');
const NANOS_MARK = Buffer.from('@TM@');

/** For a time as fixed64 that lies so many microseconds before the record's. */
export function nanosTimePlaceholder(shiftMicros = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.set(NANOS_MARK);
  bytes.writeUInt32LE(shiftMicros, NANOS_MARK.length);
  return bytes;
}

export function offsetsOf(bytes: Buffer, placeholder: string | Buffer): Int32Array {
  const found: number[] = [];
  for (let at = bytes.indexOf(placeholder); at >= 0; at = bytes.indexOf(placeholder, at + placeholder.length)) found.push(at);
  return Int32Array.from(found);
}

const PLACEHOLDERS = { text: TEXT_TIME_PLACEHOLDER, varint: VARINT_TIME_PLACEHOLDER, timestamp: TIMESTAMP_PLACEHOLDER };

export interface TimePlaces {
  offsets: Int32Array;
  /** Microseconds before the record's time, one for each offset. */
  shiftsMicros: Uint32Array;
}

export function timePlacesOf(bytes: Buffer, form: TimeForm): TimePlaces {
  if (form !== 'nanos') {
    const offsets = offsetsOf(bytes, PLACEHOLDERS[form]);
    return { offsets, shiftsMicros: new Uint32Array(offsets.length) };
  }
  const offsets = offsetsOf(bytes, NANOS_MARK);
  return { offsets, shiftsMicros: Uint32Array.from(offsets, (at) => bytes.readUInt32LE(at + NANOS_MARK.length)) };
}
