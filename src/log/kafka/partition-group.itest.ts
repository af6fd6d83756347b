import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { serverAddress, withServers } from '../../../test/servers/server-address.fixture.ts';
import { systemClock } from '../../lib/clock.ts';
import type { PartitionGroup, PartitionWork } from '../partition-log.ts';
import { message, namesOf, noLetters, openTestTopic, type TestTopic } from './consume.fixture.ts';
import { connectionTo } from './kafka.fixture.ts';
import { openPartitionGroup } from './partition-group.ts';

const LIMIT = { timeout: 120_000 };
const PARTITIONS = 4;

/** Who works on what, over all members of a test. */
class Workers {
  readonly working = new Map<number, string>();
  readonly overlaps: string[] = [];
  begun = 0;

  work(member: string, { lingerMs = 0 } = {}): PartitionWork {
    return async (assigned) => {
      const { partition, signal, reader } = assigned;
      const other = this.working.get(partition);
      if (other !== undefined) this.overlaps.push(`${member} began ${partition} beside ${other}`);
      this.working.set(partition, member);
      this.begun++;
      assigned.committed(reader.seek(0));
      while (!signal.aborted) await reader.wait(1000);
      await systemClock.sleep(lingerMs);
      if (this.working.get(partition) === member) this.working.delete(partition);
    };
  }

  countOf(member: string): number {
    return [...this.working.values()].filter((other) => other === member).length;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await systemClock.sleep(20);
}

function join({ connection, topic }: TestTopic, work: PartitionWork): Promise<PartitionGroup> {
  // Each member has a connection of its own, as it would in a process of its own.
  return openPartitionGroup({
    connection: connectionTo(connection.config),
    group: topic,
    topics: [topic],
    work,
    onUnreadable: noLetters,
  });
}

/** A member in a process of its own, so that it can be killed or paused. */
function spawnMember({
  connection,
  topic,
}: TestTopic): { holds: Set<number>; child: ReturnType<typeof spawn> } & AsyncDisposable {
  const script = new URL('group-member.fixture.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, connection.config.brokers.join(), topic, topic], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const holds = new Set<number>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [event, partition] = line.split(' ');
    if (event === 'begin') holds.add(Number(partition));
    else holds.delete(Number(partition));
  });
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return { holds, child, [Symbol.asyncDispose]: end };
}

function testMembers(brokers: string): void {
  test('members share the partitions, hand them over without overlap, and get them back', LIMIT, async () => {
    await using own = await openTestTopic(brokers, { partitions: PARTITIONS });
    const workers = new Workers();
    await using first = await join(own, workers.work('first', { lingerMs: 300 }));
    assert.match(first.failure()!.message, /^cannot work in the group .*: it has not been joined yet$/);
    await until(() => workers.countOf('first') === PARTITIONS);
    assert.equal(first.failure(), null);
    const second = await join(own, workers.work('second'));
    await until(() => workers.countOf('first') === 2 && workers.countOf('second') === 2);
    assert.equal(workers.begun, PARTITIONS + 2, 'what stays is not disturbed');
    await second[Symbol.asyncDispose]();
    await until(() => workers.countOf('first') === PARTITIONS);
    assert.deepEqual(workers.overlaps, []);
  });

  test('of a member that is killed the partitions go to the others', LIMIT, async () => {
    await using own = await openTestTopic(brokers, { partitions: PARTITIONS });
    await using member = spawnMember(own);
    await until(() => member.holds.size === PARTITIONS);
    const workers = new Workers();
    await using _other = await join(own, workers.work('other'));
    await until(() => member.holds.size === 2 && workers.countOf('other') === 2);
    member.child.kill('SIGKILL');
    await until(() => workers.countOf('other') === PARTITIONS);
  });

  test('a member that slept too long lets go of what it had when it wakes, and takes part again', LIMIT, async () => {
    await using own = await openTestTopic(brokers, { partitions: PARTITIONS });
    await using member = spawnMember(own);
    await until(() => member.holds.size === PARTITIONS);
    const workers = new Workers();
    await using _other = await join(own, workers.work('other'));
    await until(() => member.holds.size === 2 && workers.countOf('other') === 2);
    member.child.kill('SIGSTOP');
    await until(() => workers.countOf('other') === PARTITIONS);
    member.child.kill('SIGCONT');
    await until(() => member.holds.size === 0);
    await until(() => member.holds.size === 2 && workers.countOf('other') === 2);
  });
}

function testWork(brokers: string): void {
  test('work that fails runs again, with the offset that it seeks to', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    for (const name of ['a', 'b', 'c']) await own.producer.send(own.topic, message(name));
    let next = 0;
    const stored: string[] = [];
    let failures = 2;
    await using _group = await join(own, async ({ reader, signal }) => {
      reader.seek(next);
      while (!signal.aborted) {
        const records = await reader.read(Infinity, 1);
        if (!records) await reader.wait(500);
        else if (next === 1 && failures-- > 0) throw new Error('the database is gone');
        else {
          stored.push(...namesOf(records));
          next = records.at(-1)!.position.offset + 1;
        }
      }
    });
    await until(() => stored.length === 3);
    assert.deepEqual(stored, ['a', 'b', 'c']);
  });

  test('lag is told to the process and to Kafka', LIMIT, async () => {
    await using own = await openTestTopic(brokers);
    const { connection, producer, topic } = own;
    for (const name of ['a', 'b', 'c']) await producer.send(topic, message(name));
    await using group = await join(own, async (assigned) => {
      assigned.reader.seek(0);
      assigned.committed(1);
      await once(assigned.signal, 'abort');
    });
    await until(() => group.lags().some(({ nextOffset }) => nextOffset === 1));
    assert.deepEqual(group.lags(), [{ topic, partition: 0, nextOffset: 1, endOffset: 3 }]);
    let shown: bigint | undefined;
    while (shown !== 1n) {
      const [answer] = await connection.admin.listConsumerGroupOffsets({ groups: [topic] });
      shown = answer?.topics[0]?.partitions[0]?.committedOffset;
      await systemClock.sleep(100);
    }
  });

  test('partitions that are added to a topic are found', { timeout: 180_000 }, async () => {
    await using own = await openTestTopic(brokers);
    const workers = new Workers();
    await using _group = await join(own, workers.work('only'));
    await until(() => workers.countOf('only') === 1);
    await own.connection.admin.createPartitions({ topics: [{ name: own.topic, count: 3 }] });
    await until(() => workers.countOf('only') === 3);
    assert.equal(workers.begun, 3, 'the first one goes on');
  });
}

withServers(['kafka'], 'a group on a broker', () => {
  const brokers = serverAddress('kafka')!;
  testMembers(brokers);
  testWork(brokers);
});
