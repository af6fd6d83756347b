import assert from 'node:assert/strict';
import test from 'node:test';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import { createPrng } from '../../lib/prng.ts';
import type { DeadLetter } from '../partition-log.ts';
import { message, namesOf, noLetters, openTestTopic, readSome, type TestTopic } from './consume.fixture.ts';
import { listeningLogger } from './kafka.fixture.ts';
import { openPartitionReader, type KafkaPartitionReader } from './partition-reader.ts';

const LIMIT = { timeout: 60_000 };

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `r${from + i}`);
}

async function produce({ producer, topic }: TestTopic, from: number, to: number, padding = 0): Promise<void> {
  await Promise.all(names(from, to).map((name) => producer.send(topic, message(name, { padding }))));
}

function openReader({ connection, topic }: TestTopic, onUnreadable = noLetters): Promise<KafkaPartitionReader> {
  return openPartitionReader({ connection, topic, partition: 0, onUnreadable });
}

function testPlaces(brokers: string): void {
  test('records come in order with their heads, from where the reader is sent, backwards too', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    await produce(own, 0, 20);
    await using reader = await openReader(own);
    assert.deepEqual([reader.firstOffset(), reader.endOffset(), reader.position()], [0, 20, 0]);

    const records = await readSome(reader, 20);
    assert.deepEqual(namesOf(records), names(0, 20));
    assert.deepEqual(records[7]!.position, { partition: 0, offset: 7 });
    const { clientId, receivedAtMs, count, minTimestampMs, maxTimestampMs } = records[7]!;
    assert.deepEqual(
      { clientId, count, minTimestampMs, maxTimestampMs },
      { clientId: 'test', count: 1, minTimestampMs: 1, maxTimestampMs: 2 },
    );
    // The head says 1000: a host whose clock is wrong. The broker's counts, which is the same for all hosts.
    assert.ok(Math.abs(receivedAtMs - Date.now()) < 60_000, `received at ${receivedAtMs}`);

    assert.equal(reader.seek(15), 15);
    assert.deepEqual(namesOf(await readSome(reader, 5)), names(15, 20));
    assert.equal(reader.seek(3), 3);
    assert.deepEqual(namesOf(await readSome(reader, 17)), names(3, 20));

    assert.equal(await reader.read(Infinity, 1000), null);
    await produce(own, 20, 22);
    assert.deepEqual(namesOf(await readSome(reader, 2)), names(20, 22));
  });

  test('a read ends before the given offset and near the given bytes, with one record at least', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    await produce(own, 0, 10, 1000);
    await using reader = await openReader(own);
    await readSome(reader, 10);
    reader.seek(0);
    await reader.wait(5000);
    assert.equal(await reader.read(0, 10_000), null);
    assert.deepEqual(namesOf(await reader.read(3, 10_000)), names(0, 3));
    assert.deepEqual(namesOf(await reader.read(Infinity, 1)), names(3, 4));
    assert.deepEqual(namesOf(await reader.read(Infinity, 2500)), names(4, 6));
    reader.seek(8);
    assert.deepEqual(namesOf(await reader.read(Infinity, 1_000_000)), names(8, 10), 'what lies ahead is kept');
  });
}

function testUnreadable(brokers: string): void {
  test('a record that cannot be decoded goes to the dead letters, and the partition goes on', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    const { producer, topic, totals } = own;
    await producer.send(topic, message('r0'));
    await producer.send(topic, { partition: 0, value: 'what is this', headers: { from: 'elsewhere' } });
    await producer.send(topic, message('r2'));
    const letters: DeadLetter[] = [];
    let refusals = 1;
    await using reader = await openReader(own, (letter) => {
      if (refusals-- > 0) return Promise.reject(new Error('not now'));
      letters.push(letter);
      return Promise.resolve();
    });
    assert.deepEqual(namesOf(await readSome(reader, 1)), ['r0']);
    await assert.rejects(readSome(reader, 1), /not now/);
    assert.equal(reader.position(), 1, 'it is not passed before somebody has it');
    assert.deepEqual(namesOf(await readSome(reader, 1)), ['r2']);
    const [{ headers, value, ...rest }] = letters as [DeadLetter];
    assert.deepEqual(rest, { topic, partition: 0, offset: 1, reason: 'it has no header v: HELIOS did not write it' });
    assert.equal(Buffer.from(value).toString(), 'what is this');
    assert.deepEqual(
      headers!.map(([name, text]) => [name, Buffer.from(text).toString()]),
      [['from', 'elsewhere']],
    );
    assert.equal(totals.get('helios_kafka_unreadable_records_total'), 1);
  });

  test('values and headers of any bytes are read or become letters, each offset once', LIMIT, async () => {
    const seed = 20_251_008;
    const prng = createPrng(seed);
    await using own = await openTestTopic(brokers);
    const { producer, topic } = own;
    const bytes = (): Buffer => Buffer.from(Array.from({ length: prng.below(40) }, () => prng.below(256)));
    const header = (): [string, Buffer | string] => {
      const name = ['v', 'count', 'parts', 'min-ts', 'received-at', bytes().toString('latin1')][prng.below(6)]!;
      return [name, prng.below(2) === 0 ? bytes() : ['1', '0', '-1', '1e9', ''][prng.below(5)]!];
    };
    const count = 300;
    await Promise.all(
      Array.from({ length: count }, () => {
        const sound = prng.below(3) === 0 ? message('sound').headers : {};
        const headers = { ...sound, ...Object.fromEntries(Array.from({ length: prng.below(4) }, header)) };
        return producer.send(topic, { partition: 0, value: bytes(), headers });
      }),
    );
    await producer.send(topic, message('last'));
    const seen: number[] = [];
    await using reader = await openReader(own, ({ offset }) => Promise.resolve(void seen.push(offset)));
    while (seen.length <= count) seen.push(...(await readSome(reader, 1)).map(({ position }) => position.offset));
    assert.deepEqual(
      seen,
      Array.from({ length: count + 1 }, (_, i) => i),
      `seed ${seed}`,
    );
  });
}

function testLostRecords(brokers: string): void {
  test('where retention has passed, the reader stands at the first kept offset and says what is lost', LIMIT, async () => {
    const { logger, heard } = listeningLogger();
    await using own = await openTestTopic(brokers, { logger });
    const { connection, topic, totals } = own;
    await produce(own, 0, 10);
    await using slow = await openReader(own);
    await connection.admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 6n }] }] });
    assert.equal(slow.seek(2), 2, 'it has not heard of it yet');
    assert.deepEqual(namesOf(await readSome(slow, 4)), names(6, 10));
    assert.equal(totals.get('helios_kafka_lost_records_total'), 4);
    const told = heard.find(({ message: text }) => text.startsWith('records are lost'));
    assert.deepEqual([told?.fields!['from'], told?.fields!['to']], [2, 5]);

    await using late = await openReader(own);
    assert.equal(late.seek(1), 6);
    assert.deepEqual(namesOf(await readSome(late, 4)), names(6, 10));
  });

  test('beyond the end, as after a topic was made anew, the reader goes on at the end and says so', LIMIT, async () => {
    const { logger, heard } = listeningLogger();
    await using own = await openTestTopic(brokers, { logger });
    await produce(own, 0, 5);
    await using reader = await openReader(own);
    reader.seek(1000);
    while (reader.position() !== 5) await reader.wait(50);
    await produce(own, 5, 7);
    assert.deepEqual(namesOf(await readSome(reader, 2)), names(5, 7));
    assert.ok(heard.some(({ level, message: text }) => level === 'error' && text.includes('ends before the wanted offset')));
  });
}

function testOtherLogs(brokers: string): void {
  test('whoever stores offsets is told that the log ends before his, and is not moved back', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    const { connection, topic } = own;
    await produce(own, 0, 5);
    await using reader = await openPartitionReader({ connection, topic, partition: 0, onUnreadable: noLetters, isStored: true });
    reader.seek(1000);
    await assert.rejects(readSome(reader, 1), /the log ends at offset 5, before 1000/);
  });

  test('a topic that is made anew is another log, also for a reader that is at work', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    const { connection, topic } = own;
    await produce(own, 0, 3);
    await using reader = await openReader(own);
    await readSome(reader, 3);
    await connection.admin.deleteTopics({ topics: [topic] });
    const recreate = (): Promise<unknown> => connection.admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    await connection.persist('make the topic anew', recreate);
    // More than there were: an offset alone would not tell.
    await produce(own, 10, 20);
    await assert.rejects(readSome(reader, 1), /deleted and made anew/);
    await using next = await openReader(own);
    assert.notEqual(next.logId(), reader.logId());
    assert.deepEqual(namesOf(await readSome(next, 10)), names(10, 20));
  });
}

function testSeveral(brokers: string): void {
  test('a reader that is not read holds a bounded number of records, and does not hold back another', LIMIT, async () => {
    await using own = await openTestTopic(brokers, { partitions: 2 });
    const { connection, producer, topic } = own;
    const big = Array.from({ length: 40 }, (_, i) => producer.send(topic, message(`b${i}`, { count: 800, padding: 900 })));
    await Promise.all([...big, ...names(0, 5).map((name) => producer.send(topic, message(name, { partition: 1 })))]);
    await using idle = await openPartitionReader({ connection, topic, partition: 0, onUnreadable: noLetters });
    await using busy = await openPartitionReader({ connection, topic, partition: 1, onUnreadable: noLetters });
    await idle.wait(5000);
    assert.deepEqual(namesOf(await readSome(busy, 5)), names(0, 5));
    await producer.send(topic, message('r5', { partition: 1 }));
    assert.deepEqual(namesOf(await readSome(busy, 1)), ['r5']);
    assert.deepEqual(
      namesOf(await readSome(idle, 40)),
      Array.from({ length: 40 }, (_, i) => `b${i}`),
    );
  });

  test('two readers of one partition over one connection each stand where they are', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    await produce(own, 0, 10);
    await using ahead = await openReader(own);
    await using behind = await openReader(own);
    assert.deepEqual(namesOf(await readSome(ahead, 10)), names(0, 10));
    behind.seek(4);
    assert.deepEqual(namesOf(await readSome(behind, 6)), names(4, 10));
    await produce(own, 10, 12);
    assert.deepEqual(namesOf(await readSome(ahead, 2)), names(10, 12));
    assert.deepEqual(namesOf(await readSome(behind, 2)), names(10, 12));
  });

  test('waiting ends with the signal, and a reader of a topic that is not there waits for it', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    const { connection, topic } = own;
    const stop = new AbortController();
    const { signal } = stop;
    await using reader = await openPartitionReader({ connection, topic, partition: 0, onUnreadable: noLetters, signal });
    const waiting = reader.wait(60_000);
    const opening = openPartitionReader({ connection, topic: `${topic}-none`, partition: 0, onUnreadable: noLetters, signal });
    stop.abort(new Error('enough'));
    await waiting;
    await assert.rejects(opening, /enough/);
  });
}

withServers(['kafka'], 'one partition of a topic on a broker', () => {
  const brokers = serverAddress('kafka')!;
  testPlaces(brokers);
  testUnreadable(brokers);
  testLostRecords(brokers);
  testOtherLogs(brokers);
  testSeveral(brokers);
});
