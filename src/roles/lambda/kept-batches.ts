import { Backoff } from '../../lib/backoff.ts';
import { isoTime } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Prng } from '../../lib/prng.ts';
import type { AlertMessage } from '../../model/alert.ts';
import type { BatchStop } from '../../report/lambda.ts';
import type { PartitionBatch } from '../../report/lambda/kafka-event.ts';
import type { RecordStore } from '../../store/record-store.ts';
import type { IncidentLedger } from '../../store/timescale/incident-ledger.ts';
import { RowError } from '../../store/timescale/errors.ts';
import { readAlertLines } from '../production/alert-lines.ts';
import { keepLostLines } from './letter-box.ts';
import type { LostLine } from './letter-box.ts';

const RETRY = { firstMs: 200, longestMs: 1000 };
const TRIES = 3;

export interface BatchKeeperOptions {
  ledger: Pick<IncidentLedger, 'keep'>;
  records: RecordStore;
  clock: Clock;
  logger: Logger;
  prng: Prng;
}

/** What one record says. */
interface ReadRecord {
  offset: number;
  bytes: Uint8Array;
  messages: AlertMessage[];
}

function isPassing(error: unknown): error is HeliosError {
  return error instanceof HeliosError && error.retryable;
}

/** Whether what it holds is at fault: the server refuses it, or it is nested too deep to be written. */
function isRefusal(error: unknown): error is Error {
  return error instanceof RowError || error instanceof RangeError;
}

/** Keeps alerts without a consumer group: what cannot be read is put aside, and the rest is stored, all of it or up to a record. */
export class BatchKeeper {
  readonly #options: BatchKeeperOptions;

  constructor(options: BatchKeeperOptions) {
    this.#options = options;
  }

  /** See `InvokedReporter.keep`. All partitions in one transaction; each alone only when that fails. */
  async keep(batches: readonly PartitionBatch[]): Promise<BatchStop[]> {
    const read = batches.map((batch) => ({ batch, ...this.#read(batch) }));
    const messages = read.flatMap(({ records }) => records.flatMap((record) => record.messages));
    try {
      await this.#putAside(read.flatMap(({ lost }) => lost));
      if (messages.length > 0) await this.#patiently(() => this.#options.ledger.keep(messages));
      return [];
    } catch (error) {
      this.#options.logger.warn('cannot keep a batch at once: trying each partition alone', { reason: String(error) });
    }
    const stops: BatchStop[] = [];
    for (const { batch, records, lost } of read) {
      const stop = await this.#keepAlone(batch, records, lost);
      if (stop) stops.push(stop);
    }
    return stops;
  }

  #read({ topic, partition, records }: PartitionBatch): { records: ReadRecord[]; lost: LostLine[] } {
    const lost: LostLine[] = [];
    const readable = records.map(({ offset, bytes }): ReadRecord => {
      const at = { topic, partition, offset };
      if (bytes === null || bytes.length === 0) {
        lost.push({ ...at, reason: 'it has no value', bytes: new Uint8Array() });
        return { offset, bytes: new Uint8Array(), messages: [] };
      }
      const { messages, bad } = readAlertLines(bytes);
      for (const { line, reason } of bad) lost.push({ ...at, reason, bytes: line });
      return { offset, bytes, messages };
    });
    return { records: readable, lost };
  }

  async #putAside(lost: readonly LostLine[]): Promise<void> {
    const { records, clock, logger } = this.#options;
    if (lost.length === 0) return;
    await this.#patiently(() => keepLostLines(records, lost, isoTime(clock.nowMs())));
    for (const { topic, partition, offset, reason } of lost)
      logger.warn('passed an alert that cannot be read', { topic, partition, offset, reason });
  }

  async #keepAlone(
    { name, topic, partition, records: [first] }: PartitionBatch,
    records: readonly ReadRecord[],
    lost: readonly LostLine[],
  ): Promise<BatchStop | undefined> {
    const { ledger, logger } = this.#options;
    let offset = first?.offset ?? 0;
    try {
      await this.#putAside(lost);
      if (!(await this.#refusalOf(() => ledger.keep(records.flatMap(({ messages }) => messages))))) return undefined;
      // One of them is at fault: it is put aside, the others are stored one by one.
      for (const record of records) {
        ({ offset } = record);
        const refusal = record.messages.length > 0 ? await this.#refusalOf(() => ledger.keep(record.messages)) : undefined;
        if (refusal) await this.#putAside([{ topic, partition, offset, reason: refusal.message, bytes: record.bytes }]);
      }
      return undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error('records are left to the mapping, to be brought again', { topic, partition, offset, reason });
      return { name, offset, reason };
    }
  }

  /** Why this is refused; throws when nothing is taken at the moment. */
  async #refusalOf(store: () => Promise<void>): Promise<Error | undefined> {
    try {
      await this.#patiently(store);
      return undefined;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return error;
    }
  }

  /** A connection may have been cut while this environment was paused: the next one is another. */
  async #patiently(store: () => Promise<void>): Promise<void> {
    const { clock, prng } = this.#options;
    const backoff = new Backoff(RETRY, prng);
    for (;;) {
      try {
        await store();
        return;
      } catch (error) {
        if (!isPassing(error) || backoff.failures + 1 >= TRIES) throw error;
        await clock.sleep(backoff.nextMs());
      }
    }
  }
}
