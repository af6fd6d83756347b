/** Lines of one record of a topic, or bytes that are none. */
export type RecordText = string | null;

function recordOf(topic: string, partition: number, offset: number, text: RecordText): Record<string, unknown> {
  return {
    topic,
    partition,
    offset,
    timestamp: 1_545_084_650_987 + offset,
    timestampType: 'CREATE_TIME',
    key: Buffer.from(String(partition)).toString('base64'),
    value: text === null ? null : Buffer.from(text).toString('base64'),
    headers: [{ count: [...Buffer.from('1')] }],
  };
}

/** An event as the mapping of Amazon MSK sends it, with the records of each partition from an offset on. */
export function kafkaEvent(partitions: readonly (readonly RecordText[])[], { topic = 'anomaly-alerts', from = 0 } = {}): unknown {
  const records = partitions.map((texts, partition) => [
    `${topic}-${partition}`,
    texts.map((text, i) => recordOf(topic, partition, from + i, text)),
  ]);
  return {
    eventSource: 'aws:kafka',
    eventSourceArn: 'arn:aws:kafka:eu-central-1:123456789012:cluster/helios/751d2973-a626-431c-9d4e-d7975eb44dd7-2',
    bootstrapServers: 'b-1.helios.example.com:9094,b-2.helios.example.com:9094',
    records: Object.fromEntries(records) as Record<string, unknown>,
  };
}
