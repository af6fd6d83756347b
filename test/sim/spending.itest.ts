import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { ManualClock, systemClock } from '../../src/lib/clock.ts';
import { createBudget } from '../../src/report/spending/budget.ts';
import { budgetConfigSchema } from '../../src/report/spending/config.ts';
import { createSpendingReader } from '../../src/report/spending/costs.ts';
import { createReceipts } from '../../src/report/spending/receipts.ts';
import { openDatabase } from '../../src/store/embedded/database.ts';
import { openRecordStore as openEmbeddedRecords } from '../../src/store/embedded/records.ts';
import type { RecordStore } from '../../src/store/record-store.ts';
import { openRecordStore } from '../../src/store/timescale/records.ts';
import { withDatabase } from '../../src/store/timescale/test-database.fixture.ts';

const WRITER = path.join(import.meta.dirname, 'spending-writer.ts');
const NOW_MS = Date.UTC(2025, 9, 8, 12);

async function withDirectory(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'helios-spending-'));
  try {
    await run(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** How many reservations a writer got, and how to end it. */
async function startWriter(...args: string[]): Promise<{ got: number; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, [WRITER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), exited.then(() => [''])])) as [string];
  return {
    got: Number(line),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

test('four processes over one database spend the last cent of a cap together, and not a millionth more', async () => {
  await withDirectory(async (dir) => {
    openDatabase({ dir }).close();
    const writers = await Promise.all(
      ['0.0301', '0.0299', '0.0333', '0.0071'].map((usd) => startWriter(dir, usd, '25', 'settle')),
    );
    for (const { kill } of writers) await kill();
    using database = openDatabase({ dir });
    const config = budgetConfigSchema.parse({ per_incident: 0.1, per_day: 1, per_month: 1 });
    const reader = createSpendingReader({ records: openEmbeddedRecords(database), config, clock: systemClock });
    const { caps, total } = await reader.costs({ by: 'day' });
    const got = writers.map((writer) => writer.got);
    const micro = [30_100, 29_900, 33_300, 7100].reduce((sum, each, i) => sum + each * (got[i] as number), 0);
    assert.equal(Math.round(caps.month.spentUsd * 1e6), micro);
    assert.equal(
      total.calls,
      got.reduce((sum, count) => sum + count, 0),
    );
    assert.ok(micro <= 1e6 && micro > 1e6 - 33_300, `${micro} millionths of a dollar`);
  });
});

test('a process that is killed with reservations in its hands passes no cap, and gives nothing back', async () => {
  await withDirectory(async (dir) => {
    openDatabase({ dir }).close();
    const killed = await startWriter(dir, '0.05', '30', 'hold');
    await killed.kill();
    assert.equal(killed.got, 20);
    using database = openDatabase({ dir });
    const records = openEmbeddedRecords(database);
    const config = budgetConfigSchema.parse({ per_incident: 0.1, per_day: 1, per_month: 1 });
    const startMs = systemClock.nowMs();
    for (const clock of [new ManualClock(startMs), new ManualClock(startMs + config.hold + 60_000)]) {
      const answer = await createBudget({ records, config, clock }).reserve({ incidentId: 'inc-x', service: 'a', usd: 0.000001 });
      assert.ok(!answer.ok && answer.spentUsd === 1, JSON.stringify(answer));
    }
  });
});

async function spendOn(stores: readonly RecordStore[]): Promise<void> {
  const config = budgetConfigSchema.parse({ per_incident: 0.1, per_day: 0.5, per_month: 0.5 });
  const clock = new ManualClock(NOW_MS);
  const budgets = stores.map((records) => createBudget({ records, config, clock }));
  const spend = async (i: number): Promise<number> => {
    const budget = budgets[i % budgets.length] as ReturnType<typeof createBudget>;
    const micro = 20_000 + i * 7;
    const answer = await budget.reserve({ incidentId: `inc-${i % 20}`, service: 'cart', usd: micro / 1e6 });
    if (!answer.ok) return 0;
    await answer.reservation.settle({ usd: micro / 1e6, inputTokens: 10, outputTokens: 1, model: 'm' });
    return micro;
  };
  const micros = await Promise.all(Array.from({ length: 40 }, (_, i) => spend(i)));
  const sum = micros.reduce((total, micro) => total + micro, 0);
  const reader = createSpendingReader({ records: stores[0] as RecordStore, config, clock });
  const { caps, total } = await reader.costs({ by: 'service' });
  assert.deepEqual([caps.day.spentUsd, caps.day.reservedUsd, total.costUsd], [sum / 1e6, 0, sum / 1e6]);
  assert.ok(sum <= 500_000 && sum > 470_000, `${sum} millionths of a dollar`);
}

withDatabase('twenty incidents at once on several connections keep the caps', async ({ database, connect }) => {
  await using second = await connect();
  await using third = await connect();
  await spendOn([database, second, third].map(openRecordStore));
});

withDatabase('a receipt comes back byte for byte, whatever is in it', async ({ database }) => {
  const receipts = createReceipts(openRecordStore(database));
  const bodies = ['{"a":"\u20ac \\u0000 \u{1f4a9}"}', 'a\0b', '\ud800', ''];
  for (const [i, sentBytes] of bodies.entries()) {
    const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0.000001 };
    const origin = { provider: 'openai', model: 'm', promptVersion: 'p', outcome: 'answered' };
    await receipts.put({
      id: `r${i}`,
      incidentId: 'inc-1',
      at: '2025-10-08T10:30:00.000Z',
      sentBytes,
      receivedBytes: 1,
      ...usage,
      ...origin,
    });
    const receipt = await receipts.get(`r${i}`);
    assert.ok(receipt);
    const encoding = receipt.encoding === 'text' ? 'utf8' : receipt.encoding;
    assert.deepEqual(Buffer.from(receipt.sent, encoding), Buffer.from(sentBytes));
  }
  assert.equal((await receipts.list('inc-1')).length, bodies.length);
  assert.equal(await receipts.remove(NOW_MS), bodies.length);
});
