import { createHash } from 'node:crypto';
import type { DeadLetter } from '../partition-log.ts';
import type { KafkaConnection } from './connection.ts';
import type { TopicProducer } from './topic-producer.ts';
import { letterRecord } from './letter-record.ts';
import { openTopicTail, type TopicRecord } from './topic-tail.ts';

/** Headers of our own stand beside those that the record had. */
const PREFIX = 'dlq-';
const STATE = `${PREFIX}state`;
const RETRIED = 'retried';

export interface DeadLetters {
  /** Resolves when the broker has it. The same letter put twice is listed once. */
  put(letter: DeadLetter): Promise<void>;
}

export interface StoredLetter extends DeadLetter {
  /** `PARTITION-OFFSET-HASH` of the source; several letters may come of one record, one for each line at fault. */
  id: string;
  /** When it was first put, milliseconds since the epoch. */
  atMs: number;
  /** When it was last produced to its topic again, or null. */
  retriedAtMs: number | null;
  /** Of the whole value; `value` may be its beginning only. */
  valueBytes: number;
}

export interface DeadLetterQuery {
  connection: KafkaConnection;
  /** The source topic. */
  topic: string;
  /** These only; without, all. */
  ids?: readonly string[];
}

/** Letters go to `<topic><suffix>`, keyed by their id, with the source and the reason in headers. */
export function createDeadLetters(producer: TopicProducer, suffix: string): DeadLetters {
  return {
    put: (letter) => {
      const { topic, partition, offset, reason, value } = letter;
      const own = { topic, partition: String(partition), offset: String(offset), reason };
      const headers = Object.fromEntries([
        ...(letter.headers ?? []),
        ...Object.entries(own).map(([name, text]) => [PREFIX + name, text] as const),
      ]);
      return producer.send(topic + suffix, { key: idOf(letter), value, headers });
    },
  };
}

/**
 * The newest `limit` letters in the order of their time, values cut to `maxValueBytes`. Reads the whole dead-letter topic as it is
 * now, and holds no more than it answers.
 */
export async function listDeadLetters(
  query: DeadLetterQuery & { limit: number; maxValueBytes?: number },
): Promise<StoredLetter[]> {
  const { limit, maxValueBytes = Infinity } = query;
  const letters = new Map<string, StoredLetter>();
  const retried = await retriedTimes(query);
  await eachRecord(query, (record) => {
    const letter = letterOf(record, maxValueBytes, query.topic);
    if (!letter || letters.has(letter.id) || !isWanted(query, letter.id)) return;
    letters.set(letter.id, { ...letter, retriedAtMs: retried.get(letter.id) ?? null });
    // Twice the limit, so that sorting out the oldest is rare; partitions come in any order of time.
    if (letters.size > 2 * limit) for (const { id } of oldestFirst(letters).slice(0, -limit)) letters.delete(id);
  });
  return oldestFirst(letters).slice(-limit);
}

export interface DeadLetterRetry extends DeadLetterQuery {
  producer: TopicProducer;
  /** Also those that were retried before. */
  again?: boolean;
}

/**
 * Produces letters to the partition that they came from, so that they are taken where that is possible (letter-record.ts), and marks them. One
 * at a time, the mark behind each: an interruption repeats one letter at most, which readers recognise. Resolves to the ids that were retried.
 */
export async function retryDeadLetters(query: DeadLetterRetry): Promise<string[]> {
  const { connection, topic, producer, again = false } = query;
  const done = again ? new Map<string, number>() : await retriedTimes(query);
  const ids: string[] = [];
  await eachRecord(query, async (record) => {
    const letter = letterOf(record, Infinity, topic);
    if (!letter || done.has(letter.id) || !isWanted(query, letter.id)) return;
    done.set(letter.id, record.timestampMs);
    const { id, partition } = letter;
    const { value, headers } = letterRecord(letter, connection.config, connection.clock.nowMs());
    await producer.send(topic, { partition, value, headers });
    const mark = { key: id, value: '', headers: { [STATE]: RETRIED } };
    await producer.send(topic + connection.config.dead_letter_suffix, mark);
    ids.push(id);
  });
  return ids;
}

function isWanted({ ids }: DeadLetterQuery, id: string): boolean {
  return !ids || ids.includes(id);
}

function oldestFirst(letters: ReadonlyMap<string, StoredLetter>): StoredLetter[] {
  return [...letters.values()].toSorted((a, b) => a.atMs - b.atMs || a.offset - b.offset);
}

function idOf({ partition, offset, value }: DeadLetter): string {
  return `${partition}-${offset}-${createHash('sha256').update(value).digest('hex').slice(0, 8)}`;
}

async function retriedTimes(query: DeadLetterQuery): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  await eachRecord(query, ({ key, headers, timestampMs }) => {
    if (textOf(headers, STATE) === RETRIED) times.set(Buffer.from(key ?? []).toString(), timestampMs);
  });
  return times;
}

function textOf(headers: ReadonlyMap<string, Uint8Array>, name: string): string {
  return Buffer.from(headers.get(name) ?? []).toString();
}

/** Undefined for marks, and for what others have put into the topic. */
function letterOf(record: TopicRecord, maxValueBytes: number, topic: string): StoredLetter | undefined {
  const { headers, value } = record;
  const numbers = [textOf(headers, `${PREFIX}partition`), textOf(headers, `${PREFIX}offset`)];
  const [partition, offset] = numbers.map(Number) as [number, number];
  if (numbers.includes('') || !Number.isInteger(partition) || !Number.isInteger(offset)) return undefined;
  const letter: DeadLetter = { topic, partition, offset, reason: textOf(headers, `${PREFIX}reason`), value };
  return {
    ...letter,
    // Copies: the record's own bytes would keep its whole batch in memory.
    headers: [...headers].filter(([name]) => !name.startsWith(PREFIX)).map(([name, text]) => [name, new Uint8Array(text)]),
    value: new Uint8Array(value.subarray(0, maxValueBytes)),
    id: idOf(letter),
    atMs: record.timestampMs,
    retriedAtMs: null,
    valueBytes: value.length,
  };
}

/** Everything that the dead-letter topic holds when this is called, one partition after the other's records in any order, one call at a time. */
async function eachRecord(
  { connection, topic }: DeadLetterQuery,
  take: (record: TopicRecord) => void | Promise<void>,
): Promise<void> {
  let turn = Promise.resolve();
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  await using tail = await openTopicTail({
    connection,
    topic: topic + connection.config.dead_letter_suffix,
    fromStart: true,
    onMessage: (record) => (turn = turn.then(() => take(record)).catch(reject)),
  });
  await Promise.race([tail.caughtUp, failed]);
}
