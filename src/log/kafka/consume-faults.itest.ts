import assert from 'node:assert/strict';
import test from 'node:test';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import { KafkaServer } from '../../../test/servers/server-script.ts';
import { systemClock } from '../../lib/clock.ts';
import type { PartitionGroup } from '../partition-log.ts';
import { message, namesOf, noLetters, openTestTopic, type TestTopic } from './consume.fixture.ts';
import { openPartitionGroup } from './partition-group.ts';

const PARTITIONS = 3;
const LIMIT = { timeout: 600_000 };

/** What a group has stored, and up to where, as a database would keep both in one transaction. */
class Stored {
  readonly names: string[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly #next: number[] = Array.from({ length: PARTITIONS }, () => 0);

  get count(): number {
    return this.names.reduce((sum, { length }) => sum + length, 0);
  }

  consume({ connection, topic }: TestTopic): Promise<PartitionGroup> {
    return openPartitionGroup({
      connection,
      group: topic,
      topics: [topic],
      onUnreadable: noLetters,
      work: async (assigned) => {
        const { partition, reader, signal } = assigned;
        reader.seek(this.#next[partition]!);
        while (!signal.aborted) {
          const records = await reader.read(Infinity, 10_000);
          if (!records) {
            await reader.wait(200);
            continue;
          }
          this.names[partition]!.push(...namesOf(records));
          this.#next[partition] = records.at(-1)!.position.offset + 1;
          assigned.committed(this.#next[partition]);
        }
      },
    });
  }
}

/** Produces to every partition in turn until it is stopped. */
class Load {
  readonly #sent: Promise<void>[] = [];
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(own: TestTopic) {
    this.#running = this.#run(own);
  }

  get produced(): number {
    return this.#sent.length;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await Promise.all(this.#sent);
  }

  async #run({ producer, topic }: TestTopic): Promise<void> {
    while (!this.#isOver) {
      const number = this.#sent.length;
      this.#sent.push(producer.send(topic, message(`r${number}`, { partition: number % PARTITIONS })));
      await systemClock.sleep(5);
    }
  }
}

async function checkAll(stored: Stored, load: Load): Promise<void> {
  await load.stop();
  while (stored.count < load.produced) await systemClock.sleep(50);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const count = Math.ceil((load.produced - partition) / PARTITIONS);
    const expected = Array.from({ length: count }, (_, i) => `r${i * PARTITIONS + partition}`);
    assert.deepEqual(stored.names[partition], expected);
  }
}

withServers(['servers'], 'consuming through faults of the broker', () => {
  const scripts = serverAddress('servers')!;

  test('a broker killed and started again: everything comes once and in order', LIMIT, async () => {
    await using server = await KafkaServer.start(scripts);
    await using own = await openTestTopic(server.address, { partitions: PARTITIONS });
    const stored = new Stored();
    await using group = await stored.consume(own);
    const load = new Load(own);
    while (stored.count < 100) await systemClock.sleep(20);
    await server.kill();
    while (group.failure() === null) await systemClock.sleep(20);
    await server.restart();
    const before = stored.count;
    while (stored.count < before + 100) await systemClock.sleep(20);
    await checkAll(stored, load);
    while (group.failure() !== null) await systemClock.sleep(20);
  });

  test('leaders killed in a cluster of three: everything comes once and in order', LIMIT, async () => {
    await using server = await KafkaServer.start(scripts, 3);
    await using own = await openTestTopic(server.address, { partitions: PARTITIONS, replication: 3 });
    const stored = new Stored();
    await using group = await stored.consume(own);
    const load = new Load(own);
    while (stored.count < 100) await systemClock.sleep(20);
    for (const broker of [1, 2]) {
      await server.kill(broker);
      const before = stored.count;
      while (stored.count < before + 200) await systemClock.sleep(20);
      await server.restart(broker);
    }
    await checkAll(stored, load);
    while (group.failure() !== null) await systemClock.sleep(20);
  });
});
