import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '../../bench/server-api.ts';
import { withServers } from '../servers/server-address.fixture.ts';
import { Days, helios, letters, lines, metric, PARTITIONS, PATIENCE_MS, produce } from './bad-day.fixture.ts';

function testLetters(): void {
  test('a record that HELIOS did not write is a letter, the partition goes on, and a retry stores its events once', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    await days.send(10);
    const foreign = lines('shop', 1000, 2).toString();
    await produce(days, days.topic, foreign);
    await produce(days, days.topic, 'not even lines');
    await days.send(10);
    await days.stored(20);
    const names = await waitFor('the letters', PATIENCE_MS, async () => {
      const found = await letters(days);
      return found.length === 2 ? found : undefined;
    });
    assert.equal(await metric(days.stack.url('store-0'), `helios_kafka_unreadable_records_total{topic="${days.topic}"}`), 2);
    const shown = await Promise.all(names.map((name) => helios('dlq', 'show', name, ...days.flags)));
    assert.ok(shown.every(({ text }) => text.includes('it has no header v: HELIOS did not write it')));
    const good = names[shown.findIndex(({ text }) => text.includes('event 1000'))] as string;
    assert.equal((await helios('dlq', 'retry', good, ...days.flags)).code, 0);
    await days.stored(22);
    const twice = await helios('dlq', 'retry', good, ...days.flags);
    assert.equal(twice.code, 1);
    assert.match(twice.text, /^helios: cannot retry \S+: that was done at \d{4}-/);
    assert.equal((await helios('dlq', 'retry', good, '--again', ...days.flags)).code, 0);
    await days.send(5);
    await days.stored(27);
  });

  test('an event that the database refuses is a letter, and is stored once when the reason is gone', async () => {
    await using days = await Days.begin(['ingest', 'store'], ['--set', 'database.metadata_indexes=note']);
    // What an index takes is shorter, and these cannot be compressed.
    const note = Array.from({ length: 9000 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7919) % 20_000))).join('');
    await days.send(5);
    await days.send(1, 'shop', { metadata: { note } });
    await days.send(5);
    await days.stored(10);
    const [name = ''] = await letters(days);
    assert.match((await helios('dlq', 'show', name, ...days.flags)).text, /reason {2}event 0 of the record: cannot copy rows/);
    await days.audit.query(
      (
        await days.audit.query<{ sql: string }>(
          `SELECT format('DROP INDEX %I', indexname) AS sql FROM pg_indexes WHERE indexname LIKE 'events_metadata_%'`,
        )
      )[0]?.sql as string,
    );
    assert.equal((await helios('dlq', 'retry', '--all', '--topic', days.topic, ...days.flags)).code, 0);
    await days.stored(11);
    assert.equal((await helios('dlq', 'retry', name, '--again', ...days.flags)).code, 0);
    await days.send(5);
    await days.stored(16);
  });
}

function testOffsets(): void {
  test('records that retention took before they were stored are named from-to and counted, and the rest is stored', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    for (let i = 0; i < 4; i++) await days.send(10);
    await days.stored(40);
    await days.stack.stop('store-0');
    const [row] = await days.audit.query<{ p: number; n: string }>(
      `SELECT log_partition AS p, next_offset AS n FROM partition_progress WHERE topic = '${days.topic}' ORDER BY next_offset DESC`,
    );
    const { p: partition, n } = row as { p: number; n: string };
    for (let i = 0; i < 4; i++) await days.send(10);
    const lost = 3;
    await days.admin((admin) =>
      admin.deleteRecords({ topics: [{ name: days.topic, partitions: [{ partition, offset: BigInt(Number(n) + lost) }] }] }),
    );
    await days.stack.start('store-0');
    await days.stored(40 + 10 * (4 - lost));
    assert.match(days.stack.said(), new RegExp(`"from":${n},"to":${Number(n) + lost - 1},"msg":"records are lost`));
    assert.equal(await metric(days.stack.url('store-0'), `helios_kafka_lost_records_total{topic="${days.topic}"}`), lost);
  });

  test('a topic that is deleted and made anew is read from its start: nothing of it is lost, nothing stored is gone', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    for (let i = 0; i < 5; i++) await days.send(10);
    await days.stored(50);
    await days.stack.stop('ingest-0');
    await days.admin(async (admin) => {
      await admin.deleteTopics({ topics: [days.topic] });
      await admin.createTopics({ topics: [days.topic], partitions: PARTITIONS, replicas: 1 });
    });
    await days.stack.start('ingest-0');
    await days.send(10);
    await days.stored(60);
    assert.match(days.stack.said(), /the topic was deleted and made anew: it is read from its start/);
  });

  test('a database that is as it was some time ago is brought up to date from its own offsets, and nothing is stored twice', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    const tables = [
      'events',
      'partition_progress',
      'stored_requests',
      'minute_rollups',
      'hour_rollups',
      'day_rollups',
      'open_rollups',
    ];
    await days.send(30);
    await days.stored(30);
    await days.stack.stop('store-0');
    for (const table of tables) await days.audit.query(`CREATE TABLE old_${table} AS TABLE ${table}`);
    await days.stack.start('store-0');
    for (let i = 0; i < 3; i++) await days.send(10);
    await days.stored(60);
    await days.stack.stop('store-0');
    for (const table of tables) {
      await days.audit.query(`DELETE FROM ${table}`);
      await days.audit.query(`INSERT INTO ${table} SELECT * FROM old_${table}`);
    }
    await days.stored(30);
    await days.stack.start('store-0');
    await days.send(10);
    await days.stored(70);
  });
}

function testPartitions(): void {
  test('partitions that are added to a living topic are found by those who store, without a restart', async () => {
    await using days = await Days.begin(['ingest', 'store']);
    await days.send(10);
    await days.stored(10);
    await days.admin((admin) =>
      admin.createPartitions({ topics: [{ name: days.topic, count: PARTITIONS + 2, assignments: null }] }),
    );
    // Who produces goes on with the partitions that it knows until it is started again.
    await days.stack.stop('ingest-0');
    await days.stack.start('ingest-0');
    for (let i = 0; i < 8; i++) await days.send(5, `service-${i}`);
    await days.stored(50);
    const rows = await days.audit.query(`SELECT DISTINCT log_partition FROM events WHERE log_partition >= ${PARTITIONS}`);
    assert.ok(rows.length > 0, 'something is in the new partitions');
  });
}

withServers(['kafka', 'postgres'], 'bad days of roles in processes of their own', () => {
  testLetters();
  testOffsets();
  testPartitions();
});
