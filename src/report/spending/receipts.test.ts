import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { ManualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { MemoryRecords } from '../../store/record-store.fixture.ts';
import { createBudget } from './budget.ts';
import { budgetConfigSchema } from './config.ts';
import { createReceipts } from './receipts.ts';
import type { SentReceipt } from './receipts.ts';
import { openSpendingRetention, removeOldSpending } from './retention.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2025, 9, 8);

function sent(id: string, changed: Partial<SentReceipt> = {}): SentReceipt {
  return {
    id,
    incidentId: 'inc-1',
    at: '2025-10-08T10:30:00.000Z',
    provider: 'openai',
    model: 'gpt-4.1-mini',
    promptVersion: 'p1',
    sentBytes: '{"model":"gpt-4.1-mini"}',
    receivedBytes: 512,
    inputTokens: 900,
    outputTokens: 80,
    costUsd: 0.000488,
    outcome: 'answered',
    ...changed,
  };
}

test('a receipt gives back the exact bytes, and its incident lists it without them', async () => {
  const receipts = createReceipts(new MemoryRecords());
  await receipts.put(sent('b', { at: '2025-10-08T10:31:00.000Z' }));
  await receipts.put(sent('a'));
  await receipts.put(sent('c', { incidentId: 'inc-10' }));
  const { sentBytes, receivedBytes, ...summary } = sent('a');
  const expected = { ...summary, sentLength: sentBytes.length, receivedLength: receivedBytes };
  const sentSha256 = createHash('sha256').update(sentBytes).digest('hex');
  assert.deepEqual(await receipts.get('a'), { ...expected, sent: sentBytes, encoding: 'text', isCut: false, sentSha256 });
  assert.deepEqual(
    (await receipts.list('inc-1')).map(({ id }) => id),
    ['a', 'b'],
  );
  assert.deepEqual((await receipts.list('inc-1'))[0], expected);
  assert.equal(await receipts.get('other'), undefined);
});

test('the same receipt put twice is there once', async () => {
  const receipts = createReceipts(new MemoryRecords());
  await receipts.put(sent('a'));
  await receipts.put(sent('a', { outcome: 'timeout' }));
  assert.deepEqual(
    (await receipts.list('inc-1')).map(({ outcome }) => outcome),
    ['timeout'],
  );
});

test('what no text holds is kept in base64, and of a long body the beginning with the checksum of all', async () => {
  const receipts = createReceipts(new MemoryRecords(), { maxBytes: 10 });
  await receipts.put(sent('nul', { sentBytes: 'a\0b' }));
  const nul = await receipts.get('nul');
  assert.equal(nul?.encoding, 'base64');
  assert.equal(Buffer.from(nul.sent, 'base64').toString(), 'a\0b');
  const body = '\u20ac'.repeat(100);
  await receipts.put(sent('long', { sentBytes: body }));
  const long = await receipts.get('long');
  assert.ok(long?.isCut);
  assert.equal(long.sentLength, 300);
  assert.deepEqual(Buffer.from(long.sent, 'base64'), Buffer.from(body).subarray(0, 10));
  assert.equal(long.sentSha256, createHash('sha256').update(body).digest('hex'));
});

test('receipts and accounts past their retention are removed, the others and the sums of days stay', async () => {
  const records = new MemoryRecords();
  const receipts = createReceipts(records);
  const clock = new ManualClock(NOW_MS - 100 * DAY_MS);
  const budget = createBudget({ records, config: budgetConfigSchema.parse({}), clock });
  await budget.reserve({ incidentId: 'inc-old', service: 'cart', usd: 0.1 });
  clock.advance(99 * DAY_MS);
  await budget.reserve({ incidentId: 'inc-new', service: 'cart', usd: 0.1 });
  for (let i = 0; i < 450; i++) await receipts.put(sent(`old-${i}`, { at: '2025-06-01T00:00:00.000Z' }));
  await receipts.put(sent('new', { at: '2025-10-07T00:00:00.000Z' }));
  assert.equal(await removeOldSpending(records, { keepMs: 90 * DAY_MS, nowMs: NOW_MS }), 451);
  assert.deepEqual(
    (await receipts.list('inc-1')).map(({ id }) => id),
    ['new'],
  );
  const kept = (await records.list({ prefix: 'spending/', limit: 10 })).map(({ key }) => key);
  assert.deepEqual(kept, [
    'spending/day/2025-06-30',
    'spending/day/2025-10-07',
    'spending/incident/inc-new',
    'spending/month/2025-06',
    'spending/month/2025-10',
  ]);
});

test('the retention runs now and then, and leaves no timer behind', async () => {
  const records = new MemoryRecords();
  const clock = new ManualClock(NOW_MS);
  await createReceipts(records).put(sent('old', { at: '2025-06-01T00:00:00.000Z' }));
  const retention = openSpendingRetention({ records, keepMs: 90 * DAY_MS, clock, logger: silentLogger });
  clock.advance(600_000);
  await retention[Symbol.asyncDispose]();
  assert.deepEqual(await records.list({ prefix: 'receipt/', limit: 10 }), []);
  assert.equal(clock.pendingTimers, 0);
});
