import { kafkaEvent } from '../../report/lambda/kafka-event.fixture.ts';
import { cascadeAlerts, recordsByPartition } from '../../store/timescale/cascade.fixture.ts';
import type { AlertMessage } from '../../model/alert.ts';

export function linesOf(messages: readonly AlertMessage[]): string {
  return messages.map((message) => `${JSON.stringify(message)}\n`).join('');
}

/** All that the detectors say of a cascade over forty services and of a later fault of another, in one invocation. */
export function cascadeEvent(seed = 1): unknown {
  return kafkaEvent(recordsByPartition(cascadeAlerts(), seed).map((records) => records.map(linesOf)));
}
