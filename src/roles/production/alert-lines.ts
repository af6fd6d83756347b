import type { AlertMessage } from '../../model/alert.ts';

const NEWLINE = 10;
const MAX_PARTITION = 1_000_000;

export interface BadLine {
  line: Uint8Array;
  reason: string;
}

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function areTexts(value: unknown, names: readonly string[]): boolean {
  const fields = fieldsOf(value);
  return names.every((name) => typeof fields[name] === 'string');
}

/** What each kind of message cannot be without, beside where and when. */
const HAS: Readonly<Record<AlertMessage['type'], (message: Fields) => boolean>> = {
  anomaly: ({ anomaly, evidence }) =>
    areTexts(anomaly, ['id', 'service', 'signal', 'state', 'startedAt', 'detectedAt', 'stage', 'severity']) &&
    Array.isArray(fieldsOf(anomaly)['attribution']) &&
    Array.isArray(evidence),
  change: ({ change }) => areTexts(change, ['id']),
  edges: ({ edges }) => Array.isArray(edges) && edges.every((edge) => areTexts(edge, ['caller', 'callee'])),
  watermark: ({ of, watermarkMs }) => (of === 'events' || of === 'traces') && Number.isFinite(watermarkMs),
};

function faultOf(message: Fields): string | null {
  const { type, partition, atMs } = message;
  const has = typeof type === 'string' && Object.hasOwn(HAS, type) ? HAS[type as AlertMessage['type']] : undefined;
  if (!has) return 'it is no message of a detector';
  if (!Number.isInteger(partition) || (partition as number) < 0 || (partition as number) > MAX_PARTITION)
    return 'its partition is not a number of one';
  if (type !== 'watermark' && !Number.isFinite(atMs)) return 'its atMs is not a time';
  return has(message) ? null : `as ${String(type)} it is not complete`;
}

function readLine(line: Buffer): AlertMessage | string {
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return faultOf(fieldsOf(value)) ?? (value as AlertMessage);
  } catch (error) {
    return (error as Error).message;
  }
}

/** The messages of a record's lines, and the lines that are none: one that cannot be read takes no other with it. */
export function readAlertLines(bytes: Uint8Array): { messages: AlertMessage[]; bad: BadLine[] } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages: AlertMessage[] = [];
  const bad: BadLine[] = [];
  for (let start = 0; start < buffer.length;) {
    const newline = buffer.indexOf(NEWLINE, start);
    const line = buffer.subarray(start, newline < 0 ? buffer.length : newline);
    start += line.length + 1;
    if (line.length === 0) continue;
    const read = readLine(line);
    if (typeof read === 'string') bad.push({ line, reason: read });
    else messages.push(read);
  }
  return { messages, bad };
}
