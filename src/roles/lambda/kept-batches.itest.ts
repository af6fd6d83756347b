import assert from 'node:assert/strict';
import { createIncidentBook } from '../../detect/incident-book.ts';
import { testConfig } from '../../detect/traffic.fixture.ts';
import { ManualClock } from '../../lib/clock.ts';
import { HeliosError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { createPrng } from '../../lib/prng.ts';
import { kafkaEvent } from '../../report/lambda/kafka-event.fixture.ts';
import { readKafkaEvent } from '../../report/lambda/kafka-event.ts';
import type { PartitionBatch } from '../../report/lambda/kafka-event.ts';
import { cascadeAlerts, recordsByPartition } from '../../store/timescale/cascade.fixture.ts';
import type { Database } from '../../store/timescale/database.ts';
import { createIncidentLedger } from '../../store/timescale/incident-ledger.ts';
import { withFaults } from '../../store/timescale/partition-writer.fixture.ts';
import { withDatabase } from '../../store/timescale/test-database.fixture.ts';
import { openTestStore } from '../../store/timescale/timescale-store.fixture.ts';
import { linesOf } from './cascade-event.fixture.ts';
import { BatchKeeper } from './kept-batches.ts';

const AWAY = new HeliosError('unavailable', 'cannot query: the connection is cut, a test says so');

/** Time passes at once. */
class HurriedClock extends ManualClock {
  override async sleep(delayMs: number): Promise<void> {
    this.advance(delayMs);
  }
}

async function withKeeper(
  database: Database,
  isAway: (attempt: number) => boolean,
  check: (keeper: BatchKeeper) => Promise<void>,
): Promise<void> {
  let attempts = 0;
  const before = (sql: string): void => {
    if (sql.includes('INTO pending_alerts') && isAway(attempts++)) throw AWAY;
  };
  const book = createIncidentBook(testConfig());
  const faulty = withFaults(database, { before });
  const ledger = createIncidentLedger({ database: faulty, book, reportIntervalMs: 30_000, logger: silentLogger });
  await using store = await openTestStore({ database });
  const { records } = store;
  await check(new BatchKeeper({ ledger, records, clock: new HurriedClock(), logger: silentLogger, prng: createPrng(1) }));
}

function batches(): PartitionBatch[] {
  const texts = recordsByPartition(cascadeAlerts(), 1).map((records) => records.map(linesOf));
  return readKafkaEvent(kafkaEvent(texts, { from: 10 })) as PartitionBatch[];
}

async function keptPartitions(database: Database): Promise<unknown[]> {
  const { rows } = await database.query("SELECT DISTINCT (message->>'partition')::integer AS of FROM pending_alerts ORDER BY 1");
  return rows.map((row) => row['of']);
}

withDatabase('a connection that was cut is not worth an answer: the next try keeps the batch', async ({ database }) => {
  await withKeeper(
    database,
    (attempt) => attempt === 0,
    async (keeper) => {
      assert.deepEqual(await keeper.keep(batches()), []);
      assert.deepEqual(await keptPartitions(database), [0, 1, 2, 3]);
    },
  );
});

withDatabase('a database that goes away in the middle stops the partitions that are not kept yet', async ({ database }) => {
  // Three tries of all at once, one each of the first two partitions, and then nothing more.
  await withKeeper(
    database,
    (attempt) => attempt < 3 || attempt > 4,
    async (keeper) => {
      const stops = await keeper.keep(batches());
      assert.deepEqual(
        stops.map(({ name, offset }) => ({ name, offset })),
        [
          { name: 'anomaly-alerts-2', offset: 10 },
          { name: 'anomaly-alerts-3', offset: 10 },
        ],
      );
      assert.deepEqual(await keptPartitions(database), [0, 1]);
    },
  );
});
