import type { AddressedPartial } from '../../detect/partial-record.ts';
import { encodePartial } from '../../detect/partial-record.ts';
import type { Clock } from '../../lib/clock.ts';
import { encodePartialHeaders } from '../../log/kafka/record-codec.ts';
import type { TopicProducer } from '../../log/kafka/topic-producer.ts';

export interface PartialSenderOptions {
  producer: TopicProducer;
  /** Of the events themselves, so that a partition's detector reads one log in one order. */
  topic: string;
  clock: Clock;
}

/** Sends what one partition's detector has for others, in order; resolves when the brokers have it. */
export function createPartialSender({ producer, topic, clock }: PartialSenderOptions) {
  return async (partials: readonly AddressedPartial[]): Promise<void> => {
    const headers = encodePartialHeaders(clock.nowMs());
    const sends = partials.flatMap(({ home, partial }) =>
      encodePartial(partial).map((value) => producer.send(topic, { partition: home, value, headers })),
    );
    await Promise.all(sends);
  };
}
