import assert from 'node:assert/strict';
import type { Database } from './database.ts';
import { appendOutbox, createOutbox } from './outbox.ts';
import { withDatabase } from './test-database.fixture.ts';

const say = (database: Database, ...names: string[]): Promise<void> =>
  database.transaction((session) =>
    appendOutbox(
      session,
      names.map((id) => ({ event: 'anomaly', body: { id } })),
    ),
  );

withDatabase(
  'a reader that follows the newest id misses nothing of writers that overlap',
  async ({ database, connect }) => {
    await using other = await connect();
    const outbox = createOutbox(database);
    const { promise: isWritten, resolve: written } = Promise.withResolvers<void>();
    const { promise: mayCommit, resolve: commit } = Promise.withResolvers<void>();
    const slow = other.transaction(async (session) => {
      await appendOutbox(session, [{ event: 'incident', body: { id: 'slow' } }]);
      written();
      await mayCommit;
    });
    await isWritten;
    const fast = say(database, 'fast');
    assert.deepEqual(await outbox.read(0, 10), [], 'the fast one waits for the slow one');
    commit();
    await Promise.all([slow, fast]);
    const rows = await outbox.read(0, 10);
    assert.deepEqual(
      rows.map(({ event, body }) => [event, body]),
      [
        ['incident', { id: 'slow' }],
        ['anomaly', { id: 'fast' }],
      ],
    );
  },
  { engines: ['postgres'] },
);

withDatabase('rows come in pages, in order, and old ones are removed but for the newest', async ({ database }) => {
  const outbox = createOutbox(database);
  assert.equal(await outbox.newestId(), 0);
  const names = Array.from({ length: 25 }, (_, i) => `an-${i}`);
  await say(database, ...names.slice(0, 20));
  await say(database, ...names.slice(20));
  const read: string[] = [];
  for (let afterId = 0; ;) {
    const rows = await outbox.read(afterId, 10);
    if (rows.length === 0) break;
    read.push(...rows.map(({ body }) => (body as { id: string }).id));
    afterId = rows.at(-1)?.id as number;
  }
  assert.deepEqual(read, names);
  const newest = await outbox.newestId();
  assert.equal(await outbox.trim(60_000), 0);
  await database.query("UPDATE outbox SET at = at - interval '1 hour'");
  assert.equal(await outbox.trim(60_000), names.length - 1);
  assert.equal(await outbox.newestId(), newest);
});

withDatabase('who listens hears of what is added once it is committed, and not of what is taken back', async ({ database }) => {
  const outbox = createOutbox(database);
  let heard = Promise.withResolvers<void>();
  let read: string[] = [];
  await using _listening = outbox.listen(() => heard.resolve());
  // A connection that comes about says so, too.
  if (database.supports.timescale === null) await heard.promise;
  for (const name of ['first', 'second']) {
    heard = Promise.withResolvers<void>();
    await assert.rejects(
      database.transaction(async (session) => {
        await appendOutbox(session, [{ event: 'anomaly', body: { id: `not ${name}` } }]);
        throw new Error('taken back');
      }),
    );
    await say(database, name);
    await heard.promise;
    read = (await outbox.read(0, 10)).map(({ body }) => (body as { id: string }).id);
    assert.equal(read.at(-1), name);
  }
  assert.deepEqual(read, ['first', 'second']);
});

withDatabase(
  'a listener whose connection is lost gets another one, and is told to look',
  async ({ database }) => {
    let heard = Promise.withResolvers<void>();
    await using _listening = createOutbox(database).listen(() => heard.resolve());
    await heard.promise;
    heard = Promise.withResolvers<void>();
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
    );
    await heard.promise;
    heard = Promise.withResolvers<void>();
    await say(database, 'after');
    await heard.promise;
  },
  { engines: ['postgres'] },
);
