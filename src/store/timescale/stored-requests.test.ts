import assert from 'node:assert/strict';
import test from 'node:test';
import { silentMetrics } from '../../lib/metrics.ts';
import type { PartedRecord } from './stored-requests.ts';
import { RequestFilter } from './stored-requests.ts';

const KEY = { group: 'g', topic: 'events', partition: 0 };
const hash = (n: number): string => n.toString(16).padStart(32, '0');

/** A record with one event a part; 0 is a request without a key. */
function recordAt(offset: number, requests: readonly (number | [number, number])[]): PartedRecord & { clientId: string } {
  const parts = requests.map((request) => {
    const [n, chunk] = typeof request === 'number' ? [request, 0] : request;
    const line = `{"n":${n},"chunk":${chunk}}\n`;
    return { line, part: { keyHash: n === 0 ? '' : hash(n), chunk, events: 1, bytes: line.length } };
  });
  const bytes = Buffer.from(parts.map(({ line }) => line).join(''));
  return { position: { offset }, bytes, count: parts.length, parts: parts.map(({ part }) => part), clientId: 'c' };
}

const textOf = ({ bytes }: PartedRecord): string => Buffer.from(bytes).toString();

test('the first time of a request passes, a repetition is cut out of its record', () => {
  const filter = new RequestFilter(KEY, silentMetrics);
  const first = recordAt(0, [1, 2]);
  assert.equal(filter.filter(first), first);
  const second = filter.filter(recordAt(1, [2, 3, 0, 1, 0]));
  assert.equal(textOf(second), '{"n":3,"chunk":0}\n{"n":0,"chunk":0}\n{"n":0,"chunk":0}\n');
  assert.deepEqual([second.count, second.parts?.length, second.clientId], [3, 3, 'c']);
  filter.settle(2);
  assert.equal(filter.filter(recordAt(2, [1, 3])).count, 0);
});

test('pieces of one request in one partition are told apart', () => {
  const filter = new RequestFilter(KEY, silentMetrics);
  assert.equal(
    filter.filter(
      recordAt(0, [
        [1, 0],
        [1, 1],
      ]),
    ).count,
    2,
  );
  assert.equal(
    textOf(
      filter.filter(
        recordAt(1, [
          [1, 1],
          [1, 2],
        ]),
      ),
    ),
    '{"n":1,"chunk":2}\n',
  );
  assert.equal(filter.filter(recordAt(2, [[1, 256]])).count, 1, 'both bytes of the number count');
});

test('records without keys are not touched', () => {
  const filter = new RequestFilter(KEY, silentMetrics);
  const { parts: _, ...bare } = recordAt(0, [0]);
  assert.equal(filter.filter(bare), bare);
  const keyless = recordAt(1, [0, 0]);
  assert.equal(filter.filter(keyless), keyless);
});

test('records read again from behind the stored offset are filtered as they were the first time', () => {
  const filter = new RequestFilter(KEY, silentMetrics);
  const records = [recordAt(0, [1]), recordAt(1, [2, 1]), recordAt(2, [2, 3]), recordAt(3, [3, 1, 4])];
  const first = records.map((record) => textOf(filter.filter(record)));
  filter.settle(2);
  filter.settle(4);
  assert.deepEqual(first, ['{"n":1,"chunk":0}\n', '{"n":2,"chunk":0}\n', '{"n":3,"chunk":0}\n', '{"n":4,"chunk":0}\n']);
});

test('the oldest requests are forgotten past the limit', () => {
  const filter = new RequestFilter(KEY, silentMetrics, 3);
  for (let n = 1; n <= 5; n++) {
    filter.filter(recordAt(n, [n]));
    filter.settle(n + 1);
  }
  assert.equal(filter.filter(recordAt(9, [1])).count, 1);
  assert.equal(filter.filter(recordAt(9, [4])).count, 0);
});

test('a commit keeps the requests of records before its offset alone: those behind are read again after a crash', async () => {
  const stored: Record<string, unknown>[] = [];
  const session = {
    query: (sql: string, values: readonly unknown[] = []) => {
      if (sql.startsWith('INSERT')) stored.push({ next_offset: values[3], hashes: values[4] });
      return Promise.resolve({ rows: sql.startsWith('SELECT') ? stored : [], rowCount: 0 });
    },
  };
  const commit = async (filter: RequestFilter, nextOffset: number): Promise<void> => {
    await filter.store({ ...session, execute: () => Promise.resolve(), copy: () => Promise.resolve() }, nextOffset);
    filter.settle(nextOffset);
  };
  const restart = async (): Promise<RequestFilter> => {
    const filter = new RequestFilter(KEY, silentMetrics);
    await filter.load(session);
    return filter;
  };
  const filter = new RequestFilter(KEY, silentMetrics);
  // What is read at once is filtered at once, and may be committed record by record.
  assert.deepEqual(
    [recordAt(0, [1]), recordAt(1, [2, 3]), recordAt(2, [3, 4])].map((each) => filter.filter(each).count),
    [1, 2, 1],
  );
  await commit(filter, 1);
  const crashed = await restart();
  assert.deepEqual(
    [recordAt(1, [1, 2, 3]), recordAt(2, [3, 4])].map((each) => crashed.filter(each).count),
    [2, 1],
  );
  await commit(filter, 3);
  const later = await restart();
  assert.equal(later.filter(recordAt(3, [1, 2, 3, 4, 5])).count, 1);
});
