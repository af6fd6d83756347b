import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { createProgram } from '../../src/cli/program.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { HeliosError } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { silentMetrics } from '../../src/lib/metrics.ts';
import { kafkaConfigSchema } from '../../src/log/kafka/config.ts';
import { openKafkaConnection } from '../../src/log/kafka/connection.ts';
import { createDeadLetters } from '../../src/log/kafka/dead-letters.ts';
import { openTopicProducer } from '../../src/log/kafka/topic-producer.ts';
import { openTopicTail } from '../../src/log/kafka/topic-tail.ts';
import { ensureTopics } from '../../src/log/kafka/topics.ts';
import { serverAddress, withServers } from '../servers/server-address.fixture.ts';

/** Runs `helios dlq` in this process; rejects as the command does. */
async function dlq(...args: string[]): Promise<string> {
  const out: string[] = [];
  const program = createProgram({
    version: '',
    signal: new AbortController().signal,
    print: (line) => void out.push(line),
    warn: () => undefined,
  });
  await program.parseAsync(['dlq', ...args], { from: 'user' });
  return out.join('\n');
}

interface Place extends AsyncDisposable {
  topic: string;
  /** Flags that lead to the broker. */
  flags: string[];
  put(reason: string, value: string, partition?: number, offset?: number): Promise<void>;
  /** Values of the source topic. */
  values(): Promise<string[]>;
}

/** A topic with dead letters of its own, gone afterwards. */
async function openPlace(brokers: string): Promise<Place> {
  const topic = `test-letters-${randomBytes(6).toString('hex')}`;
  const topics = [topic, `${topic}.dlq`];
  const config = kafkaConfigSchema.parse({ brokers: brokers.split(','), replication: 1 });
  const common = { logger: silentLogger, metrics: silentMetrics, clock: systemClock };
  const connection = openKafkaConnection({ config, clientId: 'test', ...common });
  await ensureTopics(
    connection,
    topics.map((name) => ({ topic: name, partitions: 2, isCompacted: false })),
  );
  const producer = await openTopicProducer(connection);
  const letters = createDeadLetters(producer, '.dlq');
  return {
    topic,
    flags: [
      `brokers=${brokers}`,
      `topic_events=${topic}`,
      ...['metrics', 'traces', 'anomalies'].map((name) => `topic_${name}=none`),
    ].flatMap((setting) => ['--set', `kafka.${setting}`]),
    put: (reason, value, partition = 1, offset = 7) =>
      letters.put({ topic, partition, offset, reason, value: Buffer.from(value) }),
    async values() {
      const found: string[] = [];
      await using tail = await openTopicTail({
        connection,
        topic,
        fromStart: true,
        onMessage: ({ value, partition }) => void found.push(`${partition} ${Buffer.from(value).toString()}`),
      });
      await tail.caughtUp;
      return found;
    },
    async [Symbol.asyncDispose]() {
      await producer[Symbol.asyncDispose]();
      await connection.admin.deleteTopics({ topics });
      await connection[Symbol.asyncDispose]();
    },
  };
}

async function namesOf(place: Place, ...flags: string[]): Promise<string[]> {
  const { items } = JSON.parse(await dlq('list', '--json', '--topic', place.topic, ...flags, ...place.flags)) as {
    items: { name: string }[];
  };
  return items.map(({ name }) => name);
}

test('retrying wants one letter or all of them, and a broker that is configured', async () => {
  await assert.rejects(dlq('retry'), /name one letter, as "helios dlq list" shows it, or say --all/);
  await assert.rejects(dlq('retry', '--all', 'events/1-2-3'), /name one letter/);
  await assert.rejects(dlq('list', '--set', 'database.host=db'), /Kafka is not configured: set kafka.brokers/);
});

withServers(['kafka'], 'dead letters on a broker', () => {
  const brokers = serverAddress('kafka') as string;

  test('dead letters are listed newest first, with their place, reason and state', async () => {
    await using place = await openPlace(brokers);
    assert.equal(await dlq('list', '--topic', place.topic, ...place.flags), 'no dead letters');
    await place.put('the line is not JSON', 'x', 1, 7);
    await place.put('the headers are\nmissing', 'longer', 0, 8);
    const table = (await dlq('list', '--topic', place.topic, ...place.flags)).split('\n');
    assert.match(table[0] as string, /^LETTER +AT \(UTC\) +TOPIC +PARTITION +OFFSET +STATE +BYTES +REASON$/);
    assert.match(
      table[1] as string,
      new RegExp(`^${place.topic}/0-8-\\w+ .* ${place.topic} +0 +8 +waiting +6 +the headers are missing$`),
    );
    assert.match(table[2] as string, / waiting +1 +the line is not JSON$/);
    assert.match(await dlq('list', '--limit', '1', '--topic', place.topic, ...place.flags), /\nthere are more: --limit 2$/);
    assert.equal(await dlq('list', ...place.flags), table.join('\n'));
  });

  test('one is shown with its value between fences that it cannot end itself, and as JSON byte for byte', async () => {
    await using place = await openPlace(brokers);
    await place.put('bad', 'a\n```\n\u001b[31mred\u0000');
    const [name = ''] = await namesOf(place);
    const text = await dlq('show', name, ...place.flags);
    assert.ok(text.endsWith('\n\n````\na\n```\n\\x1b[31mred\\x00\n````'));
    assert.match(
      text,
      new RegExp(
        `^letter  ${name}\nfrom    ${place.topic}, partition 1, offset 7\nat      \\d{4}-.*\nstate   waiting\nreason  bad\n`,
      ),
    );
    const json = JSON.parse(await dlq('show', name, '--json', ...place.flags)) as { valueBase64: string };
    assert.equal(Buffer.from(json.valueBase64, 'base64').toString(), 'a\n```\n\u001b[31mred\u0000');
    await assert.rejects(
      dlq('show', `${place.topic}/1-9-00000000`, ...place.flags),
      (error: HeliosError) => error.code === 'not_found',
    );
    await assert.rejects(dlq('show', 'no-such-topic/1-9-0', ...place.flags), /there is no topic no-such-topic\.dlq/);
    await assert.rejects(dlq('show', 'nonsense', ...place.flags), /its name is TOPIC\/ID/);
  });

  test('a retry puts letters back once into the partition they came from, one by name or all', async () => {
    await using place = await openPlace(brokers);
    for (const [i, partition] of [0, 1, 1].entries()) await place.put('bad', `v${i}`, partition, i);
    const name = (await namesOf(place)).find((each) => each.includes('/1-1-')) as string;
    assert.equal(await dlq('retry', name, ...place.flags), `put back ${name}`);
    assert.deepEqual(await place.values(), ['1 v1']);
    await assert.rejects(dlq('retry', name, ...place.flags), /cannot retry .*: that was done at \d{4}-/);
    const rest = JSON.parse(await dlq('retry', '--all', '--json', ...place.flags)) as {
      retried: string[];
    };
    assert.equal(rest.retried.length, 2);
    assert.deepEqual((await place.values()).sort(), ['0 v0', '1 v1', '1 v2']);
    assert.equal(await dlq('retry', '--all', '--topic', place.topic, ...place.flags), 'no dead letter waits');
    assert.equal((await dlq('list', '--topic', place.topic, ...place.flags)).match(/ retried \d{4}-/g)?.length, 3);
    assert.equal(await dlq('retry', name, '--again', ...place.flags), `put back ${name}`);
    assert.equal((await place.values()).length, 4);
  });
});
