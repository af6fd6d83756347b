import assert from 'node:assert/strict';
import test from 'node:test';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import type { HeliosError } from '../../lib/errors.ts';
import { eventLogContract } from '../event-log.contract.ts';
import type { LogRecord } from '../event-log.ts';
import { keyOf } from '../record.fixture.ts';
import {
  columnsOf,
  connectionTo,
  eventsOf,
  listeningLogger,
  logOptions,
  openTestLog,
  testConfig,
  TopicReader,
} from './kafka.fixture.ts';
import { openKafkaLog } from './kafka-log.ts';
import { partitionOfEntity } from './partition-of.ts';
import { openTopicProducer } from './topic-producer.ts';
import { ensureTopics, topicSpecs } from './topics.ts';

const SERVICES = ['cart', 'payment', 'search', 'stock', 'mail', 'auth'];

function partsOf(records: readonly LogRecord[]): string[] {
  return records.flatMap(({ position, parts = [] }) =>
    parts.map(({ keyHash, chunk, events, bytes }) => `${position.partition} ${keyHash} ${chunk} ${events} ${bytes}`),
  );
}

async function checkTraces(brokers: string): Promise<void> {
  await using opened = await openTestLog(brokers, {}, { tracesTopic: 'traces' });
  const trace = { trace_id: '0af7651916cd43dd8448eb211c80319c' };
  const line = (extra: object): string =>
    JSON.stringify({ timestamp: '2025-10-08T10:30:45Z', service: 'cart', level: 'INFO', message: 'm', ...extra });
  const bytes = Buffer.from(`${[line({}), line(trace), line({ ...trace, service: 'stock' })].join('\n')}\n`);
  const { batch: _, ...times } = columnsOf(0, ['cart']);
  await opened.log.append({ ...times, bytes, count: 3 });
  await using traces = new TopicReader(opened.connection, opened.config.topic_traces);
  const services = (records: readonly LogRecord[]): string[] => eventsOf(records).map(({ service }) => service);
  assert.deepEqual(services(await opened.reader.readAll()).toSorted(), ['cart', 'cart', 'stock']);
  const traced = await traces.readAll();
  assert.deepEqual(services(traced), ['cart', 'stock'], 'those of one trace stand together, in order');
}

function testOrder(brokers: string): void {
  eventLogContract('kafka log', { wholeRecords: false, retention: false }, async () => {
    const opened = await openTestLog(brokers);
    return {
      log: opened.log,
      openReader: () => new TopicReader(opened.connection, opened.config.topic_events),
      close: () => opened[Symbol.asyncDispose](),
    };
  });

  for (const compression of ['none', 'lz4', 'zstd', 'gzip']) {
    test(`events go to the partition of their entity and come back in order, compressed by ${compression}`, async () => {
      await using opened = await openTestLog(brokers, { compression, partitions: 4 });
      const appends = Array.from({ length: 200 }, (_, i) => opened.log.append(columnsOf(i, SERVICES)));
      await Promise.all(appends);
      const events = eventsOf(await opened.reader.readAll());
      assert.equal(events.length, 200 * SERVICES.length);
      for (const [i, service] of SERVICES.entries()) {
        const own = events.filter((event) => event.service === service);
        const expected = Array.from({ length: 200 }, (_, number) => `${number}.${i}`);
        assert.deepEqual(
          own.map(({ message }) => message),
          expected,
        );
        assert.ok(own.every(({ partition }) => partition === partitionOfEntity(service, 4)));
      }
    });
  }

  test('events of a trace go to the topic of traces too', () => checkTraces(brokers));

  test('a request that comes again by way of another process has the same parts', async () => {
    await using opened = await openTestLog(brokers, { max_record: '10KB' });
    const { config, connection } = opened;
    const keyed = { idempotency: { keyHash: keyOf(7), bodyHash: '00ff00ff00ff00ff', answer: '' } };
    const services = Array.from({ length: 500 }, (_, i) => SERVICES[i % SERVICES.length] as string);
    await Promise.all([opened.log.append(columnsOf(0, SERVICES)), opened.log.append(columnsOf(1, services, keyed))]);
    const once = partsOf(await opened.reader.readAll()).filter((part) => part.includes(keyOf(7)));
    assert.ok(once.length > 3, 'it is cut into chunks');
    {
      await using other = await openKafkaLog(logOptions(connection, config.topic_events));
      await other.append(columnsOf(1, services, keyed));
    }
    const twice = partsOf(await opened.reader.readAll()).filter((part) => part.includes(keyOf(7)));
    assert.deepEqual(twice.toSorted(), [...once, ...once].toSorted());
  });
}

function testParts(brokers: string): void {
  test('a record that is larger than the topic takes is cut, and only the event that is too large alone is refused', async () => {
    await using opened = await openTestLog(brokers, { compression: 'none', partitions: 1 });
    const { connection, config, log, reader } = opened;
    await connection.admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: 2,
          resourceName: config.topic_events,
          configs: [{ name: 'max.message.bytes', configOperation: 0, value: '5000' }],
        },
      ],
      validateOnly: false,
    });
    const many = Array.from({ length: 400 }, () => 'cart');
    const idempotency = { keyHash: keyOf(9), bodyHash: '00ff00ff00ff00ff', answer: '' };
    const keyed = { idempotency, receivedAtMs: Date.now() };
    const large = columnsOf(3, ['cart']);
    large.bytes = Buffer.from(Buffer.from(large.bytes).toString().replace('3.0', 'x'.repeat(9000)));
    delete large.batch;
    const [refused, ...taken] = await Promise.allSettled([
      log.append(large),
      log.append(columnsOf(1, many.slice(0, 100), keyed)),
      log.append(columnsOf(2, many)),
    ]);
    assert.equal((refused as PromiseRejectedResult).reason.code, 'too_large');
    assert.deepEqual(
      taken.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    );
    const records = await reader.readAll();
    assert.deepEqual(
      eventsOf(records).map(({ message }) => message),
      [1, 2].flatMap((number) => many.slice(0, number === 1 ? 100 : 400).map((_, i) => `${number}.${i}`)),
    );
    const chunks = records.flatMap(({ parts = [] }) => parts.filter(({ keyHash }) => keyHash === keyOf(9)));
    assert.equal(new Set(chunks.map(({ chunk }) => chunk)).size, chunks.length, 'each piece has a number of its own');
    assert.deepEqual(log.findRequest(keyOf(9))?.count, 100);
  });

  test('event time is announced to the partitions that have not heard of it', async () => {
    await using opened = await openTestLog(brokers, {}, { heartbeatMs: 50 });
    const position = await opened.log.append(columnsOf(1000, ['cart']));
    const expected = Date.parse('2025-10-08T10:30:46Z');
    const announced = async (): Promise<LogRecord[]> => (await opened.reader.readAll()).filter(({ count }) => count === 0);
    let heard = await announced();
    while (heard.length < 2) heard = await announced();
    assert.deepEqual(
      heard.map(({ maxTimestampMs }) => maxTimestampMs),
      [expected, expected],
    );
    assert.ok(heard.every(({ position: { partition } }) => partition !== position.partition));
  });
}

function testLimits(brokers: string): void {
  test('lines of metrics go to the partition of the entity that sent them', async () => {
    await using opened = await openTestLog(brokers, {}, { kind: 'metrics' });
    const lines = Array.from({ length: 60 }, (_, i) => {
      const service = SERVICES[i % SERVICES.length] as string;
      const head = {
        name: `m${i % 20}`,
        kind: 'gauge',
        unit: '',
        service,
        environment: 'prod',
        namespace: '',
        labels: { a: '}' },
      };
      return `${JSON.stringify(head).slice(0, -1)},"points":[[${1_731_000_000_000 + i},${i}]]}\n`;
    });
    const bytes = Buffer.from(lines.join(''));
    const times = { minTimestampMs: 1, maxTimestampMs: 2, receivedAtMs: 3, clientId: '' };
    await Promise.all([1, 2].map(() => opened.log.append({ bytes, count: lines.length, ...times })));
    const read = eventsOf(await opened.reader.readAll());
    assert.equal(read.length, 120);
    assert.ok(read.every(({ service, partition }) => partition === partitionOfEntity(`prod//${service}`, 3)));
  });

  test('single records arrive in the order of the calls, each in the partition that its key or the caller says', async () => {
    await using opened = await openTestLog(brokers);
    const { connection, config } = opened;
    const headers = { v: '1', 'received-at': '1', client: '', count: '1', 'min-ts': '1', 'max-ts': '1' };
    {
      await using producer = await openTopicProducer(connection);
      const values = Array.from({ length: 50 }, (_, i) => `{"service":"s","message":"${i}"}\n`);
      const sends = values.map((value) => producer.send(config.topic_events, { key: 'cart', value, headers }));
      await producer.send(config.topic_events, { partition: 2, value: '{"message":"last"}\n', headers });
      await Promise.all(sends);
      const failed = await producer
        .send(config.topic_events, { partition: 9, value: '' })
        .catch((error: HeliosError) => error.code);
      assert.equal(failed, 'invalid_argument');
    }
    const read = eventsOf(await opened.reader.readAll());
    const own = read.filter(({ message }) => message !== 'last');
    assert.deepEqual(
      own.map(({ message, partition }) => [message, partition]),
      Array.from({ length: 50 }, (_, i) => [String(i), partitionOfEntity('cart', 3)]),
    );
    assert.equal(read.find(({ message }) => message === 'last')?.partition, 2);
  });
}

function testKinds(brokers: string): void {
  test('topics that are missing are made as configured, also by several processes at once', async () => {
    const config = testConfig(brokers, { retention: '2h' });
    await using connection = connectionTo(config);
    const specs = topicSpecs(config);
    try {
      const made = await Promise.all([ensureTopics(connection, specs), ensureTopics(connection, specs)]);
      for (const found of made) assert.deepEqual(found, new Map(specs.map(({ topic }) => [topic, 3])));
      const [events, control] = await Promise.all(
        [config.topic_events, config.topic_control].map(async (topic) => {
          const [described] = await connection.admin.describeConfigs({ resources: [{ resourceType: 2, resourceName: topic }] });
          return new Map(described?.configs.map(({ name, value }) => [name, value]));
        }),
      );
      assert.deepEqual([events?.get('cleanup.policy'), events?.get('retention.ms')], ['delete', '7200000']);
      assert.equal(control?.get('cleanup.policy'), 'compact');
      const { logger, heard } = listeningLogger();
      await using other = connectionTo({ ...config, partitions: 5 }, logger);
      const found = await ensureTopics(other, topicSpecs(other.config));
      assert.equal(found.get(config.topic_events), 3, 'what exists is used');
      assert.equal(heard.filter(({ level }) => level === 'warn').length, specs.length);
    } finally {
      await connection.admin.deleteTopics({ topics: specs.map(({ topic }) => topic) });
    }
  });

  test('missing topics that may not be made, or not with so many replicas, are named', async () => {
    const config = testConfig(brokers, { create_topics: false });
    await using connection = connectionTo(config);
    await assert.rejects(ensureTopics(connection, topicSpecs(config)), (error: HeliosError) => {
      assert.equal(error.code, 'log_unavailable');
      return error.message.includes(config.topic_events) && error.message.includes('kafka.create_topics');
    });
    const greedy = testConfig(brokers, { replication: 9 });
    await using other = connectionTo(greedy);
    await assert.rejects(ensureTopics(other, topicSpecs(greedy)), { code: 'invalid_config', message: /kafka\.replication 9/ });
  });
}

withServers(['kafka'], 'kafka log', () => {
  const brokers = serverAddress('kafka') as string;
  for (const register of [testOrder, testParts, testLimits, testKinds]) register(brokers);
});
