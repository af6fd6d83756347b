import assert from 'node:assert/strict';
import test from 'node:test';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import type { DeadLetter } from '../partition-log.ts';
import { message, namesOf, openTestTopic, readSome } from './consume.fixture.ts';
import { createDeadLetters, listDeadLetters, retryDeadLetters } from './dead-letters.ts';
import { openPartitionReader } from './partition-reader.ts';

const LIMIT = { timeout: 60_000 };

function testListing(brokers: string): void {
  test(
    'letters are listed once, oldest first, with source, reason, headers and as much of the value as wanted',
    LIMIT,
    async () => {
      await using own = await openTestTopic(brokers, { partitions: 2 });
      const { connection, producer, topic } = own;
      const letters = createDeadLetters(producer, connection.config.dead_letter_suffix);
      const letter = (offset: number, value: string): DeadLetter => ({
        topic,
        partition: 1,
        offset,
        reason: `because of ${value}`,
        value: Buffer.from(value),
        headers: [['v', Buffer.from([0, 255])]],
      });
      await letters.put(letter(3, 'first line'));
      await letters.put(letter(3, 'second line'));
      await letters.put(letter(3, 'first line'));
      await letters.put({ ...letter(9, 'later'), partition: 0 });
      await producer.send(topic + connection.config.dead_letter_suffix, { value: 'not a letter' });

      const listed = await listDeadLetters({ connection, topic, limit: 10, maxValueBytes: 5 });
      const seen = listed.map(({ partition, offset, reason, value, valueBytes, retriedAtMs }) => {
        return [partition, offset, reason, Buffer.from(value).toString(), valueBytes, retriedAtMs];
      });
      assert.deepEqual(seen, [
        [1, 3, 'because of first line', 'first', 10, null],
        [1, 3, 'because of second line', 'secon', 11, null],
        [0, 9, 'because of later', 'later', 5, null],
      ]);
      assert.equal(new Set(listed.map(({ id }) => id)).size, 3);
      assert.match(listed[0]!.id, /^1-3-[0-9a-f]{8}$/);
      assert.deepEqual(
        listed[0]!.headers!.map(([name, bytes]) => [name, [...bytes]]),
        [['v', [0, 255]]],
      );
      const newest = await listDeadLetters({ connection, topic, limit: 1 });
      assert.deepEqual(
        newest.map(({ offset }) => offset),
        [9],
      );
      const [one] = await listDeadLetters({ connection, topic, limit: 10, ids: [listed[1]!.id] });
      assert.equal(Buffer.from(one!.value).toString(), 'second line');
    },
  );
}

function testRetries(brokers: string): void {
  test('a retried letter comes to its partition as it was, is shown as retried, and is not retried twice', LIMIT, async () => {
    await using own = await openTestTopic(brokers, { partitions: 2 });
    const { connection, producer, topic } = own;
    const { value, headers } = message('r0');
    await producer.send(topic, { partition: 1, value, headers: { ...headers, v: '999' } });
    await using reader = await openPartitionReader({
      connection,
      topic,
      partition: 1,
      onUnreadable: (letter) =>
        letters.put({
          ...letter,
          headers: letter.headers!.map(([name, bytes]) => [name, name === 'v' ? Buffer.from('1') : bytes]),
        }),
    });
    const letters = createDeadLetters(producer, connection.config.dead_letter_suffix);
    while ((await reader.read(Infinity, 1000)) === null && reader.position() === 0) await reader.wait(100);

    const [id] = (await listDeadLetters({ connection, topic, limit: 10 })).map((letter) => letter.id);
    assert.deepEqual(await retryDeadLetters({ connection, topic, producer, ids: ['0-0-00000000'] }), []);
    assert.deepEqual(await retryDeadLetters({ connection, topic, producer }), [id]);
    assert.deepEqual(await retryDeadLetters({ connection, topic, producer }), []);
    assert.deepEqual(namesOf(await readSome(reader, 1)), ['r0']);
    assert.equal(await reader.read(Infinity, 1000), null);
    const [listed] = await listDeadLetters({ connection, topic, limit: 10 });
    assert.ok(listed!.retriedAtMs! >= listed!.atMs);
    assert.deepEqual(await retryDeadLetters({ connection, topic, producer, ids: [id!], again: true }), [id]);
    assert.deepEqual(namesOf(await readSome(reader, 1)), ['r0']);
  });

  test('without letters the list is empty', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    const { connection, topic } = own;
    assert.deepEqual(await listDeadLetters({ connection, topic, limit: 10 }), []);
  });
}

withServers(['kafka'], 'dead letters on a broker', () => {
  const brokers = serverAddress('kafka')!;
  testListing(brokers);
  testRetries(brokers);
});
