import assert from 'node:assert/strict';
import test from 'node:test';
import { LOG_METRICS } from '../metrics.ts';
import { keyOf, readAll, recordOf } from '../record.fixture.ts';
import { openFixtureLog, temporaryDir } from './log.fixture.ts';
import { openLogReader } from './segment-reader.ts';

test('more than a batch holds, small and large records mixed, is committed whole and in order', async () => {
  using dir = temporaryDir();
  let commits = 0;
  const count = ({ name }: { name: string }, value: number): void => {
    if (name === LOG_METRICS.commits.name) commits += value;
  };
  await using log = await openFixtureLog(dir.path, { metrics: { add: count, set() {}, observe() {} } });
  // Up to 300 KB: some are copied, some are written from where they are; 12 MB together.
  const records = Array.from({ length: 120 }, (_, i) => {
    const idempotency = { keyHash: keyOf(i), bodyHash: '0'.repeat(16), answer: '' };
    const keyed = i % 3 === 0 ? { idempotency, receivedAtMs: Date.parse('2025-10-08T10:31:00Z') } : {};
    return recordOf(`record ${i}`, 1 + ((i * 457) % 2700), keyed);
  });
  const positions = await Promise.all(records.map((record) => log.append(record)));
  assert.deepEqual(
    positions.map(({ offset }) => offset),
    records.map((_, i) => i),
  );
  assert.ok(commits > 1 && commits < 10, `${commits} commits`);
  await using reader = openLogReader({ dir: dir.path });
  const read = await readAll(reader, log.committedOffset(), 1_000_000);
  for (const [i, record] of records.entries()) assert.ok(Buffer.from(record.bytes).equals(read[i]?.bytes ?? Buffer.alloc(0)));
  for (let i = 0; i < records.length; i += 3) assert.equal(log.findRequest(keyOf(i))?.count, records[i]?.count);
});
