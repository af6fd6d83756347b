import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { HeliosError } from '../../lib/errors.ts';
import { anomalyOf } from '../contract/document-fixture.ts';
import { eventAt } from '../contract/event-fixture.ts';
import { T0 } from '../contract/store-fixture.ts';
import { decodeRollups } from '../rollup/rollup-codec.ts';
import { RollupSum } from '../rollup/rollup-sum.ts';
import type { Database } from './database.ts';
import { openTestWriter, storedMessages, withFaults } from './partition-writer.fixture.ts';
import { withDatabase } from './test-database.fixture.ts';

const HOUR_MS = 3_600_000;
const ALL = { endpoints: true, histogram: true };

/** Events counted by one of the rollup tables. */
async function countIn(database: Database, table: string): Promise<number> {
  const { rows } = await database.query(`SELECT data FROM ${table}`);
  const sum = new RollupSum();
  for (const { data } of rows)
    decodeRollups(
      data as Uint8Array,
      Array.from({ length: 6 }, () => sum),
      ALL,
    );
  return sum.count;
}

const message = (text: string, ms = T0) => eventAt(ms, { message: text });

withDatabase('of two writers of a partition the older one stores nothing', async (test) => {
  const old = await openTestWriter(test, { owner: 'old' });
  old.feed(0, [message('first')]);
  await old.commit(1);
  const young = await openTestWriter(test, { owner: 'young' });
  assert.equal(young.writer.offset(), 1);
  old.feed(1, [message('zombie')]);
  const templates = [{ entity: 'cart', templateId: 't', template: 'x', minuteMs: T0, count: 1, example: 'x' }];
  await assert.rejects(old.commit(2, { templates, anomalies: [anomalyOf('a', T0)] }), { code: 'conflict' });
  for (const table of ['templates', 'documents', 'anomalies']) {
    assert.equal((await test.database.query(`SELECT FROM ${table}`)).rowCount, 0, table);
  }
  young.feed(1, [message('second')]);
  await young.commit(2);
  await assert.rejects(old.commit(2), { code: 'conflict' });
  assert.deepEqual(await storedMessages(test.database), ['first', 'second']);
  assert.equal(await countIn(test.database, 'minute_rollups'), 2);
});

withDatabase('groups, topics and partitions have offsets of their own', async (test) => {
  const events = await openTestWriter(test);
  const detector = await openTestWriter(test, { group: 'detectors', stores: 'state' });
  const other = await openTestWriter(test, { partition: 3 });
  events.feed(0, [message('a')]);
  detector.feed(0, [message('a')]);
  other.feed(6, [message('b')]);
  await events.commit(1);
  await detector.commit(1, { checkpoint: Buffer.from('state') });
  await other.commit(7);
  assert.deepEqual(await storedMessages(test.database), ['a', 'b']);
  const again = await openTestWriter(test, { group: 'detectors', stores: 'state' });
  assert.deepEqual([again.writer.offset(), Buffer.from(again.writer.checkpoint()?.payload ?? []).toString()], [1, 'state']);
  assert.equal((await openTestWriter(test, { partition: 3 })).writer.offset(), 7);
  assert.equal((await openTestWriter(test)).writer.checkpoint(), undefined);
});

withDatabase('what was not committed before a crash is read again and stored once', async (test) => {
  const before = await openTestWriter(test);
  before.feed(0, [message('a')]);
  await before.commit(1);
  before.feed(1, [message('lost')]);
  const after = await openTestWriter(test);
  after.feed(0, [message('a')]);
  after.feed(1, [message('b'), message('c')]);
  await after.commit(2);
  assert.deepEqual(await storedMessages(test.database), ['a', 'b', 'c']);
  assert.equal(await countIn(test.database, 'minute_rollups'), 3);
});

withDatabase('a commit that fails half-way is called again and stores everything once', async (test) => {
  let failures = 0;
  const database = withFaults(test.database, {
    before(sql) {
      if (failures >= 4 || !sql.includes(['COPY', 'entity_times', 'templates', 'checkpoints'][failures] as string)) return;
      failures++;
      throw new HeliosError('unavailable', 'cannot go on: a test says so');
    },
  });
  const { feed, commit } = await openTestWriter({ ...test, database });
  feed(0, [message('a'), message('b', T0 + 2 * HOUR_MS)]);
  const update = {
    templates: [{ entity: 'cart', templateId: 't', template: 'x', minuteMs: T0, count: 2, example: 'x' }],
    checkpoint: Buffer.from('state'),
  };
  for (let i = 0; i < 4; i++) await assert.rejects(commit(1, update), { code: 'unavailable' });
  await commit(1, update);
  assert.deepEqual(await storedMessages(test.database), ['a', 'b']);
  assert.equal(await countIn(test.database, 'minute_rollups'), 2);
  assert.equal((await test.database.query('SELECT count FROM template_counts')).rows[0]?.['count'], 2);
});

withDatabase('hours that are over become hour rows, whole days day rows, and late events reach both', async (test) => {
  const { feed, commit } = await openTestWriter(test);
  const day = Math.floor(T0 / (24 * HOUR_MS)) * 24 * HOUR_MS;
  for (let hour = 0; hour < 50; hour++) {
    feed(hour, [message('m', day + hour * HOUR_MS), eventAt(day + hour * HOUR_MS + 1, { kind: 'log', service: 'other' })]);
    await commit(hour + 1);
  }
  await commit(51);
  assert.equal(await countIn(test.database, 'hour_rollups'), 98);
  assert.equal(await countIn(test.database, 'day_rollups'), 96);
  feed(51, [message('late', day + HOUR_MS)]);
  await commit(52);
  const open =
    'SELECT level, period::integer - $1::integer AS hours FROM open_rollups WHERE period < $1::integer + 2 ORDER BY level DESC, hours';
  const { rows } = await test.database.query(open, [day / HOUR_MS]);
  assert.equal(rows.filter(({ level }) => level === 1).length, 1, 'the hour is open');
  await commit(53);
  assert.equal(await countIn(test.database, 'hour_rollups'), 99);
  assert.equal(await countIn(test.database, 'day_rollups'), 97);
  assert.equal(await countIn(test.database, 'minute_rollups'), 101);
});

withDatabase('retention leaves a day in part and sums it up anew', async (test) => {
  const { writer, feed, commit } = await openTestWriter(test);
  const day = Math.floor(T0 / (24 * HOUR_MS)) * 24 * HOUR_MS;
  feed(
    0,
    Array.from({ length: 50 }, (_, hour) => message('m', day + hour * HOUR_MS)),
  );
  await commit(1);
  await commit(2);
  await commit(3);
  assert.equal(await countIn(test.database, 'day_rollups'), 48);
  await writer.retain(day + 20 * HOUR_MS);
  await commit(4);
  assert.equal(await countIn(test.database, 'minute_rollups'), 30);
  assert.equal(await countIn(test.database, 'hour_rollups'), 29);
  assert.equal(await countIn(test.database, 'day_rollups'), 28);
});

withDatabase('events that the database refuses become letters, one each, and all others are stored', async (test) => {
  await test.database.withSession((session) =>
    session.execute(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.message LIKE 'bad%' THEN RAISE EXCEPTION 'no % here', NEW.message USING ERRCODE = '22023'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse()`),
  );
  try {
    let fails = true;
    const { writer, letters, feed, commit } = await openTestWriter(test, {
      onPoison: (letter) => {
        if (fails && letters.length === 1) {
          fails = false;
          return Promise.reject(new HeliosError('unavailable', 'cannot write letters: a test says so'));
        }
        letters.push(letter);
        return Promise.resolve();
      },
    });
    const texts = (record: number) =>
      Array.from({ length: 20 }, (_, i) => ([3, 4, 19].includes(i) ? `bad ${record}/${i}` : `${record}/${i}`));
    feed(
      5,
      texts(5).map((text) => message(text)),
    );
    feed(
      6,
      texts(6).map((text) => message(text)),
    );
    await assert.rejects(commit(7), { code: 'unavailable' });
    await commit(7);
    assert.deepEqual(
      letters.map(({ topic, partition, offset, value }) => [
        topic,
        partition,
        offset,
        (JSON.parse(Buffer.from(value).toString()) as { message: string }).message,
      ]),
      [5, 6].flatMap((record) => [3, 4, 19].map((i) => ['events', 0, record, `bad ${record}/${i}`])),
    );
    assert.match(letters[0]?.reason ?? '', /^event 3 of the record: cannot .*no bad 5\/3 here/);
    assert.deepEqual(
      await storedMessages(test.database),
      [...texts(5), ...texts(6)].filter((text) => !text.startsWith('bad')),
    );
    assert.equal(await countIn(test.database, 'minute_rollups'), 40, 'they did happen');
    assert.equal(writer.offset(), 7);
  } finally {
    await test.database.withSession((session) => session.execute('DROP TRIGGER refuse ON events; DROP FUNCTION refuse()'));
  }
});

withDatabase('what PostgreSQL cannot keep of an event is replaced, and the event is stored', async (test) => {
  const { letters, feed, commit } = await openTestWriter(test);
  const metadata = { 'a\u0000': ['\ud800', { b: '\udc00' }], big: 1e300 };
  feed(0, [eventAt(T0, { service: 's\u0000', message: 'a\u0000b\ud800', trace_id: '\u0000', metadata })]);
  await commit(1);
  assert.deepEqual(letters, []);
  const { rows } = await test.database.query('SELECT service, message, trace_id, metadata FROM events');
  assert.deepEqual(rows, [
    {
      service: 's\ufffd',
      message: 'a\ufffdb\ufffd',
      trace_id: '\ufffd',
      metadata: { 'a\ufffd': ['\ufffd', { b: '\ufffd' }], big: 1e300 },
    },
  ]);
});

withDatabase('names past the highest id are counted under other', async (test) => {
  await test.database.query('ALTER TABLE entities ALTER COLUMN id RESTART WITH 523286');
  const { feed, commit } = await openTestWriter(test);
  feed(
    0,
    ['a', 'b', 'c', 'd'].map((service) => eventAt(T0, { service })),
  );
  await commit(1);
  feed(1, [eventAt(T0, { service: 'e' }), eventAt(T0, { service: 'a' })]);
  await commit(2);
  const { rows } = await test.database.query('SELECT name FROM entities ORDER BY id');
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['a', 'b', 'c', 'd', 'other'],
  );
  feed(2, [eventAt(T0, { service: 'f' })]);
  await commit(3);
  assert.equal(await countIn(test.database, 'minute_rollups'), 7);
  assert.equal((await test.database.query('SELECT FROM entity_times')).rowCount, 5);
});

withDatabase(
  'a value that is too long for an index on metadata costs its event alone',
  async (test) => {
    const { letters, feed, commit } = await openTestWriter(test);
    // Too long for an entry, also when compressed.
    const key = randomBytes(6000).toString('base64');
    feed(0, [
      eventAt(T0, { metadata: { key: 'a' } }),
      eventAt(T0, { message: 'long', metadata: { key } }),
      eventAt(T0, { metadata: { key: 'b' } }),
    ]);
    await commit(1);
    assert.equal(letters.length, 1);
    assert.match(letters[0]?.reason ?? '', /index row/);
    assert.deepEqual(await storedMessages(test.database), ['ok', 'ok']);
  },
  { engines: ['postgres'], config: { metadata_indexes: ['key'] } },
);
