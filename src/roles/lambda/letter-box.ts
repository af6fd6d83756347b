import { createHash } from 'node:crypto';
import { updateRecords } from '../../store/record-store.ts';
import type { RecordStore } from '../../store/record-store.ts';

/** A line of a record that cannot be read, or that the database refuses. */
export interface LostLine {
  topic: string;
  partition: number;
  offset: number;
  reason: string;
  bytes: Uint8Array;
}

/** Of one line; the record is in the topic as long as that keeps it. */
const MAX_BYTES = 64 * 1024;
const AT_ONCE = 100;

/** The offset with leading zeros, so that lists are in its order; the hash tells lines of one record apart. */
function keyOf({ topic, partition, offset, bytes }: LostLine): string {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  return `dead-letter/${topic}/${partition}/${String(offset).padStart(16, '0')}/${hash}`;
}

/** Keeps them as records `dead-letter/<topic>/<partition>/<offset>/<hash>`, each once however often it comes. */
export async function keepLostLines(records: RecordStore, lines: readonly LostLine[], at: string): Promise<void> {
  const byKey = new Map(lines.map((line) => [keyOf(line), line]));
  const keys = [...byKey.keys()];
  for (let start = 0; start < keys.length; start += AT_ONCE) {
    await updateRecords(records, keys.slice(start, start + AT_ONCE), (known) => {
      const values = new Map<string, unknown>();
      for (const key of keys.slice(start, start + AT_ONCE)) {
        const line = byKey.get(key);
        if (line === undefined || known.has(key)) continue;
        const { reason, bytes } = line;
        const value = Buffer.from(bytes.subarray(0, MAX_BYTES)).toString('base64');
        values.set(key, { at, reason, valueBytes: bytes.length, value });
      }
      return { values, answer: undefined };
    });
  }
}
