import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { EventBatch } from '../../model/event-batch.ts';
import { packCheckpoint, unpackCheckpoint } from '../checkpoint-codec.ts';
import { COMMIT_FAILURES, COMMIT_SECONDS, COMMITTED_EVENTS, PARTITION_STORE, ROLLUP_ROWS_WRITTEN } from '../metrics.ts';
import { RollupAccumulator } from '../rollup/accumulator.ts';
import type { StoreUpdate, StoreWriter } from '../store.ts';
import { findRefusedRows } from './bisection.ts';
import type { DatabaseConfig } from './config.ts';
import type { Database, Session } from './database.ts';
import { putDocuments } from './document-writer.ts';
import { RowError } from './errors.ts';
import { EventCopy } from './event-copy.ts';
import { addModel } from './model-writer.ts';
import { NameIds } from './name-ids.ts';
import { removeBefore } from './partition-writer-retention.ts';
import type { Claim, PartitionKey } from './progress.ts';
import { advance, claimPartition, readProgress } from './progress.ts';
import { RollupSealer } from './rollup-sealer.ts';
import type { WrittenRollups } from './rollup-writer.ts';
import { RollupWriter } from './rollup-writer.ts';
import type { PartedRecord } from './stored-requests.ts';
import { RequestFilter } from './stored-requests.ts';
import { addTemplates } from './template-writer.ts';

/** Rows of one commit take no more than this, or one record more. */
const MAX_ROW_BYTES = 32 * 1024 * 1024;

/** An event that the database refuses, for the dead letters (DeadLetter of log/partition-log.ts). */
export interface PoisonEvent {
  topic: string;
  partition: number;
  offset: number;
  reason: string;
  /** The event as one line of JSON, without a newline. */
  value: Uint8Array;
}

export interface PartitionWriterOptions {
  database: Database;
  /** Consumer group, topic and partition: what has one writer, and one offset. */
  group: string;
  topic: string;
  partition: number;
  /** Who claims it, for people who look. */
  owner: string;
  config: Pick<DatabaseConfig, 'batch_rows' | 'direct_compress'>;
  /** events: rows and rollups too. state: only what updates hold. */
  stores: 'events' | 'state';
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Called once an event, before the commit that leaves it out; when it rejects, so does the commit. */
  onPoison: (event: PoisonEvent) => Promise<void>;
}

/**
 * The one writer of a partition for its consumer group. A commit whose partition another process has claimed rejects with `conflict` and
 * stores nothing. Rejects with `unavailable` or `disk_full`; then the same commit is called again, before anything else is observed.
 */
export interface PartitionWriter extends StoreWriter {
  /** The record without parts of requests that were stored before; once a record, before it is scanned and observed. */
  filterParts<R extends PartedRecord>(record: R): R;
  /** Whether to commit before more is observed. */
  isFull(): boolean;
  /** Events observed since the last commit. */
  readonly rowCount: number;
}

/** A commit whose answer was lost. */
interface UnknownCommit {
  nextOffset: number;
  /** Its transaction's number, where the offset does not tell whether it is stored. */
  transaction: string | null;
}

/** Its checkpoint is packed, once for all attempts. */
type PackedUpdate = StoreUpdate;

/** Thrown to end a trial's transaction. */
const TAKEN_BACK = new Error('taken back');

class TimescalePartitionWriter implements PartitionWriter {
  readonly #options: PartitionWriterOptions;
  readonly #key: PartitionKey;
  readonly #entities = new NameIds('entities');
  readonly #endpoints = new NameIds('endpoints');
  readonly #accumulator = new RollupAccumulator(this.#entities.local, this.#endpoints.local);
  readonly #events: EventCopy;
  readonly #rollups: RollupWriter;
  readonly #sealer: RollupSealer;
  readonly #filter: RequestFilter;
  #claim: Claim = { nextOffset: 0, epoch: 0 };
  /** The stored one, packed. */
  #checkpoint: { payload: Uint8Array; offset: number } | undefined;
  #unknown: UnknownCommit | null = null;
  /** Rows that the database refuses, whose letters are written. */
  readonly #refused = new Set<number>();

  constructor(options: PartitionWriterOptions) {
    const { group, topic, partition, metrics } = options;
    this.#options = options;
    this.#key = { group, topic, partition };
    this.#events = new EventCopy(partition);
    this.#rollups = new RollupWriter(partition, this.#entities, this.#endpoints);
    this.#sealer = new RollupSealer(partition);
    this.#filter = new RequestFilter(this.#key, metrics);
  }

  async open(): Promise<void> {
    const { database, owner, group, topic, partition } = this.#options;
    this.#claim = await claimPartition(database, this.#key, owner);
    await this.#filter.load(database);
    if (this.#options.stores === 'events') await this.#sealer.load(database);
    const { rows } = await database.query(
      'SELECT next_offset, payload FROM checkpoints WHERE consumer_group = $1 AND topic = $2 AND log_partition = $3',
      [group, topic, partition],
    );
    const [row] = rows;
    if (row) this.#checkpoint = { payload: row['payload'] as Uint8Array, offset: Number(row['next_offset']) };
  }

  offset(): number {
    return this.#claim.nextOffset;
  }

  /** One that is damaged counts as none: the detector's state then comes from the log. */
  checkpoint(): { payload: Uint8Array; offset: number } | undefined {
    if (!this.#checkpoint) return undefined;
    try {
      return { payload: unpackCheckpoint(this.#checkpoint.payload), offset: this.#checkpoint.offset };
    } catch (error) {
      if (!(error instanceof HeliosError) || error.code !== 'corrupt_data') throw error;
      this.#options.logger.error('the checkpoint is damaged: the state of the detector is rebuilt from the log', this.#where());
      return undefined;
    }
  }

  get rowCount(): number {
    return this.#events.rowCount;
  }

  isFull(): boolean {
    return this.#events.rowCount >= this.#options.config.batch_rows || this.#events.byteLength >= MAX_ROW_BYTES;
  }

  filterParts<R extends PartedRecord>(record: R): R {
    return this.#filter.filter(record);
  }

  observe(batch: EventBatch, recordOffset: number): void {
    if (this.#options.stores === 'state' || recordOffset < this.#claim.nextOffset) return;
    this.#events.observe(batch, recordOffset);
    this.#accumulator.observe(batch);
  }

  async commit({ checkpoint, ...rest }: StoreUpdate, nextOffset: number): Promise<void> {
    if (nextOffset < this.#claim.nextOffset) {
      assert(this.#accumulator.eventCount === 0, 'a replay below the committed offset observes nothing');
      return;
    }
    const { clock, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      await this.#storeOnce({ ...rest, checkpoint: checkpoint && packCheckpoint(checkpoint) }, nextOffset);
    } catch (error) {
      const code = error instanceof HeliosError ? error.code : 'internal';
      metrics.add(COMMIT_FAILURES, 1, { code });
      if (code === 'conflict') metrics.add(PARTITION_STORE.fencedCommits, 1);
      this.#sealer.lookAgain();
      throw error;
    }
    metrics.observe(COMMIT_SECONDS, (clock.monotonicMs() - startMs) / 1000);
  }

  async retain(beforeMs: number): Promise<void> {
    const { database, partition } = this.#options;
    await database.transaction((session) => removeBefore(session, partition, beforeMs));
    this.#rollups.forgetOpen();
    this.#sealer.lookAgain();
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #storeOnce(update: PackedUpdate, nextOffset: number): Promise<void> {
    const { database } = this.#options;
    if (this.#unknown) {
      assert(this.#unknown.nextOffset === nextOffset, 'a commit whose answer was lost is repeated before anything else');
      if (await this.#isStored(this.#unknown)) {
        this.#finish(update, nextOffset, { rows: 0, hours: [] });
        return;
      }
      this.#unknown = null;
    }
    await this.#entities.resolve(database);
    await this.#endpoints.resolve(database);
    let written: WrittenRollups;
    try {
      written = await this.#attempt(update, nextOffset);
    } catch (error) {
      if (!(error instanceof RowError) || !(await this.#isolate())) throw error;
      written = await this.#attempt(update, nextOffset);
    }
    this.#finish(update, nextOffset, written);
  }

  /** One transaction. When the answer to its COMMIT is lost, the database is asked what became of it. */
  async #attempt(update: PackedUpdate, nextOffset: number): Promise<WrittenRollups> {
    let written: WrittenRollups | undefined;
    let transaction: string | null = null;
    try {
      await this.#options.database.transaction(async (session) => {
        written = undefined;
        await advance(session, this.#key, this.#claim, nextOffset);
        const rollups = await this.#write(session, update, nextOffset);
        if (nextOffset === this.#claim.nextOffset) {
          const { rows } = await session.query('SELECT pg_current_xact_id()::text AS number');
          transaction = rows[0]?.['number'] as string;
        }
        written = rollups;
      });
    } catch (error) {
      if (!written) throw error;
      this.#unknown = { nextOffset, transaction };
      const isStored = await this.#isStored(this.#unknown).catch((): null => null);
      if (isStored !== true) {
        if (isStored === false) this.#unknown = null;
        throw error;
      }
      this.#options.logger.warn('a commit failed after it was stored', { ...this.#where(), nextOffset, reason: String(error) });
    }
    assert(written !== undefined, 'a transaction that resolved has run');
    return written;
  }

  async #write(session: Session, update: PackedUpdate, nextOffset: number): Promise<WrittenRollups> {
    const { database, config, stores } = this.#options;
    let written: WrittenRollups = { rows: 0, hours: [] };
    if (stores === 'events') {
      const compressed = database.supports.directCompress && config.direct_compress;
      await this.#events.store(session, compressed, this.#refused);
      written = await this.#rollups.write(session, this.#accumulator);
      const sealed = await this.#sealer.seal(session, written.hours);
      if (sealed > 0) this.#rollups.forgetOpen();
    }
    await addTemplates(session, update.templates);
    await putDocuments(session, 'anomaly', update.anomalies);
    await putDocuments(session, 'incident', update.incidents);
    await putDocuments(session, 'change', update.changes);
    for (const model of update.models) await addModel(session, model);
    if (update.checkpoint) await this.#storeCheckpoint(session, update.checkpoint, nextOffset);
    await this.#filter.store(session, nextOffset);
    return written;
  }

  async #storeCheckpoint(session: Session, payload: Uint8Array, nextOffset: number): Promise<void> {
    const { group, topic, partition } = this.#options;
    await session.query(
      `INSERT INTO checkpoints (consumer_group, topic, log_partition, next_offset, payload) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (consumer_group, topic, log_partition)
       DO UPDATE SET next_offset = excluded.next_offset, payload = excluded.payload`,
      [group, topic, partition, nextOffset, payload],
    );
  }

  /** Whether a commit under way has come to its end; `conflict` when the partition is another's by now. */
  async #isStored({ nextOffset, transaction }: UnknownCommit): Promise<boolean> {
    const { database, partition, topic } = this.#options;
    const progress = await database.transaction((session) => readProgress(session, this.#key));
    if (progress?.epoch !== this.#claim.epoch) {
      throw new HeliosError('conflict', `cannot commit partition ${partition} of ${topic}: another process has taken it over`);
    }
    if (transaction === null) return progress.nextOffset === nextOffset;
    const { rows } = await database.query('SELECT pg_xact_status($1::text::xid8) AS status', [transaction]);
    return rows[0]?.['status'] === 'committed';
  }

  #finish(update: PackedUpdate, nextOffset: number, { rows, hours }: WrittenRollups): void {
    const { metrics } = this.#options;
    this.#unknown = null;
    this.#claim = { ...this.#claim, nextOffset };
    if (update.checkpoint) this.#checkpoint = { payload: update.checkpoint, offset: nextOffset };
    this.#filter.settle(nextOffset);
    this.#rollups.settle(hours);
    metrics.add(COMMITTED_EVENTS, this.#accumulator.eventCount);
    metrics.add(ROLLUP_ROWS_WRITTEN, rows);
    metrics.add(PARTITION_STORE.rows, this.#events.rowCount - this.#refused.size);
    this.#events.clear();
    this.#accumulator.clear();
    this.#refused.clear();
  }

  /** Writes letters for the events that the database refuses; false when there are none, so that something else is at fault. */
  async #isolate(): Promise<boolean> {
    const { onPoison, metrics, logger, topic, partition } = this.#options;
    const refused = await findRefusedRows(this.#events.rowCount, (from, to) => this.#tryRows(from, to));
    for (const { row, error } of refused) {
      const { offset, index, line } = this.#events.eventOf(row);
      const reason = `event ${index} of the record: ${error.message}`;
      await onPoison({ topic, partition, offset, reason, value: line });
      this.#refused.add(row);
      metrics.add(PARTITION_STORE.poisonRows, 1);
    }
    if (refused.length > 0) {
      const [first] = refused;
      logger.warn('the database refuses events; they are dead letters', {
        ...this.#where(),
        events: refused.length,
        reason: first?.error.message,
      });
    }
    return refused.length > 0;
  }

  async #tryRows(from: number, to: number): Promise<RowError | null> {
    const { database, config } = this.#options;
    const compressed = database.supports.directCompress && config.direct_compress;
    try {
      return await database.transaction(async (session): Promise<never> => {
        await this.#events.store(session, compressed, this.#refused, from, to);
        throw TAKEN_BACK;
      });
    } catch (error) {
      if (error === TAKEN_BACK) return null;
      if (error instanceof RowError) return error;
      throw error;
    }
  }

  #where(): { topic: string; partition: number } {
    return { topic: this.#options.topic, partition: this.#options.partition };
  }
}

/**
 * Claims a partition for its consumer group, which fences off whoever had it, and opens its writer: `offset()` is where to read from, once
 * commits of the former owner have ended. The database stays its caller's. Rejects with `unavailable`.
 */
export async function openPartitionWriter(options: PartitionWriterOptions): Promise<PartitionWriter> {
  const writer = new TimescalePartitionWriter(options);
  await writer.open();
  return writer;
}
