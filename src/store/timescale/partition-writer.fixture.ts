import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import type { Names } from '../../model/event-batch.ts';
import { createNames } from '../../model/event-batch.ts';
import { createJsonScanner } from '../../model/json-scanner.ts';
import type { Scanner } from '../../model/scanner.ts';
import { NO_LIMITS } from '../../model/scanner.ts';
import type { FixtureEvent } from '../contract/event-fixture.ts';
import { NO_UPDATE } from '../contract/store-fixture.ts';
import type { StoreUpdate } from '../store.ts';
import type { Database, Session } from './database.ts';
import type { PartitionWriter, PartitionWriterOptions, PoisonEvent } from './partition-writer.ts';
import { openPartitionWriter } from './partition-writer.ts';
import type { TestDatabase } from './test-database.fixture.ts';

/** A writer under test with the letters that it wrote. */
export interface TestWriter {
  writer: PartitionWriter;
  letters: PoisonEvent[];
  names: Names;
  /** Scans and observes a record of these events. */
  feed: (offset: number, events: readonly FixtureEvent[]) => void;
  commit: (nextOffset: number, update?: Partial<StoreUpdate>) => Promise<void>;
}

export async function openTestWriter(
  { database, config }: Pick<TestDatabase, 'database' | 'config'>,
  options: Partial<PartitionWriterOptions> = {},
): Promise<TestWriter> {
  const letters: PoisonEvent[] = [];
  const writer = await openPartitionWriter({
    database,
    group: 'storage-writers',
    topic: 'events',
    partition: 0,
    owner: 'test',
    config,
    stores: 'events',
    clock: systemClock,
    logger: silentLogger,
    metrics: silentMetrics,
    onPoison: (letter) => {
      letters.push(letter);
      return Promise.resolve();
    },
    ...options,
  });
  const names = createNames();
  const scanner: Scanner = createJsonScanner(names);
  return {
    writer,
    letters,
    names,
    feed(offset, events) {
      const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
      writer.observe(scanner.scan(Buffer.from(lines), NO_LIMITS).batch, offset);
    },
    commit: (nextOffset, update = {}) => writer.commit({ ...NO_UPDATE, ...update }, nextOffset),
  };
}

/** Messages of all stored events, in the order of the log. */
export async function storedMessages(database: Database): Promise<string[]> {
  const { rows } = await database.query('SELECT message FROM events ORDER BY log_partition, log_position');
  return rows.map(({ message }) => message as string);
}

/** What goes wrong in transactions, by their statements. */
export interface Faults {
  /** Called ahead of every statement; when it rejects, so does the statement. */
  before?: (sql: string, session: Session) => Promise<void> | void;
  /** Called after the COMMIT of a transaction with these statements; when it throws, its answer is lost. */
  after?: (statements: readonly string[]) => void;
}

export function withFaults(database: Database, { before = () => {}, after = () => {} }: Faults): Database {
  return {
    query: (sql, values) => database.query(sql, values),
    withSession: (work) => database.withSession(work),
    listen: (channel, onNotice) => database.listen(channel, onNotice),
    inspect: () => database.inspect(),
    get supports() {
      return database.supports;
    },
    async transaction(work) {
      const statements: string[] = [];
      const result = await database.transaction((session) => {
        const run = async <T>(sql: string, statement: () => Promise<T>): Promise<T> => {
          statements.push(sql);
          await before(sql, session);
          return statement();
        };
        return work({
          query: (sql, values) => run(sql, () => session.query(sql, values)),
          execute: (sql) => run(sql, () => session.execute(sql)),
          copy: (sql, input) => run(sql, () => session.copy(sql, input)),
        });
      });
      after(statements);
      return result;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
