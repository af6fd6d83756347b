import assert from 'node:assert/strict';
import test from 'node:test';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import { systemClock } from '../../lib/clock.ts';
import { openTestTopic } from './consume.fixture.ts';
import { openTopicTail, type TopicRecord } from './topic-tail.ts';

const LIMIT = { timeout: 60_000 };

function textOf({ key, value, partition }: TopicRecord): string {
  return `${partition} ${Buffer.from(key ?? []).toString()}=${Buffer.from(value).toString()}`;
}

withServers(['kafka'], 'the tail of a topic on a broker', () => {
  const brokers = serverAddress('kafka')!;

  test('from the start gives all that is there, says when, and then what comes', LIMIT, async () => {
    await using own = await openTestTopic(brokers, { partitions: 2, isCompacted: true });
    const { connection, producer, topic } = own;
    for (let i = 0; i < 5; i++)
      await producer.send(topic, { partition: i % 2, key: `k${i}`, value: `v${i}`, headers: { h: 'x' } });
    const seen: TopicRecord[] = [];
    await using tail = await openTopicTail({ connection, topic, fromStart: true, onMessage: (record) => void seen.push(record) });
    await tail.caughtUp;
    assert.deepEqual(seen.map(textOf).toSorted(), ['0 k0=v0', '0 k2=v2', '0 k4=v4', '1 k1=v1', '1 k3=v3']);
    assert.equal(Buffer.from(seen[0]!.headers.get('h')!).toString(), 'x');
    await producer.send(topic, { partition: 1, key: 'k5', value: '' });
    while (seen.length < 6) await systemClock.sleep(10);
    assert.equal(textOf(seen[5]!), '1 k5=');
  });

  test('from the end gives only what comes, and a record is given again until it is taken', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    const { connection, producer, topic } = own;
    await producer.send(topic, { value: 'before' });
    const seen: string[] = [];
    let refusals = 2;
    const onMessage = (record: TopicRecord): void => {
      if (refusals-- > 0) throw new Error('not now');
      seen.push(textOf(record));
    };
    await using tail = await openTopicTail({ connection, topic, fromStart: false, onMessage });
    await tail.caughtUp;
    await producer.send(topic, { value: 'a' });
    await producer.send(topic, { value: 'b' });
    while (seen.length < 2) await systemClock.sleep(10);
    assert.deepEqual(seen, ['0 =a', '0 =b']);
  });

  test('closing it before it has caught up says so', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    const { connection, producer, topic } = own;
    await producer.send(topic, { value: 'a' });
    const { promise: held, resolve } = Promise.withResolvers<void>();
    const tail = await openTopicTail({ connection, topic, fromStart: true, onMessage: () => held });
    const closing = tail[Symbol.asyncDispose]();
    resolve();
    await assert.rejects(tail.caughtUp, /was closed/);
    await closing;
  });
});
