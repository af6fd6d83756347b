import type { Clock } from '../../lib/clock.ts';
import { encodeRecordHeaders } from '../../log/kafka/record-codec.ts';
import type { TopicProducer } from '../../log/kafka/topic-producer.ts';
import type { AlertMessage } from '../../model/alert.ts';

export interface AlertSenderOptions {
  producer: TopicProducer;
  topic: string;
  /** What is told under one key stays in order. */
  key: string;
  clock: Clock;
}

/** Sends what one partition's detector says, in order; resolves when the brokers have it. */
export function createAlertSender(options: AlertSenderOptions): (alerts: readonly AlertMessage[]) => Promise<void> {
  const { producer, topic, key, clock } = options;
  return async (alerts) => {
    if (alerts.length === 0) return;
    const nowMs = clock.nowMs();
    const head = { clientId: '', receivedAtMs: nowMs, count: alerts.length, minTimestampMs: nowMs, maxTimestampMs: nowMs };
    const headers = Object.fromEntries([...encodeRecordHeaders(head)].map(([name, value]) => [name.toString(), value]));
    const value = Buffer.from(alerts.map((alert) => `${JSON.stringify(alert)}\n`).join(''));
    await producer.send(topic, { key, value, headers });
  };
}
