import assert from 'node:assert/strict';
import { adoptLog, advance, claimPartition, readProgress } from './progress.ts';
import type { PartitionKey } from './progress.ts';
import type { Database } from './database.ts';
import { withDatabase } from './test-database.fixture.ts';

const KEY: PartitionKey = { group: 'storage-writers', topic: 'events', partition: 3 };
const VALUES = [KEY.group, KEY.topic, KEY.partition];

/** A partition that is stored up to 100, with its state and two commits of requests. */
async function storedPartition(database: Database): Promise<void> {
  assert.deepEqual(await adoptLog(database, KEY, 'first', { id: 'log-1', endOffset: 0 }), { state: 'same' });
  await advance(database, KEY, await claimPartition(database, KEY, 'first'), 100);
  await database.query('INSERT INTO checkpoints VALUES ($1, $2, $3, 90, $4)', [...VALUES, Buffer.from('state')]);
  for (const [offset, hashes] of [
    [50, 'a'],
    [100, 'b'],
  ] as const) {
    await database.query(
      'INSERT INTO stored_requests (consumer_group, topic, log_partition, next_offset, hashes) VALUES ($1, $2, $3, $4, $5)',
      [...VALUES, offset, Buffer.from(hashes)],
    );
  }
}

async function stateOf(database: Database): Promise<unknown> {
  const checkpoints = await database.query('SELECT next_offset FROM checkpoints');
  const requests = await database.query('SELECT next_offset, hashes FROM stored_requests ORDER BY next_offset');
  return {
    offset: (await readProgress(database, KEY))?.nextOffset,
    checkpoint: Number(checkpoints.rows[0]?.['next_offset']),
    requests: requests.rows.map(({ next_offset, hashes }) => [Number(next_offset), Buffer.from(hashes as Uint8Array).toString()]),
  };
}

withDatabase('the offset of a log that goes on is kept, also where it was not known which log it is', async ({ database }) => {
  await storedPartition(database);
  await database.query("UPDATE partition_progress SET log_id = ''");
  assert.deepEqual(await adoptLog(database, KEY, 'second', { id: 'log-1', endOffset: 120 }), { state: 'same' });
  assert.deepEqual(await adoptLog(database, KEY, 'second', { id: 'log-1', endOffset: 100 }), { state: 'same' });
  assert.deepEqual(await stateOf(database), {
    offset: 100,
    checkpoint: 90,
    requests: [
      [50, 'a'],
      [100, 'b'],
    ],
  });
});

withDatabase(
  'of a log that was made anew everything is to be read, and repeated requests are still known',
  async ({ database }) => {
    await storedPartition(database);
    const before = await claimPartition(database, KEY, 'first');
    const outcome = await adoptLog(database, KEY, 'second', { id: 'log-2', endOffset: 500 });
    assert.deepEqual(outcome, { state: 'anew', storedOffset: 100, nextOffset: 0 });
    assert.deepEqual(await stateOf(database), { offset: 0, checkpoint: 0, requests: [[0, 'ab']] });
    await assert.rejects(advance(database, KEY, before, 110), /another process has taken it over/);
    assert.deepEqual(await adoptLog(database, KEY, 'second', { id: 'log-2', endOffset: 500 }), { state: 'same' });
  },
);

withDatabase('of a log that has lost its end, what is written from now on is to be read', async ({ database }) => {
  await storedPartition(database);
  const outcome = await adoptLog(database, KEY, 'second', { id: 'log-1', endOffset: 80 });
  assert.deepEqual(outcome, { state: 'shortened', storedOffset: 100, nextOffset: 80 });
  assert.deepEqual(await stateOf(database), {
    offset: 80,
    checkpoint: 80,
    requests: [
      [50, 'a'],
      [80, 'b'],
    ],
  });
});
