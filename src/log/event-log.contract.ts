import assert from 'node:assert/strict';
import test from 'node:test';
import type { AppendRecord, EventLog, LogReader, LogRecord, LogSupport } from './event-log.ts';
import { keyOf, readAll, recordOf } from './record.fixture.ts';

/** An adapter under test: opens an empty log, and readers of it. */
export interface LogUnderTest {
  log: EventLog;
  openReader: () => LogReader;
  close: () => PromiseLike<void>;
}

/** What every adapter of EventLog, and every decorator that is told not to interfere, has to pass for what it supports. */
export function eventLogContract(name: string, supports: LogSupport, open: () => Promise<LogUnderTest>): void {
  const withLog = (title: string, run: (opened: LogUnderTest) => Promise<void>, needs?: keyof LogSupport): void => {
    if (needs !== undefined && !supports[needs]) return;
    test(`${name}: ${title}`, async () => {
      const opened = await open();
      try {
        assert.deepEqual(opened.log.supports, supports);
        await run(opened);
      } finally {
        await opened.close();
      }
    });
  };

  withLog(
    'records come back as they were appended',
    async ({ log, openReader }) => {
      const record = recordOf('first', 3, { clientId: 'key-7', receivedAtMs: 1234.5 });
      const position = await log.append(record);
      await using reader = openReader();
      assert.deepEqual(await readAll(reader, log.committedOffset()), [{ ...record, bytes: Buffer.from(record.bytes), position }]);
    },
    'wholeRecords',
  );

  withLog(
    'offsets start at 0 and follow the order of the calls',
    async ({ log, openReader }) => {
      const names = Array.from({ length: 50 }, (_, i) => `record ${i}`);
      const positions = await Promise.all(names.map((text) => log.append(recordOf(text))));
      assert.deepEqual(
        positions,
        names.map((_, offset) => ({ partition: 0, offset })),
      );
      await using reader = openReader();
      const read = await readAll(reader, log.committedOffset());
      assert.deepEqual(
        read.map(({ position }) => position.offset),
        names.map((_, i) => i),
      );
      for (const [i, { bytes }] of read.entries()) assert.match(Buffer.from(bytes).toString(), new RegExp(`"record ${i} 0"`));
    },
    'wholeRecords',
  );

  withLog(
    'a reader gets nothing at or beyond the committed offset that it is given',
    async ({ log, openReader }) => {
      await Promise.all([1, 2, 3].map((i) => log.append(recordOf(`r${i}`))));
      await using reader = openReader();
      assert.equal(await reader.read(0, 1000), null);
      assert.deepEqual(
        (await readAll(reader, 2)).map(({ position }) => position.offset),
        [0, 1],
      );
      assert.deepEqual(
        (await readAll(reader, 3)).map(({ position }) => position.offset),
        [2],
      );
    },
    'wholeRecords',
  );

  withLog(
    'a read returns at least one record and about as many bytes as asked for',
    async ({ log, openReader }) => {
      for (let i = 0; i < 10; i++) await log.append(recordOf('x', 10));
      await using reader = openReader();
      assert.equal((await reader.read(10, 1))?.length, 1);
      const size = recordOf('x', 10).bytes.length;
      const some = await reader.read(10, 3 * size);
      assert.ok(some && some.length >= 1 && some.length <= 4);
    },
    'wholeRecords',
  );

  withLog(
    'seek moves a reader both ways',
    async ({ log, openReader }) => {
      for (let i = 0; i < 5; i++) await log.append(recordOf(`r${i}`));
      await using reader = openReader();
      assert.equal(reader.seek(3), 3);
      assert.deepEqual(
        (await readAll(reader, 5)).map(({ position }) => position.offset),
        [3, 4],
      );
      assert.equal(reader.seek(1), 1);
      assert.equal((await readAll(reader, 5)).length, 4);
    },
    'wholeRecords',
  );

  withLog('every event comes back once, with whose it is and when it came', async ({ log, openReader }) => {
    const appended = Array.from({ length: 20 }, (_, i) =>
      recordOf(`r${i}`, 3, { clientId: `key-${i % 2}`, receivedAtMs: 1234.5 + i }),
    );
    await Promise.all(appended.map((record) => log.append(record)));
    await using reader = openReader();
    const read = await readAll(reader, log.committedOffset());
    for (const clientId of ['key-0', 'key-1']) {
      const linesOf = (records: readonly Pick<LogRecord, 'clientId' | 'bytes'>[]): string =>
        records
          .filter((record) => record.clientId === clientId)
          .map(({ bytes }) => Buffer.from(bytes).toString())
          .join('');
      assert.equal(linesOf(read), linesOf(appended), 'those of one entity and client in the order of the calls');
    }
    for (const { receivedAtMs, minTimestampMs, maxTimestampMs, count, bytes } of read) {
      assert.ok(receivedAtMs >= 1234.5 && receivedAtMs <= 1253.5);
      const { minTimestampMs: first, maxTimestampMs: last } = appended[0] as AppendRecord;
      assert.ok(minTimestampMs >= first && maxTimestampMs <= last);
      assert.equal(count, Buffer.from(bytes).toString().split('\n').length - 1);
    }
  });

  withLog('every commit is announced with the next offset until the listener is removed', async ({ log }) => {
    const seen: number[] = [];
    const stop = log.onCommit((next) => seen.push(next));
    await log.append(recordOf('a'));
    await log.append(recordOf('b'));
    assert.equal(seen.at(-1), log.committedOffset());
    assert.equal(log.committedOffset(), 2);
    stop();
    await log.append(recordOf('c'));
    assert.equal(seen.at(-1), 2);
  });

  withLog('a request with an idempotency key is found once it is durable', async ({ log }) => {
    assert.equal(log.findRequest(keyOf(1)), undefined);
    const idempotency = { keyHash: keyOf(1), bodyHash: '00ff00ff00ff00ff', answer: '"rejectedCount":1' };
    await log.append(recordOf('keyed', 2, { idempotency, receivedAtMs: Date.now() }));
    assert.deepEqual(log.findRequest(keyOf(1)), { bodyHash: '00ff00ff00ff00ff', count: 2, answer: '"rejectedCount":1' });
    assert.equal(log.findRequest(keyOf(2)), undefined);
  });

  withLog('an append of a megabyte comes back whole', async ({ log, openReader }) => {
    const large = recordOf('large', 10_000);
    await log.append(large);
    await using reader = openReader();
    const read = await readAll(reader, log.committedOffset(), 10_000_000);
    assert.ok(Buffer.concat(read.map(({ bytes }) => bytes)).equals(large.bytes));
  });

  withLog(
    'an empty record and one with a megabyte of events are kept alike',
    async ({ log, openReader }) => {
      const large = recordOf('large', 10_000);
      await Promise.all([log.append(recordOf('none', 0)), log.append(large)]);
      await using reader = openReader();
      const read = await readAll(reader, log.committedOffset());
      assert.deepEqual(
        read.map(({ bytes }) => bytes.length),
        [0, large.bytes.length],
      );
      assert.equal(log.status().nextOffset, 2);
    },
    'wholeRecords',
  );
}
