import type { HeliosError } from '../../lib/errors.ts';
import type { RecordPart } from '../event-log.ts';
import { encodeRecordHeaders, type RecordHead } from './record-codec.ts';

/** Who is told what became of its lines; `part` is the number that it knows them by. */
export interface SegmentOwner {
  acknowledge(part: number, partition: number, offset: number): void;
  refuse(error: HeliosError): void;
}

/** The lines of one append in one record. */
export interface Segment extends RecordPart {
  owner: SegmentOwner;
  part: number;
}

export type LinesHead = Pick<RecordHead, 'clientId' | 'receivedAtMs' | 'minTimestampMs' | 'maxTimestampMs'>;

/** The parts that a record's header names: neighbours without a key are one, and without any key there is no such header. */
function namedParts(segments: readonly Segment[]): RecordPart[] | null {
  if (segments.every(({ keyHash }) => keyHash === '')) return null;
  const parts: RecordPart[] = [];
  for (const { keyHash, chunk, events, bytes } of segments) {
    const last = parts.at(-1);
    if (keyHash === '' && last?.keyHash === '') {
      last.events += events;
      last.bytes += bytes;
    } else parts.push({ keyHash, chunk, events, bytes });
  }
  return parts;
}

/** Headers of a record that consists of these segments. */
export function segmentHeaders(segments: readonly Segment[], head: LinesHead): Map<Buffer, Buffer> {
  let count = 0;
  for (const { events } of segments) count += events;
  const parts = namedParts(segments);
  return encodeRecordHeaders({ ...head, count, ...(parts ? { parts } : {}) });
}
