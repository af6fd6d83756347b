import type { AppendRecord, LogReader, LogRecord } from './event-log.ts';

/** A record of `count` small events that tell where they come from. */
export function recordOf(name: string, count = 1, overrides: Partial<AppendRecord> = {}): AppendRecord {
  const lines = Array.from({ length: count }, (_, i) => {
    return `{"timestamp":"2025-10-08T10:30:45.${String(i % 1000).padStart(3, '0')}Z","service":"cart","level":"INFO","message":"${name} ${i}"}\n`;
  });
  return {
    bytes: Buffer.from(lines.join('')),
    count,
    minTimestampMs: Date.parse('2025-10-08T10:30:45Z'),
    maxTimestampMs: Date.parse('2025-10-08T10:30:45.999Z'),
    receivedAtMs: Date.parse('2025-10-08T10:30:46Z'),
    clientId: 'client-1',
    ...overrides,
  };
}

export function keyOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}

/** Every record below the committed offset, copied. */
export async function readAll(reader: LogReader, committedOffset: number, maxBytes = 1000): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for (let read = await reader.read(committedOffset, maxBytes); read; read = await reader.read(committedOffset, maxBytes)) {
    all.push(...read.map((record) => ({ ...record, bytes: Buffer.from(record.bytes) })));
  }
  return all;
}
