import assert from 'node:assert/strict';
import { HeliosError } from '../../lib/errors.ts';
import { silentMetrics } from '../../lib/metrics.ts';
import { eventAt } from '../contract/event-fixture.ts';
import { T0 } from '../contract/store-fixture.ts';
import type { Database } from './database.ts';
import { openTestWriter, storedMessages, withFaults } from './partition-writer.fixture.ts';
import { RequestFilter } from './stored-requests.ts';
import { withDatabase } from './test-database.fixture.ts';

const message = (text: string) => eventAt(T0, { message: text });
const TEMPLATES = [{ entity: 'cart', templateId: 't', template: 'x', minuteMs: T0, count: 1, example: 'x' }];

async function templateCount(database: Database): Promise<unknown> {
  const { rows } = await database.query('SELECT count FROM template_counts');
  return rows[0]?.['count'];
}

/** Loses the answers to the first `count` transactions that hold this statement. */
function losing(database: Database, count: number, statement: string): Database {
  let left = count;
  return withFaults(database, {
    after(statements) {
      if (left === 0 || !statements.some((sql) => sql.includes(statement))) return;
      left--;
      throw new HeliosError('unavailable', 'cannot commit: the answer is lost, a test says so');
    },
  });
}

withDatabase('a commit whose answer is lost counts as stored when it is', async (test) => {
  const { writer, feed, commit } = await openTestWriter({ ...test, database: losing(test.database, 1, 'COPY') });
  feed(0, [message('a')]);
  await commit(1, { templates: TEMPLATES });
  assert.equal(writer.offset(), 1);
  feed(1, [message('b')]);
  await commit(2, { templates: TEMPLATES });
  assert.deepEqual(await storedMessages(test.database), ['a', 'b']);
  assert.equal(await templateCount(test.database), 2);
});

withDatabase(
  'while nobody can tell what became of a commit, the same one is called again and stores nothing twice',
  async (test) => {
    const lost = losing(test.database, 1, 'COPY');
    const { writer, feed, commit } = await openTestWriter({ ...test, database: losing(lost, 2, 'FOR UPDATE') });
    feed(0, [message('a')]);
    await assert.rejects(commit(1, { templates: TEMPLATES }), { code: 'unavailable' });
    await assert.rejects(commit(1, { templates: TEMPLATES }), { code: 'unavailable' });
    await commit(1, { templates: TEMPLATES });
    assert.deepEqual([writer.offset(), writer.rowCount], [1, 0]);
    assert.deepEqual(await storedMessages(test.database), ['a']);
    assert.equal(await templateCount(test.database), 1);
  },
);

withDatabase('a lost answer is found out also where the commit does not move the offset', async (test) => {
  const { commit } = await openTestWriter({ ...test, database: losing(test.database, 1, 'templates') });
  await commit(0, { templates: TEMPLATES });
  await commit(0, { templates: TEMPLATES });
  assert.equal(await templateCount(test.database), 2);
});

withDatabase(
  'a connection that is cut anywhere in a commit costs a repetition and nothing else',
  async (test) => {
    const places = ['partition_progress', 'COPY', 'minute_rollups', 'template_counts', 'checkpoints'];
    await using other = await test.connect();
    let place = '';
    const database = withFaults(test.database, {
      async before(sql, session) {
        if (place === '' || !sql.includes(place)) return;
        place = '';
        const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
        await other.query('SELECT pg_terminate_backend($1)', [rows[0]?.['pid']]);
      },
    });
    const { feed, commit } = await openTestWriter({ ...test, database });
    for (const [i, where] of places.entries()) {
      feed(i, [message(where)]);
      place = where;
      const update = { templates: TEMPLATES, checkpoint: Buffer.from('state') };
      await assert.rejects(commit(i + 1, update), { code: 'unavailable' });
      await commit(i + 1, update);
    }
    assert.deepEqual(await storedMessages(test.database), places);
    assert.equal(await templateCount(test.database), places.length);
  },
  { engines: ['postgres'] },
);

withDatabase(
  'writers of several partitions that meet the same new names at once all get through',
  async (test) => {
    const pools: Database[] = [];
    try {
      const writers = await Promise.all(
        [0, 1, 2, 3].map(async (partition) => {
          const database = await test.connect();
          pools.push(database);
          return openTestWriter({ ...test, database }, { partition });
        }),
      );
      for (let round = 0; round < 10; round++) {
        await Promise.all(
          writers.map(({ feed, commit }, partition) => {
            // Every writer meets them in another order.
            const services = Array.from({ length: 200 }, (_, i) => `s${round}-${(i * (partition * 2 + 1)) % 200}`);
            feed(
              round,
              services.map((service) => eventAt(T0, { service, metadata: { endpoint: `/${service}` } })),
            );
            const templates = services.map((entity) => ({ ...(TEMPLATES[0] as (typeof TEMPLATES)[number]), entity }));
            return commit(round + 1, { templates });
          }),
        );
      }
    } finally {
      for (const pool of pools) await pool[Symbol.asyncDispose]();
    }
    const names = await test.database.query('SELECT count(*) AS names FROM entities');
    assert.equal(names.rows[0]?.['names'], 2000);
    const counts = await test.database.query('SELECT sum(count) AS total, count(*) AS rows FROM template_counts');
    assert.deepEqual(counts.rows[0], { total: 8000, rows: 2000 });
    assert.equal((await test.database.query('SELECT FROM events')).rowCount, 8000);
  },
  { engines: ['postgres'] },
);

const hash = (n: number): string => n.toString(16).padStart(32, '0');

/** A record of one event a request. */
function recordOf(offset: number, requests: readonly number[]) {
  const lines = requests.map((n) => `${JSON.stringify(message(`request ${n}`))}\n`);
  const parts = requests.map((n, i) => ({ keyHash: hash(n), chunk: 0, events: 1, bytes: (lines[i] as string).length }));
  return { position: { offset }, bytes: Buffer.from(lines.join('')), count: requests.length, parts };
}

const requestsIn = ({ bytes }: { bytes: Uint8Array }): number[] =>
  [
    ...Buffer.from(bytes)
      .toString()
      .matchAll(/request (\d+)/g),
  ].map(([, n]) => Number(n));

withDatabase(
  'a retried request is dropped also after a restart, and when it was read but not committed it is not',
  async (test) => {
    const first = await openTestWriter(test);
    assert.deepEqual(requestsIn(first.writer.filterParts(recordOf(0, [1, 2]))), [1, 2]);
    await first.commit(1);
    assert.deepEqual(requestsIn(first.writer.filterParts(recordOf(1, [2, 3]))), [3]);
    const second = await openTestWriter(test);
    assert.deepEqual(requestsIn(second.writer.filterParts(recordOf(1, [2, 3]))), [3]);
    await second.commit(2);
    const third = await openTestWriter(test);
    assert.deepEqual(requestsIn(third.writer.filterParts(recordOf(2, [1, 2, 3, 4]))), [4]);
    const elsewhere = await openTestWriter(test, { partition: 1 });
    assert.deepEqual(requestsIn(elsewhere.writer.filterParts(recordOf(0, [1]))), [1], 'partitions are apart');
  },
);

withDatabase('records behind the stored offset are filtered after a restart as they were before it', async (test) => {
  const records = [recordOf(0, [1]), recordOf(1, [2, 1]), recordOf(2, [2, 3, 1]), recordOf(3, [3, 4]), recordOf(4, [4, 1])];
  const first = await openTestWriter(test, { group: 'detectors', stores: 'state' });
  const passed = [];
  for (const [i, record] of records.entries()) {
    passed.push(requestsIn(first.writer.filterParts(record)));
    if (i === 0 || i === 3) await first.commit(i + 1);
  }
  await first.commit(5);
  assert.deepEqual(passed, [[1], [2], [3], [4], []]);
  for (const from of [0, 1, 4]) {
    const again = await openTestWriter(test, { group: 'detectors', stores: 'state' });
    assert.deepEqual(
      records.slice(from).map((record) => requestsIn(again.writer.filterParts(record))),
      passed.slice(from),
    );
  }
});

withDatabase('no more requests are kept than are needed', async (test) => {
  const key = { group: 'g', topic: 'events', partition: 0 };
  const filter = new RequestFilter(key, silentMetrics, 10);
  for (let offset = 0; offset < 30; offset++) {
    filter.filter(recordOf(offset, [2 * offset, 2 * offset + 1]));
    await test.database.transaction((session) => filter.store(session, offset + 1));
    filter.settle(offset + 1);
  }
  const { rows } = await test.database.query('SELECT sum(length(hashes)) / 18 AS kept FROM stored_requests');
  const kept = Number(rows[0]?.['kept']);
  assert.ok(kept >= 10 && kept <= 20, `${kept}`);
  const again = new RequestFilter(key, silentMetrics, 10);
  await again.load(test.database);
  assert.deepEqual(requestsIn(again.filter(recordOf(30, [48, 50, 59, 60]))), [48, 60]);
});
