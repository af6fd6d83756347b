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
