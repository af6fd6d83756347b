import type { IncidentLedger } from '../../store/timescale/incident-ledger.ts';
import type { Engines } from './engines.ts';

/** Produces decisions that wait in the database; returns how many. */
export function sendControl({ producer, config }: Engines, ledger: IncidentLedger): Promise<number> {
  return ledger.drainControl((key, message) =>
    producer.send(config.kafka.topic_control, { key, value: Buffer.from(JSON.stringify(message)) }),
  );
}
