import { HeliosError } from '../../lib/errors.ts';

export interface KafkaRecord {
  offset: number;
  /** Null for a record without a value. */
  bytes: Uint8Array | null;
}

/** What one invocation brings of one partition, in the order of its offsets. */
export interface PartitionBatch {
  /** As the mapping calls it, and wants it named in what failed: "anomaly-alerts-3". */
  name: string;
  topic: string;
  partition: number;
  records: KafkaRecord[];
}

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function badEvent(reason: string): HeliosError {
  return new HeliosError('invalid_argument', `cannot take this event: ${reason}`);
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Base64 as the mapping writes it; what is none is taken for an empty value, which the reader of alerts then names. */
function bytesOf(value: unknown): Uint8Array | null {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : null;
}

function readPartition(name: string, records: unknown): PartitionBatch {
  if (!Array.isArray(records)) throw badEvent(`its records of ${name} are no list`);
  const first = fieldsOf(records[0]);
  const { topic, partition } = first;
  if (records.length > 0 && (typeof topic !== 'string' || !isOffset(partition)))
    throw badEvent(`a record of ${name} has no topic or partition`);
  const read = records.map((record): KafkaRecord => {
    const { offset, value } = fieldsOf(record);
    if (!isOffset(offset)) throw badEvent(`a record of ${name} has no offset`);
    return { offset, bytes: bytesOf(value) };
  });
  return {
    name,
    topic: String(topic),
    partition: Number(partition),
    records: read.toSorted((a, b) => a.offset - b.offset),
  };
}

/**
 * The event of an event source mapping of Amazon MSK or of a self-managed Apache Kafka (AWS Lambda Developer Guide, "Using Lambda with Amazon
 * MSK"): `records` maps "topic-partition" to a list of records with base64 values. Null for any other event; `invalid_argument` for one that
 * says it is of Kafka and is not of this shape: that is no fault of a record, and nothing of it may be passed over.
 */
export function readKafkaEvent(event: unknown): PartitionBatch[] | null {
  const { eventSource, records } = fieldsOf(event);
  if (eventSource !== 'aws:kafka' && eventSource !== 'SelfManagedKafka') return null;
  if (typeof records !== 'object' || records === null) throw badEvent('it has no records');
  return Object.entries(records)
    .map(([name, list]) => readPartition(name, list))
    .filter((batch) => batch.records.length > 0);
}

/** A call of a schedule: a rule of Amazon EventBridge, or its scheduler with a payload that says so. */
export function isScheduleEvent(event: unknown): boolean {
  const { source } = fieldsOf(event);
  return source === 'aws.events' || source === 'aws.scheduler';
}
