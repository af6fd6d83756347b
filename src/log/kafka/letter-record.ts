import { createHash } from 'node:crypto';
import { parseMetricLine } from '../../model/metric-line.ts';
import { createRotatingScanner } from '../../model/rotating-scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { KafkaConfig } from './config.ts';
import { decodeRecord, encodeRecordHeaders, type RecordHead } from './record-codec.ts';

/** A dead letter as it is to be produced again. */
export interface LetterRecord {
  value: Uint8Array;
  headers: Record<string, Uint8Array>;
}

export interface Letter {
  topic: string;
  id: string;
  partition: number;
  value: Uint8Array;
  headers?: readonly (readonly [name: string, value: Uint8Array])[];
}

const NEWLINE = 10;

function linesOf(value: Uint8Array): Buffer[] {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    lines.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    start = end < 0 ? bytes.length : end + 1;
  }
  return lines.filter((line) => line.length > 0);
}

function isJson(line: Buffer): boolean {
  try {
    JSON.parse(line.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

type Lines = Pick<RecordHead, 'count' | 'minTimestampMs' | 'maxTimestampMs'>;

/** Of events, by their own times; null unless every line is one. */
function eventLines(value: Uint8Array, nowMs: number): Lines | null {
  const { batch, rejectedCount, syntaxError } = createRotatingScanner({}, () => nowMs).scan(value, NO_LIMITS);
  if (syntaxError !== undefined || rejectedCount > 0 || batch.count === 0) return null;
  let [minTimestampMs, maxTimestampMs] = [Infinity, -Infinity];
  for (let i = 0; i < batch.count; i++) {
    minTimestampMs = Math.min(minTimestampMs, batch.timestamp[i] as number);
    maxTimestampMs = Math.max(maxTimestampMs, batch.timestamp[i] as number);
  }
  return { count: batch.count, minTimestampMs, maxTimestampMs };
}

function readLines(config: KafkaConfig, topic: string, lines: readonly Buffer[], value: Uint8Array, nowMs: number): Lines | null {
  const byArrival = { count: lines.length, minTimestampMs: nowMs, maxTimestampMs: nowMs };
  if (topic === config.topic_metrics) return lines.every((line) => parseMetricLine(line) !== null) ? byArrival : null;
  if (topic === config.topic_anomalies) return lines.length > 0 && lines.every(isJson) ? byArrival : null;
  return eventLines(value, nowMs);
}

/** The letter as one request with a key of its own: put back again, it is recognised and stored once. */
function asRequest({ topic, id }: Letter, { count }: Pick<RecordHead, 'count'>, bytes: number): RecordHead['parts'] {
  const keyHash = createHash('sha256').update(`dead letter ${topic} ${id}`).digest('hex').slice(0, 32);
  return [{ keyHash, chunk: 0, events: count, bytes }];
}

function encode(value: Uint8Array, head: RecordHead): LetterRecord {
  const headers = [...encodeRecordHeaders(head)].map(([name, content]) => [name.toString(), content] as const);
  return { value, headers: Object.fromEntries(headers) };
}

/**
 * What a retry produces. A record that is readable keeps its head; lines that have none, because they are a part of a record or because
 * something else wrote them, get one if they are what the topic holds. Anything else goes back as it was, for programs that read it.
 */
export function letterRecord(letter: Letter, config: KafkaConfig, nowMs: number): LetterRecord {
  const { topic, partition, headers = [] } = letter;
  const decoded = decodeRecord({ partition, offset: 0n, value: letter.value, headers });
  if (!('reason' in decoded)) {
    if (decoded.parts !== undefined || decoded.count === 0) return { value: letter.value, headers: Object.fromEntries(headers) };
    const head = encode(letter.value, { ...decoded, parts: asRequest(letter, decoded, letter.value.length) ?? [] });
    // What this version does not know of goes along.
    return { value: letter.value, headers: { ...Object.fromEntries(headers), ...head.headers } };
  }
  const lines = linesOf(letter.value);
  const value = Buffer.concat(lines.flatMap((line) => [line, Buffer.from([NEWLINE])]));
  const read = readLines(config, topic, lines, value, nowMs);
  // A later version's record may hold lines that look like ours.
  if (!read || headers.some(([name]) => name === 'v')) return { value: letter.value, headers: Object.fromEntries(headers) };
  const parts = asRequest(letter, read, value.length) ?? [];
  return encode(value, { ...read, clientId: '', receivedAtMs: nowMs, parts });
}
